"""The service's registration: its handlers say `@sso_admin.operation(...)`."""

from crownkeep.operations import registry

sso_admin = registry.Service("sso-admin", action_prefix="sso", event_source="sso.amazonaws.com")
