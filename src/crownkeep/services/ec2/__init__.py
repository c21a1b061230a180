"""Amazon EC2, as far as tools ask it before they go on: Regions, their zones, and what an account may have of it."""
