"""The service's registration: its handlers say `@access_portal.operation(...)`."""

from crownkeep.operations import registry

access_portal = registry.Service(
    "access-portal",
    event_source="access-portal.crownkeep",
    for_people=(
        "ListEntitlements",
        "IssueAccessKeys",
        "OpenConsole",
        "AuthorizeProgram",
        "GetDeviceRequest",
        "AllowDevice",
        "RefuseDevice",
    ),
)
