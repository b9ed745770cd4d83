"""What the faces share: how an error looks to a program, and which verdicts stop the way."""
