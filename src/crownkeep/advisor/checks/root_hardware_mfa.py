"""Root's MFA can't be typed into a false page."""

from __future__ import annotations

from collections.abc import Iterator

from crownkeep.advisor import calls
from crownkeep.advisor.check import CheckSeverity, Fix, Verdict, check, cis, failed, passed
from crownkeep.advisor.root import has_credentials
from crownkeep.advisor.view import DoesNotApply, View


@check(
    "root-hardware-mfa",
    title="Root's MFA is a security key, a passkey or a hardware token",
    topic="root",
    severity=CheckSeverity.HIGH,
    why="A code of an authenticator app can be typed into a false page; a security key can't.",
    fix=Fix(
        "Sign in as root; Security credentials, Assign MFA device: Passkey or security key; then remove the authenticator app."
    ),
    maps={
        **cis(v1="1.6", v5="1.5", v6="2.5", v7="2.6"),
        "security-hub": ("IAM.6",),
        "config": ("root-account-hardware-mfa-enabled",),
    },
)
def root_hardware_mfa(view: View) -> Iterator[Verdict]:
    """Fail as soon as one of root's devices is an app, whatever lies beside it; FIDO devices are no virtual ones."""
    if not view.get(calls.SUMMARY)["SummaryMap"]["AccountMFAEnabled"]:
        if not has_credentials(view):
            raise DoesNotApply("Root has neither a password nor keys: there is nothing to protect by MFA.")
        yield failed("Root has no MFA device.")
        return
    root = f":iam::{view.account_id}:root"
    devices = view.get(calls.VIRTUAL_DEVICES)["VirtualMFADevices"]
    # A scanner that knows the device by its name `root-account-mfa-device` passes one that is called otherwise.
    apps = [each["SerialNumber"] for each in devices if each.get("User", {}).get("Arn", "").endswith(root)]
    if apps:
        yield failed(f"Root has an authenticator app: {apps[0]}.", apps[0])
    else:
        yield passed("Root has an MFA device, and none of its devices is an app.")
