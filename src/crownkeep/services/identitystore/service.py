"""The service's registration: its handlers say `@identity_store.operation(...)`."""

from crownkeep.operations import registry

identity_store = registry.Service("identitystore")
