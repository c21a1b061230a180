"""The service's registration: its handlers say `@tagging.operation(...)`."""

from crownkeep.operations import registry

tagging = registry.Service("resourcegroupstaggingapi", action_prefix="tag", event_source="tagging.amazonaws.com")
