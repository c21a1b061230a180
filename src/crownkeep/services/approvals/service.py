"""The service's registration: its handlers say `@approvals.operation(...)`."""

from crownkeep.operations import registry

approvals = registry.Service("approvals", event_source="approvals.crownkeep", is_global=True)
