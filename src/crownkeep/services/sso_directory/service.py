"""The service's registration: its handlers say `@sso_directory.operation(...)`."""

from crownkeep.operations import registry

sso_directory = registry.Service(
    "sso-directory",
    for_people=(
        "ListMfaDevicesForUser",
        "UpdateMfaDeviceForUser",
        "DeleteMfaDeviceForUser",
        "CompleteVirtualMfaDeviceRegistration",
        "CompleteWebAuthnDeviceRegistration",
        "ChangePassword",
    ),
)
