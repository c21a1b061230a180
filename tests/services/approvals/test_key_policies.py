"""Kinds of key that the operator accepts of custodians and of root: told by attestation, and by nothing a key only says."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.fixtures.browsing import Browser
from tests.fixtures.crown import Crown, Crowns
from tests.services.approvals.test_invitations import Invited, invited
from tests.signin.people import choose_root_password
from tests.signin.test_factors import challenge, give, key
from tests.signin.test_imported import attested, install

from crownkeep import settings
from crownkeep.credentials.webauthn import Passkey, WebauthnRefused
from crownkeep.domain.credentials import key_policies
from crownkeep.domain.credentials.key_policies import KeyPolicy
from crownkeep.settings import InvalidSettings

MODEL = "0a0a0a0a-0a0a-0a0a-0a0a-0a0a0a0a0a0a"


@pytest.fixture(scope="module")
def strict(crowns: Crowns) -> Iterator[Crown]:
    """A server that accepts keys of one model alone, certified at L2."""
    wanted = {"custodian_key_level": "L2", "custodian_key_models": (MODEL,), "root_key_level": "L2"}
    with closing(crowns.fresh("sqlite", **wanted)) as crown:
        yield crown


def test_a_custodians_key_of_a_lower_level_or_an_unproved_model_is_not_enrolled(strict: Crown) -> None:
    ann = invited(strict.account(), strict)[1][0]
    ann.browser.get(ann.link())
    ann.key.aaguid = bytes.fromhex(MODEL.replace("-", ""))
    untold = _enrol(ann, ann.key.register(ann.challenge()))
    install(strict, {"status": "FIDO_CERTIFIED_L1"})
    unproved = _enrol(ann, ann.key.register(ann.challenge()))
    weak = _enrol(ann, attested(ann.key, ann.challenge()))
    install(strict, {"status": "FIDO_CERTIFIED_L2"})

    good = _enrol(ann, attested(ann.key, ann.challenge()))

    assert "no FIDO metadata" in untold
    assert "does not prove its kind" in unproved
    assert "certified by FIDO at L2" in weak
    assert "Accept with your key" in good


def test_a_key_of_root_of_a_lower_level_is_not_enrolled(strict: Crown) -> None:
    account, browser = strict.account(), Browser(strict)
    choose_root_password(browser, account)
    install(strict, {"status": "FIDO_CERTIFIED_L1"})
    refused = give(browser, attested(key(aaguid=b"\x0a" * 16), challenge(browser.page)), name="weak")
    install(strict, {"status": "FIDO_CERTIFIED_L2"})

    page = give(browser, attested(key(aaguid=b"\x0a" * 16), challenge(browser.page)), name="good")

    assert "Recovery codes" == page.title
    assert "was not accepted" in refused.text
    assert any("certified by FIDO at L2" in each.get("errorMessage", "") for each in account.records())


class _Known:
    """Metadata that knows every model."""

    def knows(self, aaguid: str) -> bool:
        return bool(aaguid)


@pytest.mark.parametrize(
    ("policy", "told"),
    [
        (KeyPolicy("L1+"), ""),
        (KeyPolicy("L2", (MODEL,)), ""),
        (KeyPolicy("L2+"), "certified by FIDO at L2+"),
        (KeyPolicy("", ("00000000-0000-0000-0000-000000000000",)), "of this model"),
    ],
)
def test_a_policy_asks_for_a_level_and_a_model(policy: KeyPolicy, told: str) -> None:
    known: Any = _Known()
    passkey = Passkey(b"id", b"key", 0, MODEL, attestation_format="packed", certifications=(("FIDO", "L2"),))

    def answer(it: Passkey) -> str:
        try:
            key_policies.require(policy, it, known)
        except WebauthnRefused as refusal:
            return str(refusal)
        return ""

    assert (told in answer(passkey), bool(told)) == (True, bool(answer(passkey)))
    assert "does not prove its kind" in answer(replace(passkey, attestation_format="none"))


@pytest.mark.parametrize(("name", "value"), [("root_key_level", "high"), ("custodian_key_models", ["YubiKey"])])
def test_a_level_or_a_model_that_is_none_is_said_in_one_sentence(name: str, value: object) -> None:
    with pytest.raises(InvalidSettings, match=f"setting `{name}`"):
        settings.load({name: value}, environment={}, system=Path("/nowhere"))


def _enrol(ann: Invited, answer: dict[str, Any]) -> str:
    return str(ann.browser.submit({"credential": json.dumps(answer)}, form="Enrol a security key").text)
