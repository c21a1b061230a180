"""One-time links: only their hash is kept, and it holds for one purpose, one use and a while."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crownkeep.credentials import one_time_links
from crownkeep.credentials.one_time_links import LIFETIMES, InvalidLink, LinkPurpose

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


@given(purpose=st.sampled_from(LinkPurpose), random=st.binary(min_size=32, max_size=32))
def test_a_minted_link_is_found_by_its_token(purpose: LinkPurpose, random: bytes) -> None:
    link = one_time_links.mint(purpose, random, now=NOW)

    assert one_time_links.digest_of(link.token.reveal(), purpose) == link.digest
    assert link.expires_at == NOW + LIFETIMES[purpose]


def test_a_link_reused_for_another_purpose_is_not_found() -> None:
    link = one_time_links.mint(LinkPurpose.SET_ROOT_PASSWORD, bytes(32), now=NOW)

    found = {one_time_links.digest_of(link.token.reveal(), purpose) for purpose in LinkPurpose}

    assert len(found) == len(LinkPurpose)


@given(st.text(max_size=60))
def test_what_was_never_a_token_is_refused(text: str) -> None:
    try:
        one_time_links.digest_of(text, LinkPurpose.RECOVER_MFA)
    except InvalidLink:
        return

    assert len(text) == 43


@pytest.mark.parametrize("token", ["", "A" * 42, "A" * 44, "A" * 42 + "\n", "A" * 42 + "+", "Ａ" * 43])
def test_hostile_tokens_are_refused(token: str) -> None:
    with pytest.raises(InvalidLink):
        one_time_links.digest_of(token, LinkPurpose.SET_ROOT_PASSWORD)


def test_a_link_reused_or_past_its_time_is_refused() -> None:
    later = NOW + timedelta(hours=1)

    one_time_links.check(expires_at=later, spent_at=None, now=NOW)
    with pytest.raises(InvalidLink):
        one_time_links.check(expires_at=later, spent_at=NOW, now=NOW)
    with pytest.raises(InvalidLink):
        one_time_links.check(expires_at=later, spent_at=None, now=later)


def test_the_token_is_not_shown_and_not_stored() -> None:
    link = one_time_links.mint(LinkPurpose.CHANGE_EMAIL, b"\x01" * 32, now=NOW)

    assert link.token.reveal() not in repr(link)
    assert link.token.reveal().encode() not in link.digest


def test_every_purpose_has_a_lifetime() -> None:
    assert set(LIFETIMES) == set(LinkPurpose)


def test_too_few_random_bytes_are_refused() -> None:
    with pytest.raises(ValueError, match="32 random bytes"):
        one_time_links.mint(LinkPurpose.RECOVER_MFA, bytes(16), now=NOW)
