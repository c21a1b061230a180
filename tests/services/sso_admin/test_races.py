"""Changes at the same moment on two nodes: whoever may take a permission set finds its role there."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Barrier

from tests.fixtures.crown import Crown, Crowns
from tests.fixtures.single_sign_on import SingleSignOn, reserved_roles, target

ROUNDS = 4


def test_an_assignment_made_while_the_last_one_ends_has_its_role(crowns: Crowns):
    one = crowns.shared("postgres")
    two = crowns.fresh("postgres", data=one.settings.data, database=one.settings.database)
    try:
        assert [True] * ROUNDS == rounds(one, two)
    finally:
        two.close()


def rounds(one: Crown, two: Crown) -> list[bool]:
    """Let the owner end the last assignment while a delegated administrator makes another, and tell whether the role is there."""
    sso = SingleSignOn(one)
    delegated, member = sso.organization.invited(), sso.organization.invited()
    found, ann, bob = sso.permission_set(), sso.user("ann"), sso.user("bob")
    organizations = sso.organization.client
    organizations.enable_aws_service_access(ServicePrincipal="sso.amazonaws.com")
    organizations.register_delegated_administrator(AccountId=delegated.id, ServicePrincipal="sso.amazonaws.com")
    delegate = two.session(delegated.created["admin"], "sso-admin")
    outcomes = []
    for _ in range(ROUNDS):
        sso.assign(found, member.id, user=ann)
        barrier = Barrier(2)
        ending = partial(sso.unassign, found, member.id, user=ann)
        making = partial(delegate.create_account_assignment, **found, **target(member.id, user=bob))
        with ThreadPoolExecutor(2) as threads:
            for ended in [threads.submit(at_the_barrier, barrier, each) for each in (ending, making)]:
                ended.result()
        outcomes.append(1 == len(reserved_roles(member.client("iam"))))
        sso.unassign(found, member.id, user=bob)
    return outcomes


def at_the_barrier(barrier: Barrier, change: Callable[[], object]) -> None:
    """Make a change as soon as the other one is about to be made."""
    barrier.wait()
    change()
