"""Session policies: what limits a session below what its role or user may do, passed when the session is asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from crownkeep import errors, policy
from crownkeep.catalogue import managed_policies
from crownkeep.operations.call import Call
from crownkeep.policy import MalformedPolicy, PolicyKind
from crownkeep.storage.policies import policies

_MOST_ARNS = 10

Descriptors = Sequence[Mapping[str, str]]
"""The parameter `PolicyArns`."""


@dataclass(frozen=True, slots=True)
class SessionPolicies:
    """The inline and the managed policies of a session."""

    documents: tuple[str, ...]
    arns: tuple[str, ...]

    @property
    def are_passed(self) -> bool:
        """Whether the call passes any session policy, as a document or by its ARN."""
        return bool(self.documents or self.arns)


def read(call: Call, account_id: str, *, document: str | None, descriptors: Descriptors) -> SessionPolicies:
    """Hold session policies to their grammar and see that the managed ones exist, in the account that the session is in.

    Raises MalformedPolicyDocument and ValidationError.
    """
    if document is not None:
        try:
            policy.validate(policy.parse(document), PolicyKind.SESSION)
        except MalformedPolicy as fault:
            raise errors.MalformedPolicyDocument(fault.message) from fault
    arns = tuple(dict.fromkeys(each["arn"] for each in descriptors if "arn" in each))
    if len(arns) > _MOST_ARNS:
        raise errors.ValidationError(f"The number of session policy ARNs must not exceed {_MOST_ARNS}.")
    for policy_arn in arns:
        if not _exists(call, account_id, policy_arn):
            raise errors.ValidationError(f"Policy ARN {policy_arn} does not exist or cannot be used as a session policy.")
    return SessionPolicies((document,) if document is not None else (), arns)


def _exists(call: Call, account_id: str, policy_arn: str) -> bool:
    if managed_policies.is_aws_managed(policy_arn):
        return managed_policies.with_arn(policy_arn) is not None
    return policies.with_arn(call.db, account_id, policy_arn) is not None
