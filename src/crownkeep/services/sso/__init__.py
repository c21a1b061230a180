"""The access portal's API: accounts and roles that people may take, and credentials of them, for programs with a token."""
