"""The service's registration: its handlers say `@account_access.operation(...)`."""

from crownkeep.operations import registry

account_access = registry.Service("account-access")
