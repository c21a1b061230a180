"""What the checks of policies share: what they are about, which kind of policy is meant, and refusals in AWS's form."""

from __future__ import annotations

from crownkeep import arn, errors, policy
from crownkeep.operations.call import Call
from crownkeep.operations.registry import Target
from crownkeep.policy import Document, PolicyKind

KINDS = {
    "IDENTITY_POLICY": PolicyKind.IDENTITY,
    "RESOURCE_POLICY": PolicyKind.RESOURCE,
    "SERVICE_CONTROL_POLICY": PolicyKind.SERVICE_CONTROL,
    "RESOURCE_CONTROL_POLICY": PolicyKind.RESOURCE_CONTROL,
}


def everything(call: Call, **_: object) -> Target:
    """The target of actions without a resource, as this service's refusals write it."""
    return Target(f"arn:{arn.PARTITION}:access-analyzer:{call.origin.region}:{call.account_id}:*")


def read(text: str, member: str) -> Document:
    """Read a policy document; raises InvalidParameterException with the fault."""
    try:
        return policy.parse(text)
    except policy.MalformedPolicy as error:
        raise errors.InvalidParameter(f"The {member} is invalid: {error.message}") from error


def refused(field: str, text: str, *, reason: str = "fieldValidationFailed") -> errors.AccountValidation:
    """Return the service's ValidationException about one field."""
    return errors.AccountValidation(text, members={"reason": reason, "fieldList": [{"name": field, "message": text}]})
