"""The service's registration: its handlers say `@account_security.operation(...)`."""

from crownkeep.operations import registry

account_security = registry.Service(
    "account-security",
    event_source="account-security.crownkeep",
    is_global=True,
    for_people=(
        "ListSessions",
        "EndSession",
        "EndOtherSessions",
        "CreateRecoveryCodes",
        "ListTrailFilters",
        "PutTrailFilter",
        "DeleteTrailFilter",
    ),
)
