"""Users, groups and roles: shown, made, changed and deleted."""
