"""The account's custody: its seal, its teams, what they were asked, and the physical tokens of its root."""
