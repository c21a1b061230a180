"""Proofs of approval: enough custodians signed exactly this, or the file proves nothing."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.credentials.hostile import changed, edited
from tests.credentials.soft_authenticator import SoftAuthenticator

from crownkeep import canonical_json
from crownkeep.canonical_json import NotCanonical
from crownkeep.credentials import approval_proofs, approval_requests, webauthn
from crownkeep.credentials.approval_proofs import (
    ApprovalProof,
    CastVote,
    CustodianKey,
    Quorum,
    TeamMember,
    UnprovenApproval,
)
from crownkeep.credentials.approval_requests import ApprovalDecision, ApprovalRequest, UnreadableRequest
from crownkeep.credentials.webauthn import RelyingParty, WebauthnRefused

PARTY = RelyingParty("crownkeep.example", "", frozenset({"https://crownkeep.example"}))
NOW = datetime(2026, 11, 30, 6, tzinfo=UTC)
REQUEST = ApprovalRequest(
    request_id="req-1",
    account_id="111122223333",
    team="arn:aws:mpa:us-east-1:111122223333:approval-team/root",
    team_version="1",
    requester="arn:aws:iam::111122223333:user/dan",
    requester_identity="person:d-0123456789/dan",
    principal="arn:aws:iam::111122223333:user/dan",
    action="account:CloseAccount",
    parameters={"AccountId": "111122223333"},
    reason="the project ended",
    ticket="OPS-7",
    source="203.0.113.9",
    minutes=0,
    asked_at=NOW,
    expires_at=NOW + timedelta(hours=24),
    nonce=bytes(range(32)),
)
OF_BOB = replace(REQUEST, requester_identity="custodian:bob")
DEVICES = {name: SoftAuthenticator(credential_id=name.encode()) for name in ("ann", "bob", "cid")}
APPROVE, REFUSE = ApprovalDecision.APPROVE, ApprovalDecision.REFUSE


def key_of(device: SoftAuthenticator) -> CustodianKey:
    passkey = webauthn.register(PARTY, device.register(bytes(32)), challenge=bytes(32))
    return CustodianKey(passkey.credential_id, passkey.public_key)


MEMBERS = tuple(TeamMember(name, f"custodian:{name}", name.title(), (key_of(device),)) for name, device in DEVICES.items())


def vote(name: str, decision: ApprovalDecision = APPROVE, *, request: ApprovalRequest = REQUEST, by: str = "") -> CastVote:
    answer = DEVICES[by or name].authenticate(approval_requests.challenge(request, decision))
    return CastVote(name, decision, "2026-11-30T06:10:00Z", approval_proofs.assertion_of(answer))


def proof(*votes: CastVote, least: int = 2, **changes: Any) -> ApprovalProof:
    return replace(ApprovalProof(REQUEST, Quorum(least, tuple(DEVICES)), MEMBERS, PARTY, votes), **changes)


GOOD = approval_proofs.write(proof(vote("ann"), vote("bob")))


def test_two_of_three_prove_an_approval_and_are_named_with_their_keys() -> None:
    counted = approval_proofs.verify(approval_proofs.read(GOOD))

    assert ["ann", "bob"] == [each.approver_id for each in counted]
    assert [MEMBERS[0].keys[0].fingerprint, MEMBERS[1].keys[0].fingerprint] == [each.fingerprint for each in counted]


@pytest.mark.parametrize(
    "unproven",
    [
        pytest.param(lambda: proof(vote("ann")), id="one of two"),
        pytest.param(lambda: proof(vote("ann"), vote("bob", REFUSE)), id="a refusal"),
        pytest.param(lambda: proof(vote("ann"), vote("ann")), id="one person twice"),
        pytest.param(lambda: proof(vote("ann"), vote("bob", by="ann")), id="another person's key"),
        pytest.param(lambda: proof(vote("ann"), replace(vote("bob", REFUSE), decision=APPROVE)), id="a refusal turned round"),
        pytest.param(lambda: proof(vote("ann"), vote("bob"), request=replace(REQUEST, reason="another")), id="another reason"),
        pytest.param(
            lambda: proof(vote("ann"), vote("bob", request=replace(REQUEST, request_id="req-2"))), id="another request's approval"
        ),
        pytest.param(
            lambda: proof(vote("ann", request=OF_BOB), vote("bob", request=OF_BOB), request=OF_BOB), id="the requester's own vote"
        ),
        pytest.param(lambda: proof(vote("ann"), vote("bob"), members=MEMBERS[:2]), id="a shorter list of members"),
        pytest.param(lambda: proof(vote("ann"), vote("bob"), party=replace(PARTY, id="evil.example")), id="another site"),
        pytest.param(
            lambda: proof(
                vote("ann"),
                vote("bob", by="ann"),
                members=(MEMBERS[0], replace(MEMBERS[1], keys=MEMBERS[0].keys), MEMBERS[2]),
            ),
            id="one key of two people",
        ),
    ],
)
def test_what_falls_short_of_the_quorum_proves_nothing(unproven: Callable[[], ApprovalProof]) -> None:
    with pytest.raises(UnprovenApproval):
        approval_proofs.verify(approval_proofs.read(approval_proofs.write(unproven())))


def test_an_approval_without_user_verification_counts_for_nothing() -> None:
    device = replace(DEVICES["ann"], flags=0x01)
    answer = device.authenticate(approval_requests.challenge(REQUEST, APPROVE))

    with pytest.raises(WebauthnRefused):
        approval_proofs.verify_vote(REQUEST, APPROVE, approval_proofs.assertion_of(answer), MEMBERS[0].keys, PARTY)


def test_a_key_whose_counter_stands_still_approves_all_the_same() -> None:
    answer = replace(DEVICES["ann"], counter=0).authenticate(approval_requests.challenge(REQUEST, APPROVE))

    key = approval_proofs.verify_vote(REQUEST, APPROVE, approval_proofs.assertion_of(answer), MEMBERS[0].keys, PARTY)

    assert MEMBERS[0].keys[0] == key


def test_only_keys_that_the_reader_knows_count_where_any_are_named() -> None:
    known = [MEMBERS[0].keys[0].fingerprint]

    with pytest.raises(UnprovenApproval, match="keys that you named"):
        approval_proofs.verify(approval_proofs.read(GOOD), known=known)


def test_a_rule_of_groups_needs_each_group() -> None:
    rule = Quorum(2, groups=(Quorum(1, ("ann", "bob")), Quorum(1, ("cid",))))

    read = approval_proofs.read(approval_proofs.write(proof(vote("ann"), vote("cid"), quorum=rule)))

    assert 2 == len(approval_proofs.verify(read))
    with pytest.raises(UnprovenApproval):
        approval_proofs.verify(proof(vote("ann"), vote("bob"), quorum=rule))


@settings(max_examples=60, deadline=None)
@given(st.one_of(edited(GOOD), changed(json.loads(GOOD)).map(lambda value: json.dumps(value).encode("utf-8", "replace"))))
def test_a_changed_file_proves_nothing_or_the_same(content: bytes) -> None:
    try:
        found = approval_proofs.read(content)
        approval_proofs.verify(found)
    except UnprovenApproval:
        return

    assert REQUEST == found.request


def test_a_request_is_read_from_its_own_bytes_and_no_others() -> None:
    content = REQUEST.canonical()

    assert REQUEST == approval_requests.read(content)
    for other in (content + b" ", content.replace(b'"minutes":0', b'"minutes":false'), b"[]", b"\xff", b"[" * 100_000):
        with pytest.raises(UnreadableRequest):
            approval_requests.read(other)


def test_canonical_json_is_that_of_the_rfc() -> None:
    # RFC 8785, sections 3.2.2 and 3.2.3: keys by UTF-16 code units, and the shortest escapes.
    value = {
        "\u20ac": "Euro",
        "\r": "CR",
        "\ufb33": "Dagesh",
        "1": True,
        "\U0001f600": "Smiley",
        "\x80": 'a\x0f\n"\\/',
        "\xf6": None,
    }

    written = canonical_json.write(value)

    expected = (
        '{"\\r":"CR","1":true,"\x80":"a\\u000f\\n\\"\\\\/","\xf6":null,"\u20ac":"Euro","\U0001f600":"Smiley","\ufb33":"Dagesh"}'
    )
    assert expected.encode() == written


@pytest.mark.parametrize("value", [1.5, 2**53, {1: "x"}, "\ud800", {"\ud800": 1}, object()])
def test_what_has_no_canonical_form_is_refused(value: object) -> None:
    with pytest.raises(NotCanonical):
        canonical_json.write(value)
