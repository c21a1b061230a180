"""Backups: a consistent copy of database and files, sealed, signed, verified without keys and restored with the sealing key."""
