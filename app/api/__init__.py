"""The HTTP API: each endpoint translates, makes one service call, and describes what it gives."""
