"""What the store must survive: killed processes, many writers, a database that restarts."""
