"""`crownkeep sso enable`: an instance for the organization that an account manages, and for no other account."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.cli.conftest import Terminal


def test_an_account_that_manages_no_organization_is_told_how_to_make_one(
    crownkeep: Terminal, made: Callable[..., dict[str, Any]]
):
    answer = crownkeep("sso", "enable", "--account", made()["account_id"])

    assert 1 == answer.code
    assert "manages no organization; make one with `aws organizations create-organization`" in answer.err
