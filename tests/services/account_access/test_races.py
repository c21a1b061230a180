"""Changes at the same moment on two nodes: what is made while account access ends is not there when it is enabled again."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Event

import pytest
from botocore.exceptions import ClientError
from tests.fixtures.crown import Crowns
from tests.services.account_access.test_entitlements import SERVICE, Entitled

from crownkeep.domain.single_sign_on import assignments
from crownkeep.operations.call import Call
from crownkeep.storage.single_sign_on.instances import InstanceRow


def test_an_entitlement_made_while_account_access_ends_is_not_there_when_it_is_enabled_again(
    crowns: Crowns, monkeypatch: pytest.MonkeyPatch
):
    one = crowns.shared("postgres")
    two = crowns.fresh("postgres", data=one.settings.data, database=one.settings.database)
    try:
        entitled = Entitled(one)
        organizations = entitled.sso.organization.client
        organizations.enable_aws_service_access(ServicePrincipal=SERVICE)
        organizations.register_delegated_administrator(AccountId=entitled.member.id, ServicePrincipal=SERVICE)
        beside = two.session(entitled.member.created["admin"], "account-access")
        hold, has_read, has_ended = assignments.hold, Event(), Event()

        def slow(call: Call, instance: InstanceRow) -> None:
            has_read.set()
            has_ended.wait(60)
            hold(call, instance)

        monkeypatch.setattr(assignments, "hold", slow)
        with ThreadPoolExecutor(1) as threads:
            made = threads.submit(partial(entitled.entitle, access=beside))
            assert has_read.wait(60)
            entitled.access.delete_application(**entitled.application)
            has_ended.set()
            refused = isinstance(made.exception(), ClientError)
        monkeypatch.setattr(assignments, "hold", hold)

        source = {"identityCenter": {"instanceArn": entitled.sso.arn}}
        again = entitled.access.create_application(identitySource=source)["applicationArn"]
        left = entitled.access.list_entitlements(applicationArn=again, filter={})["entitlements"]
        assert (True, []) == (refused, left)
    finally:
        two.close()
