"""Signing in: passwords, second factors, links, recovery, and who comes from elsewhere."""
