"""Decisions for somebody who is not calling: why a principal may do something, or not."""
