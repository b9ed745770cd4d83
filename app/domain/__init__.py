"""The functional core: values that validate themselves and pure functions between them."""
