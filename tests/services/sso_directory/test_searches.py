"""People found by part of a name, and assignments by what they are about, each page in a fixed number of queries."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError
from tests.fixtures.single_sign_on import SingleSignOn, document

from crownkeep.operations.registry import Mode
from crownkeep.services.sso_directory.service import sso_directory


def test_people_are_found_by_part_of_a_name_a_page_at_a_time(sso: SingleSignOn):
    ids = [sso.user(name, Emails=[{"Value": f"{name}@people.example", "Primary": True}]) for name in ("ann", "Anna", "b_n", "bx")]
    sso.group("ops", ids[0], ids[1])
    directory = sso.management.client("sso-directory")

    first = directory.search_users(**sso.store, Query="AN", MaxResults=1)
    second = directory.search_users(**sso.store, Query="AN", MaxResults=1, NextToken=first["NextToken"])
    underscore = directory.search_users(**sso.store, Query="b_n")["Users"]
    by_display = directory.search_users(**sso.store, Query="anna Exam")["Users"]

    assert ["ann", "Anna"] == [each["Users"][0]["UserName"] for each in (first, second)]
    assert "NextToken" not in second
    assert (1, 0, False, "ENABLED") == tuple(first["Users"][0][n] for n in ("Groups", "MfaDevices", "HasPassword", "UserStatus"))
    assert ["b_n"] == [each["UserName"] for each in underscore]
    assert ["Anna"] == [each["UserName"] for each in by_display]


def test_assignments_are_found_by_what_they_are_about_and_by_whether_they_give_administrator(sso: SingleSignOn):
    members = sorted([sso.organization.invited(), sso.organization.invited()], key=lambda each: each.id)
    ann = sso.user("ann")
    ops = sso.group("ops", ann)
    readers, rulers = sso.permission_set("ReadOnlyAccess", Name="Readers"), sso.permission_set("AdministratorAccess")
    inline, bounded = sso.permission_set(Name="Inline"), sso.permission_set("AdministratorAccess", Name="Bounded")
    sso.admin.put_inline_policy_to_permission_set(**inline, InlinePolicy=document("iam:*"))
    read = {"ManagedPolicyArn": "arn:aws:iam::aws:policy/ReadOnlyAccess"}
    sso.admin.put_permissions_boundary_to_permission_set(**bounded, PermissionsBoundary=read)
    for each in (readers, rulers, inline, bounded):
        sso.assign(each, members[0].id, group=ops)
    sso.assign(readers, members[1].id, user=ann)
    directory = sso.management.client("sso-directory")

    def names(**chosen: object) -> list[tuple[str, str]]:
        found = directory.search_account_assignments(**sso.store, **chosen)["AccountAssignments"]
        return sorted((each["PermissionSetName"], each["PrincipalName"]) for each in found)

    assert 5 == len(names())
    assert [("Readers", "ann")] == names(AccountId=members[1].id)
    assert 5 == len(names(PrincipalId=ann))
    assert [("Readers", "ann"), ("Readers", "ops")] == names(PermissionSetArn=readers["PermissionSetArn"])
    assert {"Inline"} | {n for n, _ in names(PermissionSetArn=rulers["PermissionSetArn"])} == {
        n for n, _ in names(AdministratorsOnly=True)
    }
    first = directory.search_account_assignments(**sso.store, MaxResults=4)
    rest = directory.search_account_assignments(**sso.store, MaxResults=4, NextToken=first["NextToken"])
    assert 5 == len({str(each) for each in first["AccountAssignments"] + rest["AccountAssignments"]})


def test_nobody_searches_the_directory_of_another_organization(sso: SingleSignOn):
    stranger = sso.organization.invited().client("sso-directory")

    with pytest.raises(ClientError, match="IDENTITY_STORE not found"):
        stranger.search_users(**sso.store, Query="a")
    with pytest.raises(ClientError, match="IDENTITY_STORE not found"):
        stranger.search_account_assignments(**sso.store)


@pytest.mark.parametrize("name", ["SearchUsers", "SearchAccountAssignments", "SearchPermissionSets"])
def test_denial_of_service_whoever_has_many_people_and_permission_sets_searches_apart_from_everybody_else(name: str):
    """Thousands of policies that nobody has compiled yet, or a hundred thousand people, took the event loop for seconds."""
    operation = sso_directory.find(name)

    assert operation is not None
    assert Mode.LONG_READ is operation.mode
