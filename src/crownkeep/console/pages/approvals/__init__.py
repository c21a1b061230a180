"""Pages of custodians: what waits for them, and their decisions by security key."""
