"""Charts of the review desk: plain documents in, Vega-Lite and tables out."""
