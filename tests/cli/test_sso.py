"""`crownkeep sso`: an instance for the organization that an account manages, and the provider that its people sign in with."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.cli.conftest import Terminal
from tests.fixtures.crown import Crown
from tests.fixtures.single_sign_on import SingleSignOn
from tests.services.sts.saml_provider import SamlProvider


def test_an_account_that_manages_no_organization_is_told_how_to_make_one(
    crownkeep: Terminal, made: Callable[..., dict[str, Any]]
):
    answer = crownkeep("sso", "enable", "--account", made()["account_id"])

    assert 1 == answer.code
    assert "manages no organization; make one with `aws organizations create-organization`" in answer.err


def test_people_sign_in_with_a_provider_that_the_operator_sets_shows_and_removes(crown: Crown, tmp_path: Path):
    sso, metadata = SingleSignOn(crown), tmp_path / "metadata.xml"
    metadata.write_text(SamlProvider().metadata())
    crownkeep = Terminal({"CROWNKEEP_DATA": crown.settings.data, "CROWNKEEP_DATABASE": crown.settings.database_url})
    where = ("--account", sso.management.id)

    made = crownkeep("sso", "identity-provider", "set-saml", "--metadata", str(metadata), "--name", "Acme", "--json", *where)
    shown = crownkeep("sso", "identity-provider", "show", *where)
    removed = crownkeep("sso", "identity-provider", "remove", *where)
    again = crownkeep("sso", "identity-provider", "show", *where)

    assert (0, "SAML", "USER_NAME") == (made.code, made.json()["type"], made.json()["match_by"])
    assert f"/start/{sso.store['IdentityStoreId']}/saml/acs" in shown.out
    assert (0, 1) == (removed.code, again.code)
    assert "sign in with no provider elsewhere" in again.err
