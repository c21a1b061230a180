"""CheckAccessNotGranted and CheckNoNewAccess: whether a policy grants what it should not; PASS only where that is proven."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from crownkeep import policy
from crownkeep.operations.call import Call, Result
from crownkeep.operations.registry import Mode
from crownkeep.policy import Access
from crownkeep.services.accessanalyzer import documents
from crownkeep.services.accessanalyzer.service import accessanalyzer


@accessanalyzer.operation("CheckAccessNotGranted", resource=documents.everything, mode=Mode.LONG_READ)
def check_access_not_granted(
    call: Call, *, policy_document: str, access: Sequence[Mapping[str, Sequence[str]]], policy_type: str
) -> Result:
    """Tell whether a policy grants none of some actions on none of some resources."""
    unwanted = [Access(tuple(each.get("actions", ())), tuple(each.get("resources", ()))) for each in access]
    if not unwanted or not all(each.actions or each.resources for each in unwanted):
        raise documents.refused("access", "The access object must name at least one action or resource.")
    document = documents.read(policy_document, "policyDocument")
    return policy.check_access_not_granted(document, unwanted, kind=documents.KINDS[policy_type]).as_member()


@accessanalyzer.operation("CheckNoNewAccess", resource=documents.everything, mode=Mode.LONG_READ)
def check_no_new_access(call: Call, *, new_policy_document: str, existing_policy_document: str, policy_type: str) -> Result:
    """Tell whether everything that the new policy allows was allowed by the existing one."""
    new = documents.read(new_policy_document, "newPolicyDocument")
    existing = documents.read(existing_policy_document, "existingPolicyDocument")
    return policy.check_no_new_access(existing, new, kind=documents.KINDS[policy_type]).as_member()
