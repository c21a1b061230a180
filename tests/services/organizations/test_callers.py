"""Every operation says whose accounts may call it: one that doesn't is not registered at all."""

from __future__ import annotations

import pytest

from crownkeep.operations import registry
from crownkeep.operations.call import NOTHING, Call, Result
from crownkeep.services.organizations.callers import AllowedCaller
from crownkeep.services.organizations.service import OrganizationsService, organizations
from crownkeep.storage.organizations.organizations import OrganizationRow


def of_organization(call: Call, organization: OrganizationRow) -> Result:
    return NOTHING


def of_account(call: Call) -> Result:
    return NOTHING


def test_an_operation_without_a_declared_caller_is_not_registered():
    with pytest.raises(TypeError, match="caller"):
        organizations.operation("ListRoots", resource=registry.everything)  # type: ignore[call-arg]  # what the test is about


@pytest.mark.parametrize("caller", [each for each in AllowedCaller if each is not AllowedCaller.ANY_ACCOUNT])
def test_a_handler_that_takes_no_organization_is_not_registered_for_callers_that_have_one(caller: AllowedCaller):
    with pytest.raises(TypeError, match="differ about whether there is an organization"):
        organizations.operation("ListRoots", resource=registry.everything, caller=caller)(of_account)


def test_a_handler_that_takes_an_organization_is_not_registered_for_accounts_without_one():
    register = organizations.operation("ListRoots", resource=registry.everything, caller=AllowedCaller.ANY_ACCOUNT)

    with pytest.raises(TypeError, match="differ about whether there is an organization"):
        register(of_organization)


def test_no_operation_is_registered_past_the_declaration():
    service = registry.service("organizations")
    assert service is not None
    assert isinstance(organizations, OrganizationsService)
    without = {name for name in service.served() if (found := service.find(name)) and not hasattr(found.handler, "__wrapped__")}

    assert {
        "AcceptHandshake",
        "CancelHandshake",
        "CreateOrganization",
        "DeclineHandshake",
        "DescribeHandshake",
        "ListHandshakesForAccount",
    } == without
