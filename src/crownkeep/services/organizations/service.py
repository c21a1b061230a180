"""The service's registration: its handlers say `@organizations.operation(...)`."""

from crownkeep.operations import registry

organizations = registry.Service("organizations", is_global=True)
