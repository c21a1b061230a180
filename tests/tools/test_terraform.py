"""Terraform with its AWS provider, as it is: plans, applies, finds nothing left to do, imports and destroys.

Both come from this machine, not from the network. Where one of them is absent, there is nothing to run: the test says so in a
warning, and `test_terraform_calls.py` still asks what Terraform asks.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from tests.fixtures.process import Process
from tests.services.iam.making_certificates import authority
from tests.services.sts.saml_provider import SamlProvider

CONFIGURATION = Path(__file__).parent / "terraform" / "main.tf"
PROVIDER = "registry.terraform.io/hashicorp/aws"
# Where Terraform itself looks on Linux ("Implied Local Mirror Directories"), and where images put a mirror beside it.
MIRRORS = (
    "~/.terraform.d/plugins",
    "~/.local/share/terraform/plugins",
    "/usr/local/share/terraform/plugins",
    "/usr/share/terraform/plugins",
    "/opt/tf-plugins",
)
_PATIENCE_SECONDS = 300


@dataclass(frozen=True)
class Terraform:
    """Terraform in a directory of its own, against one account of a server."""

    command: str
    directory: Path
    environment: dict[str, str]

    def run(self, *arguments: str, code: int = 0) -> str:
        """Run a command and return what it printed; fails for another exit code."""
        done = subprocess.run(
            [self.command, *arguments],
            cwd=self.directory,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=_PATIENCE_SECONDS,
        )
        assert code == done.returncode, f"terraform {arguments[0]}: {done.stdout[-6000:]}{done.stderr[-6000:]}"
        return done.stdout


def mirror() -> Path | None:
    """Return a directory that has the AWS provider, in the layout of a filesystem mirror."""
    candidates = [Path(each).expanduser() for each in (os.environ.get("CROWNKEEP_TEST_TERRAFORM_MIRROR", ""), *MIRRORS) if each]
    return next((each for each in candidates if any((each / PROVIDER).glob("*/*/terraform-provider-aws*"))), None)


def absent() -> str:
    """Name what isn't here, or nothing."""
    if shutil.which("terraform") is None:
        return "terraform"
    return "" if mirror() else "the AWS provider of terraform"


def prepared(server: Process) -> Terraform:
    """Make an account and a directory with the configuration, and let Terraform find its provider without the network."""
    directory = server.directory / "terraform"
    directory.mkdir()
    shutil.copy(CONFIGURATION, directory)
    private = rsa.generate_private_key(public_exponent=65_537, key_size=2048)
    key = private.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()
    web = authority("web.example")
    values = {"saml_metadata": SamlProvider().metadata(), "ssh_public_key": f"{key} bob"}
    values |= {"certificate": web.certificate, "private_key": web.private_key}
    (directory / "terraform.tfvars.json").write_text(json.dumps(values))
    configuration = directory / "terraform.rc"
    found = f'provider_installation {{\n  filesystem_mirror {{ path = "{mirror()}" }}\n}}\n'
    configuration.write_text(f"disable_checkpoint = true\n{found}")
    admin = server.account(admin_user="admin")["admin"]
    environment = server.environment | {
        "AWS_ACCESS_KEY_ID": admin["access_key_id"],
        "AWS_SECRET_ACCESS_KEY": admin["secret_access_key"],
        "TF_CLI_CONFIG_FILE": str(configuration),
        "TF_IN_AUTOMATION": "1",
        "CHECKPOINT_DISABLE": "1",
    }
    return Terraform(str(shutil.which("terraform")), directory, environment)


def test_terraform_applies_finds_nothing_left_to_do_and_destroys(serve: Callable[..., Process]) -> None:
    missing = absent()
    if missing:
        warnings.warn(f"{missing} is not installed: the configuration of {CONFIGURATION.name} was not applied", stacklevel=1)
        return
    server = serve()
    terraform = prepared(server)
    terraform.run("init", "-input=false", "-no-color")

    terraform.run("apply", "-auto-approve", "-input=false", "-no-color", "-parallelism=10")

    # With -detailed-exitcode, 0 says that there is nothing to change and 2 that there is something.
    terraform.run("plan", "-input=false", "-no-color", "-detailed-exitcode")
    found = json.loads(terraform.run("output", "-json"))["found"]["value"]
    assert {"users": ["bob"], "roles": ["machine"]} == {name: list(found[name]) for name in ("users", "roles")}
    assert f"terraform-{found['account']}" == found["alias"]
    _import_again(terraform, found["account"])
    terraform.run("destroy", "-auto-approve", "-input=false", "-no-color", "-parallelism=10")
    assert "" == terraform.run("state", "list").strip()


def _import_again(terraform: Terraform, account_id: str) -> None:
    """Forget some resources and import them by their ids: what is read back is what was applied."""
    by_id = {
        "aws_iam_group.staff": "staff",
        "aws_iam_role.machine": "machine",
        "aws_iam_policy.reading": f"arn:aws:iam::{account_id}:policy/reading",
        "aws_iam_instance_profile.machine": "machine",
        "aws_iam_user_policy.own": "bob:own",
        "aws_iam_account_password_policy.strict": "iam-account-password-policy",
        "aws_iam_openid_connect_provider.builds": f"arn:aws:iam::{account_id}:oidc-provider/builds.example.org/issuer",
        "aws_iam_saml_provider.office": f"arn:aws:iam::{account_id}:saml-provider/office",
    }
    terraform.run("state", "rm", *by_id)
    blocks = (f'import {{\n  to = {address}\n  id = "{name}"\n}}\n' for address, name in by_id.items())
    (terraform.directory / "imports.tf").write_text("".join(blocks))
    terraform.run("plan", "-input=false", "-no-color", "-out=plan.bin")
    planned: dict[str, Any] = json.loads(terraform.run("show", "-json", "plan.bin"))
    changes = {each["address"]: each["change"] for each in planned["resource_changes"] if each["mode"] == "managed"}
    assert by_id.keys() == {address for address, change in changes.items() if "importing" in change}
    assert {"no-op"} == {action for change in changes.values() for action in change["actions"]}
    terraform.run("apply", "-input=false", "-no-color", "plan.bin")


def test_the_configuration_holds_each_kind_of_identity() -> None:
    text = CONFIGURATION.read_text()

    wanted = ("user", "group", "role", "policy", "instance_profile", "account_password_policy", "account_alias", "saml_provider")
    more = ("openid_connect_provider", "access_key", "user_login_profile", "virtual_mfa_device")
    assert all(f'resource "aws_iam_{kind}"' in text for kind in (*wanted, *more, "server_certificate"))
    assert 'enabled_policy_types          = ["SERVICE_CONTROL_POLICY", "TAG_POLICY"]' in text


@pytest.mark.parametrize("place", ["", "nowhere"])
def test_a_missing_provider_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, place: str) -> None:
    monkeypatch.setattr("tests.tools.test_terraform.MIRRORS", ())
    monkeypatch.setenv("CROWNKEEP_TEST_TERRAFORM_MIRROR", str(tmp_path / place) if place else "")

    assert absent() in ("terraform", "the AWS provider of terraform")
