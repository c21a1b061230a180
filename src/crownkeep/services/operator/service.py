"""The service's registration: its handlers say `@operator.operation(...)`."""

from crownkeep.operations import registry

operator = registry.Service("operator", event_source="crownkeep", is_global=True)
