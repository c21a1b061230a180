"""The service's registration: its handlers say `@account_access_runtime.operation(...)`."""

from crownkeep.operations import registry

account_access_runtime = registry.Service(
    "account-access-runtime", action_prefix="account-access", event_source="account-access.amazonaws.com"
)
