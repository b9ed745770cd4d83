"""What a result looks like to a person; ``--json`` prints the same result as it is."""
