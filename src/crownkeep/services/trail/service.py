"""The service's registration: its handlers say `@trail.operation(...)`."""

from crownkeep.operations import registry

trail = registry.Service("trail", event_source="trail.crownkeep", is_global=True)
