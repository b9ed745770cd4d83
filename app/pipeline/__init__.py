"""The Dagster face: assets, checks and jobs, each a few lines over one service call."""
