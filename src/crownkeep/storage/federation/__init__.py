"""Federation: the identity providers that an account trusts, and the keys of its own outbound tokens."""
