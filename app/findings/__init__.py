"""What each figure shows, as one sentence: its title. Documents in, text out."""
