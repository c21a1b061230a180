"""Credentials: long-term keys, temporary ones, one-time codes and tokens for the world outside."""
