"""The command line: each command translates, makes one service call, and prints."""
