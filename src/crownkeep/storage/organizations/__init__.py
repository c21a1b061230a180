"""Organizations: their trees, members, policies and agreements."""
