"""Accounts: the tenants, what they are called, whom to reach about them, and what applies to each as a whole."""
