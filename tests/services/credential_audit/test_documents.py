"""The page on the API of credential audits is held to its model: every operation, its access level, every member, every code."""

from __future__ import annotations

from pathlib import Path

import pytest

from crownkeep import models
from crownkeep.catalogue import actions

TEXT = (Path(__file__).parents[3] / "docs/reference/credential-audit-api.md").read_text()
MODEL = models.service("credential-audit")


@pytest.mark.parametrize("name", MODEL.operations)
def test_an_operation_stands_there_with_its_level_and_what_it_takes_and_answers(name: str):
    operation, action = MODEL.operations[name], actions.action(f"credential-audit:{name}")
    assert operation.input is not None
    assert operation.output is not None
    assert action is not None
    required = operation.input.required
    takes = ", ".join(f"`{member}`" if member in required else f"[`{member}`]" for member in operation.input.members)
    answers = ", ".join(f"`{member}`" for member in operation.output.members)

    assert f"| `{name}` | {action.access_level.value} | {takes} | {answers} |" in TEXT.splitlines()


def test_every_code_and_every_enumerated_value_is_named():
    codes = {f"| {error.status} | `{code}` |" for code, error in MODEL.errors.items()}
    values = {
        f"`{value}`" for name in ("AuditStatus", "Decision", "CredentialState", "Change") for value in MODEL.shapes[name].enum
    }

    assert [] == [each for each in codes | values if each not in TEXT]


def test_every_action_of_the_service_is_known_to_policies_and_no_other():
    assert {name.lower() for name in MODEL.operations} == set(actions.actions_of("credential-audit"))
