"""Chancellor: the scorecard stays king and the model is its adviser."""
