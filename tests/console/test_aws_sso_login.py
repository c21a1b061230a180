"""`aws configure sso` and `aws sso login` with the stock AWS CLI v2 and a real browser: one person from nothing to a role."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from playwright.sync_api import Browser, Page, expect
from tests.alerts.office import Mailbox, link_in
from tests.fixtures import prepared
from tests.fixtures.portal import PASSWORD
from tests.fixtures.process import ROOT, Process
from tests.services.sts.identity_provider import _certificates

AWS = ROOT / ".tools" / "awscli-v2" / "bin" / "aws"
PATIENCE_SECONDS = 60


@dataclass(frozen=True)
class Installation:
    """A server that speaks TLS, with an instance of single sign-on, and `ann`, who may take `Readers` in one member account."""

    server: Process
    environment: dict[str, str]
    instance: str
    store: str
    member: str

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start the AWS CLI v2 and leave it waiting for its browser or its next answer."""
        pipes: Any = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
        return subprocess.Popen([str(AWS), *arguments], cwd=self.server.directory, env=self.environment, text=True, **pipes)

    def run(self, *arguments: str) -> str:
        """Run it and return what it printed, and its exit code where that isn't 0."""
        ended = self.start(*arguments)
        out, _ = ended.communicate(timeout=PATIENCE_SECONDS)
        return out.strip() if ended.returncode == 0 else f"{ended.returncode} {out}"

    def identity(self, profile: str) -> str:
        """Return whom the server sees with a profile."""
        return self.run("sts", "get-caller-identity", "--profile", profile, "--query", "Arn", "--output", "text")


@pytest.fixture
def installation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Installation]:
    if not AWS.exists():
        pytest.fail("the AWS CLI v2 is not in .tools/awscli-v2; run `make test`, which brings it")
    made = _certificates(tmp_path)
    # What asks the server from this process trusts its authority, too.
    monkeypatch.setenv("SSL_CERT_FILE", str(made.authority))
    monkeypatch.setenv("AWS_CA_BUNDLE", str(made.authority))
    server = Process(tmp_path, tls_certificate=made.chain, tls_key=made.key)
    server.url = server.url.replace("http:", "https:")
    server._settings |= {"public_url": server.url}
    prepared.prepare(server.data)
    server.start()
    try:
        yield _set_up(server, {"AWS_CA_BUNDLE": str(made.authority)})
    finally:
        server.stop()


def _set_up(server: Process, trusted: dict[str, str]) -> Installation:
    admin = server.account(admin_user="admin")["admin"]
    organizations = server.client("organizations", admin)
    organizations.create_organization()
    member = organizations.create_account(Email="member@acme.example", AccountName="member")["CreateAccountStatus"]["AccountId"]
    sso, people = server.client("sso-admin", admin), server.client("identitystore", admin)
    instance = {"InstanceArn": sso.create_instance()["InstanceArn"]}
    store = sso.describe_instance(**instance)["IdentityStoreId"]
    server.client("sso-directory", admin).put_sign_in_rules(IdentityStoreId=store, MfaMode="NEVER")
    named = {"UserName": "ann", "DisplayName": "Ann Lee", "Name": {"GivenName": "Ann", "FamilyName": "Lee"}}
    emails = [{"Value": "ann@acme.example", "Primary": True}]
    ann = people.create_user(IdentityStoreId=store, Emails=emails, **named)["UserId"]
    readers = sso.create_permission_set(**instance, Name="Readers")["PermissionSet"]["PermissionSetArn"]
    target = {"TargetId": member, "TargetType": "AWS_ACCOUNT", "PrincipalType": "USER", "PrincipalId": ann}
    sso.create_account_assignment(**instance, PermissionSetArn=readers, **target)
    return Installation(server, server.environment | trusted, instance["InstanceArn"].rpartition("/")[2], store, member)


@pytest.fixture
def page(chromium: Browser, installation: Installation) -> Iterator[Page]:
    """A browser in which ann has chosen her password, by a mailed link."""
    mailbox = Mailbox(installation.server, "ann@acme.example")
    context = chromium.new_context(base_url=installation.server.url, ignore_https_errors=True)
    page = context.new_page()
    page.goto(f"/start/{installation.store}/password")
    page.get_by_label("Username").fill("ann")
    page.get_by_role("button").first.click()
    expect(page.get_by_role("heading", name="Check your email")).to_be_visible()
    page.goto(link_in(mailbox.wait("Choose a password")))
    page.get_by_label("New password").fill(PASSWORD)
    page.get_by_label("Retype the password").fill(PASSWORD)
    page.get_by_role("button", name="Set the password").click()
    expect(page.get_by_role("heading", name="Accounts")).to_be_visible()
    yield page
    context.close()


def test_a_person_configures_the_aws_cli_signs_in_both_ways_and_out(installation: Installation, page: Page):
    expected = f"arn:aws:sts::{installation.member}:assumed-role/AWSReservedSSO_Readers_"
    # A start URL of the own host, which the CLI asks for one of AWS's form: `aws configure sso` asks for no Region then.
    vanity = f"{installation.server.url}/start/{installation.store}"
    configuring = installation.start("configure", "sso", "--no-browser")
    _type(configuring, "acme", vanity, "")
    page.goto(_address(configuring, "/authorize"))
    page.get_by_role("button", name="Allow access").click()
    expect(page.get_by_text("close")).to_be_visible()
    _type(configuring, "us-east-1", "json", "readers")
    answer, _ = configuring.communicate(timeout=PATIENCE_SECONDS)
    assert "aws sts get-caller-identity --profile readers" in answer, answer
    assert installation.identity("readers").startswith(expected)

    taken = json.loads(installation.run("configure", "export-credentials", "--profile", "readers"))
    assert "" == installation.run("sso", "logout")
    with pytest.raises(ClientError, match="InvalidClientTokenId"):
        installation.server.client("sts", taken).get_caller_identity()

    # AWS's own form of the address, which the CLI never asks: AWS_ENDPOINT_URL alone leads here.
    config = installation.server.directory / ".aws" / "config"
    config.write_text(config.read_text().replace(vanity, f"https://identitycenter.amazonaws.com/{installation.instance}"))
    signing_in = installation.start("sso", "login", "--use-device-code", "--no-browser", "--profile", "readers")
    page.goto(_address(signing_in, "/device?"))
    page.get_by_role("button", name="Confirm and allow").click()
    expect(page.get_by_role("heading", name="Request approved")).to_be_visible()
    assert 0 == signing_in.wait(PATIENCE_SECONDS)
    assert installation.identity("readers").startswith(expected)


def _type(command: subprocess.Popen[str], *lines: str) -> None:
    assert command.stdin is not None
    command.stdin.write("".join(f"{line}\n" for line in lines))
    command.stdin.flush()


def _address(waiting: subprocess.Popen[str], part: str) -> str:
    """Return the address that the command tells to open."""
    assert waiting.stdout is not None
    heard = []
    for line in waiting.stdout:
        heard.append(line)
        found = re.search(rf"https://\S+{re.escape(part)}\S+", line)
        if found:
            return found[0]
    raise AssertionError(f"no address was told: {heard}")
