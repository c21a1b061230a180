"""Rules that several services share, by topic; above the one door and below the services."""
