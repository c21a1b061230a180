"""Tags of approval teams and identity sources."""

from __future__ import annotations

from crownkeep.storage.resource_tags import ResourceTags

_tags = ResourceTags("approval_tags", longest_id=96)
table = _tags.table
of_resource = _tags.of_resource
put = _tags.put
remove = _tags.remove
remove_all = _tags.remove_all
