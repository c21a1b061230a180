"""Credentials of users and of root: passwords, keys, certificates and MFA devices."""
