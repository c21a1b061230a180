"""The Terraform modules of deploy/terraform: applied by the stock provider, they leave nothing to do, and do what they say."""

from __future__ import annotations

import json
import re
import shutil
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.fixtures.process import ROOT, Process
from tests.tools.test_terraform import absent, prepared

from crownkeep.catalogue import organization_presets

MODULES = ROOT / "deploy" / "terraform"
EXAMPLE = Path(__file__).parent / "terraform_modules" / "main.tf"
POLICIES = sorted((MODULES / "guardrails" / "policies").glob("*.json"))


@pytest.mark.parametrize("file", POLICIES, ids=lambda file: file.stem)
def test_a_guardrail_is_the_policy_that_the_console_offers(file: Path):
    preset = organization_presets.preset(file.stem)

    assert preset is not None
    assert json.loads(preset.content) == json.loads(file.read_text())


def test_every_guardrail_can_be_chosen_by_its_name():
    text = (MODULES / "guardrails" / "main.tf").read_text()
    allowed = re.search(r"contains\(\s*\[(.*?)\]", text, re.DOTALL)

    assert allowed is not None
    assert {file.stem for file in POLICIES} == set(re.findall(r'"([a-z-]+)"', allowed[1]))


@pytest.mark.nightly
def test_the_modules_leave_nothing_to_do_and_hold_what_they_say(serve: Callable[..., Process]):
    missing = absent()
    if missing:
        warnings.warn(f"{missing} is not installed: the modules were not applied", stacklevel=1)
        return
    server = serve()
    terraform = prepared(server)
    (terraform.directory / "terraform.tfvars.json").unlink()
    shutil.copy(EXAMPLE, terraform.directory / "main.tf")
    shutil.copytree(MODULES, terraform.directory, dirs_exist_ok=True)
    terraform.run("init", "-input=false", "-no-color")
    terraform.run("validate", "-no-color")

    terraform.run("apply", "-auto-approve", "-input=false", "-no-color")

    terraform.run("plan", "-input=false", "-no-color", "-detailed-exitcode")
    answer = json.loads(terraform.run("output", "-json"))
    keys = {name: terraform.environment[f"AWS_{name.upper()}"] for name in ("access_key_id", "secret_access_key")}
    iam = server.client("iam", keys)
    alice = server.client("sts", iam.create_access_key(UserName="alice")["AccessKey"])
    with pytest.raises(ClientError, match="AccessDenied"):
        # She has shown no second factor.
        alice.assume_role(RoleArn=answer["administrator_role_arn"]["value"], RoleSessionName="now")
    inside = _inside(server, keys, answer["account_id"]["value"])
    with pytest.raises(ClientError, match=r"AccessDenied.*service control policy"):
        inside.leave_organization()


def _inside(server: Process, keys: dict[str, str], account_id: str) -> Any:
    """Return a client of the new account's administrator."""
    role = f"arn:aws:iam::{account_id}:role/OrganizationAccountAccessRole"
    session = server.client("sts", keys).assume_role(RoleArn=role, RoleSessionName="inside")["Credentials"]
    return server.client("organizations", session)
