"""Speed and memory against bare engines, peers and budgets: ``make bench``."""
