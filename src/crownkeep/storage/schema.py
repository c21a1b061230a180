"""Every table, gathered: importing this module is what makes `metadata` whole.

Each topic module appears here once; the migrations are held against this list by a test.
"""

from crownkeep.storage import access_keys, accounts, events, users
from crownkeep.storage.metadata import metadata

TOPICS = (access_keys, accounts, events, users)

__all__ = ["TOPICS", "metadata"]
