"""Sealing keys wrapped by a key that never leaves its holder: a hardware module, or a key management service."""
