"""One's own credentials."""
