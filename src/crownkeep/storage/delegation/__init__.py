"""Delegation: what product providers ask accounts to lend them."""
