"""The service's registration: its handlers say `@sso.operation(...)`."""

from crownkeep.operations import registry

sso = registry.Service("sso")
