"""All accounts of an organization: each audited as itself, and one that can't be entered stops no other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from tests.advisor.conftest import clients_of
from tests.fixtures.crown import Crowns
from tests.fixtures.organization import Organization

from crownkeep.advisor.check import CheckState
from crownkeep.advisor.member_audits import AuditedMember, MemberAudits, MemberEntry
from crownkeep.advisor.reader import Clients, NoAccount


@pytest.fixture(scope="module")
def organization(crowns: Crowns) -> Organization:
    """An organization with a member that it made, and one that was invited and has no role for it."""
    made = Organization(crowns.shared("sqlite"))
    made.client.enable_aws_service_access(ServicePrincipal="iam.amazonaws.com")
    made.management.client("iam").enable_organizations_root_credentials_management()
    made.created()
    made.invited()
    return made


class _Taken:
    def __init__(self, organization: Organization, credentials: Mapping[str, Any]) -> None:
        self._crown, self._credentials = organization.crown, credentials

    def client(self, service: str, **options: Any) -> Any:
        return self._crown.session(self._credentials, service, **options)


def _audit(organization: Organization, entry: MemberEntry) -> dict[str, AuditedMember]:
    def session(credentials: Mapping[str, Any]) -> Clients:
        return clients_of(_Taken(organization, credentials))

    found = MemberAudits(clients_of(organization.management), session, entry).audit()
    return {each.account_id: each for each in found}


def test_members_are_audited_by_their_role_and_who_has_none_is_told(organization: Organization):
    found = _audit(organization, MemberEntry.ROLE)

    audited = {account_id for account_id, each in found.items() if each.report is not None}
    (closed,) = found.keys() - audited
    assert (3, 2, True) == (len(found), len(audited), organization.management.id in audited)
    assert "AssumeRole" in found[closed].reason
    assert {account_id: account_id for account_id in audited} == {
        account_id: each.report.account_id for account_id, each in found.items() if each.report is not None
    }


def test_as_root_for_the_audit_task_members_roots_are_known_and_the_rest_is_unknown_but_never_a_pass(organization: Organization):
    found = _audit(organization, MemberEntry.ROOT)

    for account_id, each in found.items():
        assert each.report is not None, each.reason
        states = {one.check.name: one.state for one in each.report.findings}
        if account_id != organization.management.id:
            assert CheckState.UNKNOWN is not states["root-access-keys"]
            assert CheckState.UNKNOWN is states["administrator-exists"]


def test_an_account_in_no_organization_has_no_accounts_to_audit(crowns: Crowns):
    account = crowns.shared("sqlite").account()

    with pytest.raises(NoAccount, match="no organization"):
        MemberAudits(clients_of(account), lambda _: clients_of(account)).audit()
