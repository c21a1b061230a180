"""The service's registration: its handlers say `@scim.operation(...)`."""

from crownkeep.operations import registry

scim = registry.Service("scim", event_source="identitystore-scim.amazonaws.com")
