"""Tags of instances (by id) and of permission sets (by `INSTANCE/ID`)."""

from __future__ import annotations

from crownkeep.storage.resource_tags import ResourceTags

_tags = ResourceTags("sso_tags", longest_id=64)
table = _tags.table
of_resource = _tags.of_resource
put = _tags.put
remove = _tags.remove
remove_all = _tags.remove_all
