"""Credentials: pure rules for passwords, keys, tokens, factors and sealing; time and random bytes are arguments."""
