"""Password rules: AWS's default, an account's own, root's, and when passwords expire."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crownkeep.credentials import password_policy
from crownkeep.credentials.password_policy import PasswordPolicy, PasswordStanding
from crownkeep.credentials.secret import Secret

SET_AT = datetime(2026, 1, 1, tzinfo=UTC)
STRICT = PasswordPolicy(
    minimum_password_length=12,
    require_symbols=True,
    require_numbers=True,
    require_uppercase_characters=True,
    require_lowercase_characters=True,
)


def violations(password: str, policy: PasswordPolicy | None = None) -> tuple[str, ...]:
    return password_policy.violations(
        Secret(password), policy, account_name="Acme-Prod-1", email="Root1@acme.example", user_name="Alice-2026"
    )


def root_violations(password: str) -> tuple[str, ...]:
    return password_policy.root_violations(Secret(password), account_name="Acme-Prod-1", email="Root1@acme.example")


@pytest.mark.parametrize("password", ["Abcdefg1", "abcdefg1!", "ABCDEFG1!", "Abcdefgh!", "Aa1!" + "é" * 20])
def test_three_of_four_classes_satisfy_the_default(password: str) -> None:
    assert violations(password) == ()


def test_the_default_speaks_in_awss_words() -> None:
    assert violations("Ab1") == ("Password should have a minimum length of 8",)
    assert ", ".join(violations("abcdefg1")) == (
        "Password should meet 1 more of the following requirements: Password should have at least one uppercase "
        "letter, Password should have at least one symbol"
    )
    assert ", ".join(violations("abcdefgh")) == (
        "Password should meet 2 more of the following requirements: Password should have at least one uppercase "
        "letter, Password should have at least one number, Password should have at least one symbol"
    )


def test_a_policy_names_each_rule_that_is_broken() -> None:
    assert violations("       ", STRICT) == (
        "Password should have a minimum length of 12",
        "Password should have at least one uppercase letter",
        "Password should have at least one lowercase letter",
        "Password should have at least one number",
        "Password should have at least one symbol",
    )
    assert violations("Correct-horse-7", STRICT) == ()


def test_a_lenient_policy_replaces_the_default_wholly() -> None:
    assert violations("aaaaaa", PasswordPolicy()) == ()
    assert violations("aaaaa", PasswordPolicy()) == ("Password should have a minimum length of 6",)


@pytest.mark.parametrize("password", ["Abcdefg1" * 16 + "x", "A1!" * 50])
def test_nobody_may_have_a_password_of_more_than_128_characters(password: str) -> None:
    assert violations(password) == ("Password should have a maximum length of 128",)
    assert violations(password, PasswordPolicy()) == ("Password should have a maximum length of 128",)
    assert root_violations(password) == ("Password should have a maximum length of 128",)


@pytest.mark.parametrize("password", ["acme-prod-1", "ROOT1@ACME.EXAMPLE", "alice-2026"])
def test_names_are_no_passwords_whatever_their_case(password: str) -> None:
    assert violations(password, PasswordPolicy()) == (
        "Password should not be the same as the account name, email address or user name",
    )


def test_roots_rules_hold_whatever_the_accounts_policy_and_know_its_own_symbols() -> None:
    assert root_violations("abcdefg<A") == ()
    assert root_violations("abcdefg1") != ()
    assert root_violations("abcdefg'A") != ()
    assert root_violations("Acme-Prod-1") == ("Password should not be the same as the account name, email address or user name",)


@pytest.mark.parametrize("character", list('/\\.,;:"`~? é'))
def test_characters_beyond_awss_list_are_no_symbols(character: str) -> None:
    assert "Password should have at least one symbol" in violations(f"Abcdefghij1{character}", STRICT)


@given(st.text(max_size=140))
def test_a_longer_password_of_all_classes_never_breaks_more_rules(password: str) -> None:
    improved = password + "Aa1!"

    before = set(violations(password, STRICT)) - {"Password should have a maximum length of 128"}
    after = set(violations(improved, STRICT)) - {"Password should have a maximum length of 128"}

    assert after <= before


def test_without_an_age_passwords_never_expire() -> None:
    far = SET_AT + timedelta(days=100_000)

    assert password_policy.expires_at(None, SET_AT) is None
    assert password_policy.expires_at(PasswordPolicy(), SET_AT) is None
    assert password_policy.standing(None, SET_AT, now=far) is PasswordStanding.CURRENT
    assert not PasswordPolicy().expire_passwords


@pytest.mark.parametrize(
    ("days", "soft", "hard"),
    [
        (0, PasswordStanding.CURRENT, PasswordStanding.CURRENT),
        (74, PasswordStanding.CURRENT, PasswordStanding.CURRENT),
        (75, PasswordStanding.EXPIRES_SOON, PasswordStanding.EXPIRES_SOON),
        (89, PasswordStanding.EXPIRES_SOON, PasswordStanding.EXPIRES_SOON),
        (90, PasswordStanding.MUST_CHANGE, PasswordStanding.MUST_BE_RESET),
        (1000, PasswordStanding.MUST_CHANGE, PasswordStanding.MUST_BE_RESET),
    ],
)
def test_a_password_of_ninety_days_is_warned_about_for_fifteen_and_then_expires(
    days: int, soft: PasswordStanding, hard: PasswordStanding
) -> None:
    now = SET_AT + timedelta(days=days)

    assert password_policy.standing(PasswordPolicy(max_password_age=90), SET_AT, now=now) is soft
    assert password_policy.standing(PasswordPolicy(max_password_age=90, hard_expiry=True), SET_AT, now=now) is hard
