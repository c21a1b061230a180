"""An operator who raises what Argon2 costs: old hashes follow at the next sign-in, and nobody is signed out by that."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from tests.fixtures.browsing import Browser
from tests.fixtures.crown import DATABASES, Account, Crown, Crowns
from tests.signin import people
from tests.signin.browser import in_house, signed_in
from tests.signin.command_line import CommandLine
from tests.signin.people import PASSWORD, choose_root_password, sign_in_events, sign_in_root, sign_in_user, user_with_password
from tests.signin.test_races import at_once

from crownkeep.credentials import passwords
from crownkeep.credentials.passwords import Cost
from crownkeep.credentials.secret import Secret
from crownkeep.principals import Principal, PrincipalKind
from crownkeep.signin import people as persons
from crownkeep.signin.people import Credentials
from crownkeep.storage.credentials import login_profiles
from crownkeep.storage.database import Transaction
from crownkeep.storage.writer import Commit

OLD, NEW = Cost(8, 1, 1), Cost(16, 2, 1)


@pytest.fixture(scope="module", params=DATABASES)
def raised(request: pytest.FixtureRequest, crowns: Crowns) -> Iterator[tuple[Crown, Crown]]:
    """A server as it was, and one on the same database with the raised cost."""
    before = crowns.fresh(request.param, sign_in_attempts=50)
    shared = {"data": before.settings.data, "database": before.settings.database, "sign_in_attempts": 50}
    after = crowns.fresh(request.param, argon2_memory_kib=NEW.memory_kib, argon2_iterations=NEW.passes, **shared)
    yield before, after
    after.close()
    before.close()


def test_a_raised_cost_reaches_the_hash_of_a_user_at_its_next_sign_in(raised: tuple[Crown, Crown]):
    account = raised[0].account()
    user_with_password(account)
    old = of_user(account)

    failed = sign_in_user(Browser(raised[1]), account.id, "bob", "wrong")
    page = sign_in_user(Browser(raised[1]), account.id, "bob")

    new = of_user(account)
    assert (403, "Console home") == (failed.status, page.title)
    assert (True, False) == (passwords.needs_rehash(hash_of(old), NEW), passwords.needs_rehash(hash_of(new), NEW))
    assert passwords.verify(Secret(PASSWORD), hash_of(new))
    assert replace(old, password_hash=new.password_hash) == new
    assert (hash_of(new),) == in_house(raised[0], lambda db: Commit(profile_of(db, account).history, []))
    assert "Console home" == sign_in_user(Browser(raised[1]), account.id, "bob").title


def test_a_node_with_a_lower_cost_leaves_a_hash_as_dear_as_it_is(raised: tuple[Crown, Crown]):
    account = raised[0].account()
    user_with_password(account)
    sign_in_user(Browser(raised[1]), account.id, "bob")
    dear = hash_of(of_user(account))

    pages = [sign_in_user(Browser(each), account.id, "bob") for each in raised]

    assert (["Console home"] * 2, dear) == ([page.title for page in pages], hash_of(of_user(account)))


def test_a_raised_cost_reaches_the_hash_of_root_at_its_next_sign_in(raised: tuple[Crown, Crown]):
    account = raised[0].account()
    browser = Browser(raised[0])
    choose_root_password(browser, account)
    people.enrol_app(browser)
    old = of_root(account)

    page = sign_in_root(Browser(raised[1]), account)

    new = of_root(account)
    assert "Multi-factor authentication" == page.title
    assert (False, old.version) == (passwords.needs_rehash(hash_of(new), NEW), new.version)
    assert "Console home" == browser.get("/console").title


def test_sessions_and_grants_of_command_lines_outlive_a_raised_cost(raised: tuple[Crown, Crown]):
    account = raised[0].account()
    user_with_password(account)
    account.client("iam").attach_user_policy(UserName="bob", PolicyArn="arn:aws:iam::aws:policy/SignInLocalDevelopmentAccess")
    browser, line = signed_in(account, user="bob"), CommandLine(raised[0])
    granted = line.sign_in(browser)

    sign_in_user(Browser(raised[1]), account.id, "bob")

    assert not passwords.needs_rehash(hash_of(of_user(account)), NEW)
    assert "Console home" in browser.get("/console").text
    assert 200 == line.refresh(granted["refreshToken"]).status


def test_many_who_sign_in_at_once_all_arrive_when_the_cost_was_raised(raised: tuple[Crown, Crown]):
    account = raised[0].account()
    user_with_password(account)

    pages = at_once([lambda each=each: sign_in_user(Browser(each), account.id, "bob") for each in raised * 3])

    assert ["Console home"] * 6 == [page.title for page in pages]
    assert [] == [
        each for each in sign_in_events(account, "ConsoleLogin") if each["responseElements"]["ConsoleLogin"] != "Success"
    ]


def test_a_password_of_before_a_raised_cost_is_still_remembered_and_a_changed_one_ends_sessions(raised: tuple[Crown, Crown]):
    account = raised[0].account()
    user_with_password(account)
    account.client("iam").update_account_password_policy(PasswordReusePrevention=2, AllowUsersToChangePassword=True)
    browser = Browser(raised[1])
    sign_in_user(browser, account.id, "bob")
    iam = raised[1].session(account.created["admin"], "iam")

    with pytest.raises(iam.exceptions.PasswordPolicyViolationException):
        iam.update_login_profile(UserName="bob", Password=PASSWORD)
    iam.update_login_profile(UserName="bob", Password=f"{PASSWORD}9")

    assert "Sign in" == browser.get("/console").title


def test_a_hash_that_was_renewed_late_leaves_a_changed_password_alone(raised: tuple[Crown, Crown]):
    account = raised[0].account()
    user_with_password(account)
    old = hash_of(of_user(account))
    account.client("iam").update_login_profile(UserName="bob", Password=f"{PASSWORD}9")
    changed = of_user(account)

    def late(db: Transaction) -> Commit[None]:
        persons.renew_hash(db, bob(db, account), old=old, new="late")
        return Commit(None, [])

    in_house(raised[0], late)

    assert changed == of_user(account)


def bob(db: Transaction, account: Account) -> Principal:
    """Return the user bob."""
    found = persons.user_named(db, account.id, "bob")
    assert found is not None
    return found


def profile_of(db: Transaction, account: Account) -> Any:
    """Return bob's login profile."""
    return login_profiles.of_user(db, account.id, bob(db, account).unique_id)


def of_user(account: Account) -> Credentials:
    """Return what bob has to sign in with."""
    found: Credentials = in_house(account.crown, lambda db: Commit(persons.credentials(db, bob(db, account)), []))
    return found


def of_root(account: Account) -> Credentials:
    """Return what root has to sign in with."""
    root = Principal(PrincipalKind.ROOT, account.id, account.id)
    found: Credentials = in_house(account.crown, lambda db: Commit(persons.credentials(db, root), []))
    return found


def hash_of(found: Credentials) -> str:
    """Return a person's hash, which there is."""
    assert found.password_hash is not None
    return found.password_hash
