"""Every table: importing this module imports every topic, whose tables are so in `metadata`, which is then whole.

A new topic is a new module below `storage`, and is named nowhere else.
"""

from importlib import import_module
from pkgutil import walk_packages

from crownkeep import storage
from crownkeep.storage.metadata import metadata

__all__ = ["metadata"]

_NO_TOPICS = ("crownkeep.storage.migrations", "crownkeep.storage.libpq")
"""Steps are alembic's to import, and libpq comes with a driver that only PostgreSQL needs."""

for _found in walk_packages(storage.__path__, f"{storage.__name__}."):
    if not _found.name.startswith(_NO_TOPICS):
        import_module(_found.name)
