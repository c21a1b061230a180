"""Reports: credentials, last access, and everything that an account holds."""
