"""What is not there, and what is out of range: one case for every operation that no other test refuses."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.fixtures.crown import Account
from tests.services.iam.asking import refusal

from crownkeep.models import snake_case

CASES: list[tuple[str, dict[str, Any], str]] = json.loads((Path(__file__).parent / "refused.json").read_text())


@pytest.mark.parametrize(("operation", "parameters", "code"), CASES, ids=[operation for operation, _, _ in CASES])
def test_what_is_not_there_or_out_of_range_is_refused(
    account: Account, operation: str, parameters: dict[str, Any], code: str
) -> None:
    iam = account.client("iam", parameter_validation=False)

    answer = refusal(getattr(iam, snake_case(operation)), **_filled(account, parameters))

    assert answer.startswith(f"{code}: ")


def _filled(account: Account, parameters: dict[str, Any]) -> dict[str, Any]:
    place = f"arn:aws:iam::{account.id}"
    known = {
        "account": account.id,
        "oidc": f"{place}:oidc-provider/none.example.org",
        "policy": f"{place}:policy/none",
        "saml": f"{place}:saml-provider/none",
    }
    text = json.dumps(parameters)
    for name, value in known.items():
        text = text.replace(f"{{{name}}}", value)
    filled: dict[str, Any] = json.loads(text)
    return filled
