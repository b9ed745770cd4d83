"""Monitoring: whether parties, scores and outcomes are still those that a version was made for."""
