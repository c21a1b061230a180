"""The service's registration: its handlers say `@account.operation(...)`."""

from crownkeep.operations import registry

account = registry.Service("account", is_global=True)
