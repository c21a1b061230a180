"""What goes wrong with the holder of a wrapping key."""


class UnusableKeyHolder(Exception):
    """A hardware module or a service can't wrap or unwrap; the message says why, and what to do. It holds no secret."""
