"""An organization's tree as the queries see it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crownkeep.storage import purge
from crownkeep.storage.accounts import accounts
from crownkeep.storage.accounts.accounts import AccountRow
from crownkeep.storage.database import Database, Transaction
from crownkeep.storage.organizations import organization_accounts, organizational_units, organizations
from crownkeep.storage.organizations.organization_accounts import MemberRow
from crownkeep.storage.organizations.organizational_units import UnitRow
from crownkeep.storage.organizations.organizations import OrganizationRow

NOW = datetime(2026, 11, 24, tzinfo=UTC)
MANAGEMENT, MEMBER, DEEP, STRANGER = "111111111111", "222222222222", "333333333333", "444444444444"
ORGANIZATION, ROOT = "o-abcdefghij", "r-ab12"
UNITS = [f"ou-ab12-0000000{number}" for number in range(1, 6)]


@pytest.fixture
def populated(database: Database) -> Database:
    """A management account and a member at the root, a member under five units, and a stranger."""
    with database.transaction() as db:
        for account_id in (MANAGEMENT, MEMBER, DEEP, STRANGER):
            _account(db, account_id)
        organizations.add(db, OrganizationRow(ORGANIZATION, MANAGEMENT, "ALL", ROOT, NOW))
        for above, unit in zip([ROOT, *UNITS], UNITS, strict=False):
            organizational_units.add(db, UnitRow(unit, ORGANIZATION, MANAGEMENT, above, unit, unit, NOW))
        for account_id, parent in ((MANAGEMENT, ROOT), (MEMBER, ROOT), (DEEP, UNITS[-1])):
            organization_accounts.add(db, MemberRow(account_id, ORGANIZATION, MANAGEMENT, parent, "INVITED", NOW))
    return database


def _account(db: Transaction, account_id: str) -> None:
    email = f"{account_id}@test.example"
    accounts.add(db, AccountRow(account_id, "test", email, email, "ACTIVE", NOW, None, 7, None, None, None, 0))


def test_the_ancestry_of_an_account_leads_from_the_root_through_every_unit_to_itself(populated: Database) -> None:
    with populated.snapshot() as db:
        deep = organizational_units.ancestry(db, DEEP)
        shallow = organizational_units.ancestry(db, MEMBER)

    assert [ROOT, *UNITS, DEEP] == deep
    assert [ROOT, MEMBER] == shallow


def test_an_account_in_no_organization_has_no_ancestry(populated: Database) -> None:
    with populated.snapshot() as db:
        way = organizational_units.ancestry(db, STRANGER)

    assert way == []


def test_the_way_to_a_unit_ends_with_it_and_the_way_to_the_root_is_the_root(populated: Database) -> None:
    with populated.snapshot() as db:
        third = organizational_units.way_to(db, ORGANIZATION, UNITS[2])
        root = organizational_units.way_to(db, ORGANIZATION, ROOT)

    assert [ROOT, *UNITS[:3]] == third
    assert [ROOT] == root


def test_touching_the_members_gives_each_a_fresh_revision_and_strangers_none(populated: Database) -> None:
    with populated.transaction() as db:
        organizations.touch_members(db, ORGANIZATION, 99)
        found = {each: accounts.revision(db, each) for each in (MANAGEMENT, MEMBER, DEEP, STRANGER)}

    assert {MANAGEMENT: 99, MEMBER: 99, DEEP: 99, STRANGER: 7} == found


def test_accounts_are_paged_by_their_ids_with_the_accounts_themselves(populated: Database) -> None:
    with populated.snapshot() as db:
        page = organization_accounts.page(db, ORGANIZATION, after=MANAGEMENT, limit=1)
        under = organization_accounts.page_under(db, ORGANIZATION, ROOT, after="", limit=10)

    assert [(MEMBER, f"{MEMBER}@test.example")] == [(each.member.account_id, each.account.email) for each in page]
    assert [MANAGEMENT, MEMBER] == [each.account.account_id for each in under]


def test_purging_the_management_account_leaves_nothing_of_its_organization(populated: Database) -> None:
    with populated.transaction() as db:
        purge.purge(db, MEMBER)
        purge.purge(db, DEEP)
        purge.purge(db, MANAGEMENT)
        left = (organizations.with_id(db, ORGANIZATION), organizational_units.count(db, ORGANIZATION))
        members = organization_accounts.count(db, ORGANIZATION)

    assert (None, 0) == left
    assert members == 0


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.integers(0, 9), min_size=1, max_size=10))
def test_the_ways_of_every_unit_are_those_that_its_parents_give(populated: Database, parents: list[int]) -> None:
    # The number of each unit's parent among those before it; too high a number means the root.
    organization = "o-" + "".join(map(str, parents)).ljust(10, "x")
    units = [f"ou-zz99-{number:08}" for number in range(len(parents))]
    above = {unit: units[at] if at < number else ROOT for number, (unit, at) in enumerate(zip(units, parents, strict=True))}

    with populated.transaction() as db:
        organizational_units.remove_all(db, organization)
        for unit, parent in above.items():
            organizational_units.add(db, UnitRow(unit, organization, STRANGER, parent, unit, unit, NOW))
        ways = organizational_units.ways_to(db, organization, [ROOT, *units])

    assert {entity: way_by_hand(above, entity) for entity in [ROOT, *units]} == ways


def way_by_hand(above: dict[str, str], entity: str) -> list[str]:
    """Climb from one parent to the next."""
    way = [entity]
    while way[0] != ROOT:
        way.insert(0, above[way[0]])
    return way
