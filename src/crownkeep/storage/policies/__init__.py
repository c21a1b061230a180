"""Policies: documents, their versions, and which identities hold them."""
