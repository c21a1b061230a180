"""A scanner that others wrote: Prowler says of an account's root user, passwords, keys and contacts what our checks say."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from tests.fixtures.process import Process

from crownkeep.advisor import findings, reader
from crownkeep.advisor.check import CheckState
from crownkeep.advisor.password_policies import STRONG

pytestmark = pytest.mark.nightly

PROWLER = Path(__file__).parents[2] / ".tools" / "prowler" / "bin" / "prowler"
OURS = {
    "account_maintain_different_contact_details_to_security_billing_and_operations": (
        "contact-security",
        "contact-billing",
        "contact-operations",
        "contacts-differ",
    ),
    "iam_no_root_access_key": ("root-access-keys",),
    "iam_root_mfa_enabled": ("root-mfa",),
    "iam_root_hardware_mfa_enabled": ("root-hardware-mfa",),
    "iam_password_policy_expires_passwords_within_90_days_or_less": ("password-age",),
    "iam_password_policy_lowercase": ("password-lowercase",),
    "iam_password_policy_minimum_length_14": ("password-length",),
    "iam_password_policy_number": ("password-numbers",),
    "iam_password_policy_reuse_24": ("password-reuse",),
    "iam_password_policy_symbol": ("password-symbols",),
    "iam_password_policy_uppercase": ("password-uppercase",),
    "iam_policy_attached_only_to_group_or_roles": ("policies-through-groups",),
    "iam_policy_cloudshell_admin_not_attached": ("cloudshell-full",),
    "iam_rotate_access_key_90_days": ("old-keys",),
    "iam_support_role_created": ("support-role",),
    "iam_user_accesskey_unused": ("unused-keys",),
    "iam_user_console_access_unused": ("unused-passwords",),
    "iam_user_mfa_enabled_console_access": ("users-mfa",),
    "iam_user_two_active_access_key": ("two-keys",),
}
"""Its checks by ours. `iam_avoid_root_usage` is left out: it looks back one day, and at the credential report alone."""


def theirs(served: Process, variables: dict[str, str], directory: Path) -> dict[str, bool]:
    """Return which of its checks fail."""
    words = ("aws", "--checks", *OURS, "--region", "us-east-1", "-M", "json-ocsf", "-o", str(directory), "--no-banner")
    environment = {**os.environ, "HOME": str(directory), "AWS_ENDPOINT_URL": served.url, **variables}
    subprocess.run([PROWLER, *words, "--ignore-exit-code-3"], env=environment, check=True, capture_output=True, timeout=600)
    (file,) = directory.glob("*.ocsf.json")
    failing: dict[str, bool] = {}
    for each in json.loads(file.read_text()):
        name = each["metadata"]["event_code"]
        failing[name] = failing.get(name, False) or each["status_code"] == "FAIL"
    return failing


def ours(served: Process) -> dict[str, bool]:
    """Return which of its checks ours say would fail."""
    report = findings.audit(reader.gather(reader.clients_of(None, served.url)))
    failing = {each.check.name for each in report.findings if each.state is CheckState.FAIL}
    return {name: bool(failing & set(checks)) for name, checks in OURS.items()}


def lock_down(served: Process, told: Any) -> None:
    iam, account = served.client("iam", told["admin"]), served.client("account", told["admin"])
    iam.update_account_password_policy(**{name: value for name, value in STRONG.items() if name != "HardExpiry"})
    trust = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{told['account_id']}:root"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    iam.create_role(RoleName="support", AssumeRolePolicyDocument=document)
    iam.attach_role_policy(RoleName="support", PolicyArn="arn:aws:iam::aws:policy/AWSSupportAccess")
    for number, kind in enumerate(("SECURITY", "BILLING", "OPERATIONS")):
        contact = {"Name": kind, "Title": "-", "EmailAddress": f"{kind.lower()}@acme.example", "PhoneNumber": f"+49 {number}"}
        account.put_alternate_contact(AlternateContactType=kind, **contact)
    root = served.client("iam", told["root"])
    root.delete_access_key(AccessKeyId=told["root"]["access_key_id"])


@pytest.mark.parametrize("is_locked_down", [False, True])
def test_prowler_agrees_on_what_it_can_judge(
    served: Process, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_locked_down: bool
):
    email = f"prowler-{is_locked_down}@acme.example".lower()
    answer = served.account(email=email, name="prowler", admin_user="admin", root_access_key=True)
    if is_locked_down:
        lock_down(served, answer)
    keys = answer["admin"]
    variables = {"AWS_ACCESS_KEY_ID": keys["access_key_id"], "AWS_SECRET_ACCESS_KEY": keys["secret_access_key"]}
    for name, value in variables.items():
        monkeypatch.setenv(name, value)

    found = theirs(served, variables, tmp_path)

    assert found == {name: fails for name, fails in ours(served).items() if name in found}
    assert found["iam_password_policy_minimum_length_14"] is not is_locked_down
    assert len(found) >= 12
