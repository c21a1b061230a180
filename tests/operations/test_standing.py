"""What an account's callers may do now: cached under its revision, and void as soon as what it rests on is gone."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from tests.fixtures.crown import Account
from tests.operations.inside import Inside, opened, session

from crownkeep import errors
from crownkeep.principals import Anonymous, Principal, PrincipalKind


@pytest.fixture
def inside(account: Account) -> Iterator[Inside]:
    """The door's view of a fresh account."""
    with opened(account) as found:
        yield found


def vouch(inside: Inside, principal: Principal) -> Principal:
    with inside.database.snapshot() as db:
        return inside.wiring.standings.of(db, principal).vouch(db, principal)


def standing(inside: Inside, account_id: str) -> Any:
    with inside.database.snapshot() as db:
        return inside.wiring.standings.of_account(db, account_id)


def is_void(inside: Inside, principal: Principal) -> bool:
    try:
        vouch(inside, principal)
    except errors.InvalidClientTokenId:
        return True
    return False


# What is cached, and for how long.


def test_a_standing_lasts_as_long_as_the_accounts_revision(inside: Inside):
    iam = inside.account.client("iam")
    iam.create_user(UserName="bob")
    before = standing(inside, inside.account.id)
    iam.list_users()
    unchanged = standing(inside, inside.account.id)

    iam.attach_user_policy(UserName="bob", PolicyArn="arn:aws:iam::aws:policy/ReadOnlyAccess")

    assert before is unchanged
    assert before is not standing(inside, inside.account.id)


def test_an_account_that_is_not_there_has_no_standing_and_leaves_none_behind(inside: Inside):
    assert standing(inside, inside.account.id) is not None
    inside.account.crown.operator("POST", f"/accounts/{inside.account.id}/close")
    inside.account.crown.operator("DELETE", f"/accounts/{inside.account.id}")

    assert standing(inside, inside.account.id) is None
    assert 0 == inside.wiring.standings.bytes


def test_nobody_has_the_standing_of_no_account(inside: Inside):
    with inside.database.snapshot() as db:
        found = inside.wiring.standings.of(db, Anonymous())

        assert ("", None, "", None) == (found.account_id, found.account(db), found.alias(db), found.membership(db))
        assert not found.is_active(db)


def test_root_and_a_federated_user_of_root_do_not_share_permissions(inside: Inside):
    federated = Principal(PrincipalKind.FEDERATED_USER, inside.account.id, inside.account.id, session=session(name="ann"))

    with inside.database.snapshot() as db:
        found = inside.wiring.standings.of(db, federated)

        assert found.permissions(db, inside.root) is not found.permissions(db, federated)
        assert found.permissions(db, inside.root) is found.permissions(db, inside.root)


# What a credential rests on.


def test_a_key_of_another_account_is_no_key_of_this_one(inside: Inside):
    other = inside.account.crown.account()

    with inside.database.snapshot() as db:
        found = inside.wiring.standings.of_account(db, inside.account.id)

        assert found is not None
        assert found.signing_key(db, inside.account.created["admin"]["access_key_id"]) is not None
        assert found.signing_key(db, other.created["admin"]["access_key_id"]) is None


def _delete_key(account: Account, key_id: str) -> None:
    account.client("iam").delete_access_key(UserName="bob", AccessKeyId=key_id)


def _switch_off(account: Account, key_id: str) -> None:
    account.client("iam").update_access_key(UserName="bob", AccessKeyId=key_id, Status="Inactive")


@pytest.mark.parametrize("end", [_delete_key, _switch_off])
def test_a_session_dies_with_the_key_that_asked_for_it(inside: Inside, end: Callable[[Account, str], None]):
    key_id = inside.account.user("bob").credentials.access_key_id
    bob = inside.user("bob", session=session(issuing_key_id=key_id))
    by_console = inside.user("bob", session=session(from_console=True))
    assert not is_void(inside, bob)

    end(inside.account, key_id)

    assert (True, False) == (is_void(inside, bob), is_void(inside, by_console))


def test_somebody_elses_key_does_not_keep_a_session_alive(inside: Inside):
    other = inside.account.user("eve").credentials.access_key_id
    inside.account.user("bob")

    assert is_void(inside, inside.user("bob", session=session(issuing_key_id=other)))


def test_a_session_dies_with_its_user_and_a_namesake_does_not_revive_it(inside: Inside):
    iam = inside.account.client("iam")
    iam.create_user(UserName="bob")
    bob = inside.user("bob", session=session(from_console=True))
    assert not is_void(inside, bob)

    iam.delete_user(UserName="bob")
    iam.create_user(UserName="bob")

    assert is_void(inside, bob)


def test_a_user_who_was_renamed_is_known_by_the_new_name(inside: Inside):
    iam = inside.account.client("iam")
    iam.create_user(UserName="bob")
    bob = inside.user("bob", session=session(from_console=True))

    iam.update_user(UserName="bob", NewUserName="robert", NewPath="/team/")

    assert ("robert", "/team/", bob.unique_id) == ((now := vouch(inside, bob)).name, now.path, now.unique_id)


def test_a_roles_session_dies_once_the_trust_policy_names_its_taker_no_more(inside: Inside):
    iam = inside.account.client("iam")
    for name in ("bob", "eve"):
        iam.create_user(UserName=name)
    bob, eve = inside.user("bob"), inside.user("eve")
    role = iam.create_role(RoleName="guest", AssumeRolePolicyDocument=_trusting(bob.arn))["Role"]
    taken = session(name="visit", assumed_by=bob.arn, assumed_by_id=bob.unique_id)
    principal = Principal(PrincipalKind.ROLE, inside.account.id, role["RoleId"], "guest", session=taken)
    assert not is_void(inside, principal)

    iam.update_assume_role_policy(RoleName="guest", PolicyDocument=_trusting(eve.arn))

    assert is_void(inside, principal)


def test_a_session_older_than_the_account_is_that_of_a_purged_accounts_root(inside: Inside):
    began = session(from_console=True)
    former = replace(began, issued_at=began.issued_at - timedelta(days=1))

    assert not is_void(inside, replace(inside.root, session=began))
    assert is_void(inside, replace(inside.root, session=former))


def test_nothing_of_a_closed_account_may_sign(inside: Inside):
    inside.account.user("bob")
    bob = inside.user("bob")
    assert not is_void(inside, bob)

    inside.account.crown.operator("POST", f"/accounts/{inside.account.id}/close")

    assert (True, True) == (is_void(inside, bob), is_void(inside, inside.root))


def _trusting(arn: str) -> str:
    statement = {"Effect": "Allow", "Principal": {"AWS": arn}, "Action": "sts:AssumeRole"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})
