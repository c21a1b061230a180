"""Delegation requests of product providers."""
