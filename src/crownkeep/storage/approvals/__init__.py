"""Approval: teams of people who must agree, who those people are and with which keys, and what they were asked and answered."""
