"""Evidence that the adviser does no harm: studies on simulated and real portfolios."""
