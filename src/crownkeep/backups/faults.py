"""What can go wrong with a backup."""


class BackupFault(Exception):
    """A backup can't be made, read or restored; the message says why, and what to do."""
