"""Notices: messages that wait to be sent, and what became of them."""
