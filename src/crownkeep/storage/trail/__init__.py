"""The trail: the record of every call."""
