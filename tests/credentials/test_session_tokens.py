"""Session tokens carry a whole session, open only with their key id, and survive no tampering."""

import base64
import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crownkeep.credentials import access_keys, sealing, session_tokens
from crownkeep.credentials.sealing import Keyring
from crownkeep.credentials.secret import Secret
from crownkeep.principals import Principal, PrincipalKind, Session

ACCOUNT = "123456789012"
KEY_ID = access_keys.mint(access_keys.KeyPrefix.TEMPORARY, ACCOUNT, b"abcde")
OTHER_KEY_ID = access_keys.mint(access_keys.KeyPrefix.TEMPORARY, ACCOUNT, b"abcdf")
SECRET = access_keys.mint_secret(bytes(range(30)))
RING = Keyring([sealing.mint_key(b"k" * 32, made=datetime(2026, 11, 24, tzinfo=UTC).date())])
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)

texts = st.text(max_size=40)
moments = st.integers(min_value=0, max_value=2**32).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))
sessions = st.builds(
    Session,
    issued_at=moments,
    expires_at=moments,
    mfa_serial=st.none(),
    mfa_at=st.none(),
    name=texts,
    policies=st.lists(texts, max_size=2).map(tuple),
    policy_arns=st.lists(texts, max_size=3).map(tuple),
    has_policy=st.booleans(),
    tags=st.dictionaries(texts, texts, max_size=5),
    transitive_tag_keys=st.lists(texts, max_size=3).map(tuple),
    source_identity=texts,
    assumed_root=st.booleans(),
    task_policy_arn=texts,
    from_console=st.booleans(),
    chained=st.booleans(),
    issuing_key_id=texts,
    federated_provider=texts,
    context=st.dictionaries(texts, texts, max_size=3),
    assumed_by=texts,
    assumed_by_id=texts,
    derived_until=st.none() | moments.filter(lambda moment: moment.timestamp() > 0),
)
principals = st.builds(
    Principal,
    kind=st.sampled_from([kind for kind in PrincipalKind if kind is not PrincipalKind.PERSON]),  # who has no session of STS
    account_id=st.just(ACCOUNT),
    unique_id=st.sampled_from([ACCOUNT, "AIDAAAAAAAAAAAAAAAAAA", "AROABBBBBBBBBBBBBBBBB"]),
    name=texts,
    path=texts,
    access_key_id=st.just(KEY_ID),
    session=sessions,
)


def principal(**changes: object) -> Principal:
    session = Session(NOW, NOW + timedelta(hours=1), **changes)  # type: ignore[arg-type]  # Any field, by its name.
    return Principal(PrincipalKind.USER, ACCOUNT, "AIDAAAAAAAAAAAAAAAAAA", "alice", "/", KEY_ID, session)


def mint(who: Principal, ring: Keyring = RING) -> str:
    return session_tokens.mint(ring, who, SECRET, nonce=os.urandom(session_tokens.NONCE_SIZE))


@settings(max_examples=60)
@given(principals)
def test_what_was_minted_is_read_back(who: Principal) -> None:
    claims = session_tokens.read(RING, mint(who), access_key_id=KEY_ID)

    assert who == claims.principal
    assert who.session == claims.session
    assert claims.secret == SECRET


def test_the_second_factor_is_carried() -> None:
    who = principal(mfa_serial=f"arn:aws:iam::{ACCOUNT}:mfa/phone", mfa_at=NOW)

    assert who == session_tokens.read(RING, mint(who), access_key_id=KEY_ID).principal


def test_who_took_on_a_root_user_is_carried_with_what_their_credential_rests_on() -> None:
    role = replace(
        principal(name="sue", issuing_key_id="AKIA", assumed_by="arn:aws:iam::210987654321:user/sue", assumed_by_id="AIDA"),
        kind=PrincipalKind.ROLE,
        account_id="210987654321",
    )
    who = replace(principal(assumed_root=True, taken_on_by=role), kind=PrincipalKind.ROOT, unique_id=ACCOUNT, name="")

    assert who == session_tokens.read(RING, mint(who), access_key_id=KEY_ID).principal


def test_a_token_presented_with_another_key_id_is_refused() -> None:
    with pytest.raises(session_tokens.InvalidToken):
        session_tokens.read(RING, mint(principal()), access_key_id=OTHER_KEY_ID)


def test_a_token_of_another_server_is_refused() -> None:
    other = Keyring([sealing.mint_key(b"o" * 32, made=NOW.date())])

    with pytest.raises(session_tokens.InvalidToken):
        session_tokens.read(RING, mint(principal(), other), access_key_id=KEY_ID)


@given(position=st.integers(min_value=0), bit=st.integers(min_value=0, max_value=7))
def test_a_tampered_token_is_refused(position: int, bit: int) -> None:
    blob = bytearray(base64.b64decode(mint(principal())))
    blob[position % len(blob)] ^= 1 << bit

    with pytest.raises(session_tokens.InvalidToken):
        session_tokens.read(RING, base64.b64encode(blob).decode(), access_key_id=KEY_ID)


@given(st.one_of(st.text(max_size=200), st.binary(max_size=300).map(lambda raw: base64.b64encode(raw).decode())))
def test_garbage_is_refused_with_one_error(garbage: str) -> None:
    with pytest.raises(session_tokens.InvalidToken, match=r"^the session token is invalid$"):
        session_tokens.read(RING, garbage, access_key_id=KEY_ID)


@given(st.binary(max_size=200))
def test_a_sealed_body_that_is_no_session_is_refused(body: bytes) -> None:
    context = sealing.context_of(KEY_ID)
    blob = sealing.seal(RING, body, purpose=sealing.Purpose.SESSION_TOKEN, context=context, nonce=os.urandom(24))

    with pytest.raises(session_tokens.InvalidToken):
        session_tokens.read(RING, base64.b64encode(blob).decode(), access_key_id=KEY_ID)


def test_an_endless_token_is_refused_unread() -> None:
    with pytest.raises(session_tokens.InvalidToken):
        session_tokens.read(RING, "A" * 10_000_000, access_key_id=KEY_ID)


def test_tokens_run_out_at_their_second() -> None:
    claims = session_tokens.read(RING, mint(principal()), access_key_id=KEY_ID)

    assert not claims.is_expired(NOW + timedelta(minutes=59, seconds=59))
    assert claims.is_expired(NOW + timedelta(hours=1))


def test_a_plain_token_is_as_short_as_awss_and_the_largest_session_fits() -> None:
    plain = mint(principal())
    tags = {f"{number:03}" + os.urandom(62).hex(): os.urandom(120).hex() for number in range(10)}
    largest = mint(principal(policies=(os.urandom(1024).hex(),), tags=tags))

    assert len(plain) < 300
    assert len(largest) < session_tokens.LONGEST
    assert session_tokens.read(RING, largest, access_key_id=KEY_ID).session.tags == tags


def test_only_sessions_of_the_keys_own_account_are_minted() -> None:
    foreign = Principal(PrincipalKind.ROOT, "999999999999", "999999999999", access_key_id=KEY_ID)

    with pytest.raises(ValueError, match="access key id of the principal's account"):
        mint(foreign)


def test_the_secret_is_not_shown() -> None:
    claims = session_tokens.read(RING, mint(principal()), access_key_id=KEY_ID)

    assert SECRET.reveal() not in repr(claims)
    assert Secret("x") != claims.secret
