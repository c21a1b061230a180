"""The service's registration: its handlers say `@credential_audit.operation(...)`."""

from crownkeep.operations import registry

credential_audit = registry.Service("credential-audit", event_source="credential-audit.crownkeep", is_global=True)
