"""What an action is done to is what AWS's service authorization reference says: an ARN of one of its types, or no resource."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import pytest
from botocore import xform_name
from botocore.exceptions import ClientError
from tests.fixtures.crown import Account, Crowns
from tests.house import valid
from tests.house.test_operations import OPERATIONS

from crownkeep.catalogue import actions
from crownkeep.operations import authorize
from crownkeep.operations.call import Call
from crownkeep.operations.registry import Operation, Permission, Target
from crownkeep.policy import Decision
from crownkeep.policy.globs import arn_holds
from crownkeep.principals import Principal

AUTHORISED = {
    f"{operation.service.name}:{operation.name}": operation
    for operation in OPERATIONS
    if operation.model.auth != "none" and operation.permission is not Permission.NONE
}
NOT_YET_PUBLISHED = {
    "iam:AcquireRole",
    "iam:UpdateDelegationRequest",
    "iam:UpdateOpenIDConnectProvider",
    "sts:GetScopedCredentials",
}
"""Actions of the service models that the service authorization reference doesn't list yet."""

KEYS_NOT_YET_PUBLISHED = {
    "iam:enableidentitycenterassociation",
    "iam:enableidentitypropagation",
    "iam:requestidentityproviderissuers",
    "sts:subjectmode",
}
"""Condition keys that the models' documentation names and the reference doesn't list yet, in lower case."""

OF_SESSIONS_ALONE = {"sts:GetScopedCredentials"}
"""Refused to a user's own key before anything is decided."""

OF_ROOT_ITSELF = {"account-security:AcceptRootEmailUpdate", "account-security:StartRootEmailUpdate"}
"""What the reference lists for members of organizations only, root does to its own account (`arn:aws:account::ID:account`)."""

COLLECTION = re.compile(r"arn:aws:[a-z-]+:[a-z0-9-]*:\d{12}:(?:[a-z-]+/)?\*?")
"""What refusals name where a policy must say `*`: all that the account has of a kind, `arn:aws:iam::123456789012:user/`."""

FINER = re.compile(
    r"arn:aws:(?:(?:approvals::\d{12}:request|identitystore::\d{12}:identitystore|identitystore:::user)/[0-9a-f-]{32,36}"
    r"|iam::\d{12}:user/powerless)"
)
"""What is named although the reference, or our own list of actions, knows no type: requests, people, and whoever asks."""


@dataclass(frozen=True, slots=True)
class Asker:
    """A user whom no policy allows anything, and what was decided about him."""

    account: Account
    user: Any
    targets: list[tuple[str, Target]]

    def target(self, operation: Operation, resource_arn: str) -> Target:
        """Return what the operation is done to, by the first decision about it, where every ARN it is given is this one."""
        self.targets.clear()
        client = self.user.client(operation.service.name, parameter_validation=False)
        with suppress(ClientError):
            getattr(client, xform_name(operation.name))(**self.parameters(operation, resource_arn))
        return next(target for action, target in self.targets if action == operation.action)

    def parameters(self, operation: Operation, resource_arn: str) -> dict[str, Any]:
        """Return valid parameters that name a resource of this account."""
        named = valid.parameters(operation.model)
        known = {"AccessKeyId": self.user.credentials.access_key_id, "SerialNumber": resource_arn}
        named |= {member: known[member] for member in known.keys() & named.keys()}
        return {member: resource_arn if value == valid.ARN else value for member, value in named.items()}


@pytest.fixture(scope="module")
def asker(crowns: Crowns) -> Iterator[Asker]:
    """A server of this module's own whose decisions are noted."""
    crown = crowns.fresh("sqlite")
    account = crown.account()
    targets: list[tuple[str, Target]] = []
    decide = authorize.decide

    def note(call: Call, principal: Principal, action: str, target: Target, arguments: Mapping[str, object]) -> Decision:
        targets.append((action, target))
        return decide(call, principal, action, target, arguments)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(authorize, "decide", note)
        yield Asker(account, account.user("powerless"), targets)
    crown.close()


@pytest.mark.parametrize("name", sorted(AUTHORISED.keys() - OF_SESSIONS_ALONE))
def test_an_action_is_done_to_a_resource_of_a_type_that_aws_names(name: str, asker: Asker):
    operation = AUTHORISED[name]
    known = actions.action(operation.action)
    patterns = [] if known is None else [kind.arn_pattern for kind in actions.resource_types(known)]

    target = asker.target(operation, of_account(patterns[0], asker.account.id) if patterns else valid.ARN)

    if name in OF_ROOT_ITSELF:
        patterns.append(actions.resource_types_of("account")["account"].arn_pattern)
    if patterns:
        assert any(arn_holds(pattern, target.arn or "*") for pattern in patterns), (target.arn, patterns)
    elif known is not None:
        assert target.arn in (None, "*") or COLLECTION.fullmatch(target.arn) or FINER.fullmatch(target.arn), target.arn


@pytest.mark.parametrize("name", AUTHORISED)
def test_an_action_fills_in_the_condition_keys_that_aws_names(name: str, asker: Asker):
    operation = AUTHORISED[name]
    known = actions.action(operation.action)
    if known is None:
        return
    kinds = actions.resource_types(known)
    keys = {key for acted in known.resources for key in acted.condition_keys}.union(
        known.condition_keys, *(kind.condition_keys for kind in kinds)
    )

    target = asker.target(operation, of_account(kinds[0].arn_pattern, asker.account.id) if kinds else valid.ARN)

    assert {key.lower() for key in target.context} <= {key.lower() for key in keys} | KEYS_NOT_YET_PUBLISHED


def test_every_action_that_is_authorised_is_one_of_aws():
    strange = {operation.action for operation in AUTHORISED.values() if actions.action(operation.action) is None}

    assert NOT_YET_PUBLISHED == strange


def of_account(pattern: str, account_id: str) -> str:
    """Return an ARN that a pattern such as `arn:*:iam::*:mfa/*` holds, of a resource of this account."""
    _, partition, service, region, owner, resource = pattern.split(":", 5)
    named = [partition.replace("*", "aws"), service, region.replace("*", "us-east-1")]
    return ":".join(["arn", *named, owner.replace("*", account_id), resource.replace("*", "name")])
