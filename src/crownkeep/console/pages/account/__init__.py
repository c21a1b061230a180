"""The account: its name, contacts, Regions, settings and end."""
