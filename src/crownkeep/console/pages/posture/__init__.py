"""The first page, and what it says is still open."""
