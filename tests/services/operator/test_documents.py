"""The page on the operator's API is held to its model: every operation, every member, every code."""

from __future__ import annotations

from pathlib import Path

import pytest

from crownkeep import models

TEXT = (Path(__file__).parents[3] / "docs/reference/operator-api.md").read_text()
OPERATIONS = models.service("operator").operations


@pytest.mark.parametrize("name", OPERATIONS)
def test_an_operation_stands_there_with_its_request_and_its_status(name):
    operation = OPERATIONS[name]

    line = next(line for line in TEXT.splitlines() if line.startswith(f"| `{name}`"))

    assert f"| `{operation.method} {operation.request_uri}` | {operation.response_status}" in line


def test_every_parameter_and_every_code_is_named():
    parameters = {member for operation in OPERATIONS.values() if operation.input for member in operation.input.members}
    codes = {f"| {error.status} | `{code}` |" for code, error in models.service("operator").errors.items()}

    missing = [name for name in parameters if f"`{name}`" not in TEXT and f"{{{name}}}" not in TEXT]

    assert ([], []) == (missing, [code for code in codes if code not in TEXT])
