"""Charts of the review desk and of papers: plain documents in, Vega-Lite and tables out."""
