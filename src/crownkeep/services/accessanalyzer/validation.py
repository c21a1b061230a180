"""ValidatePolicy: what is wrong, dangerous, useless or untidy in a policy, page by page."""

from __future__ import annotations

from crownkeep import policy
from crownkeep.domain import page_tokens
from crownkeep.errors import AwsError
from crownkeep.operations.call import Call, Result
from crownkeep.operations.registry import Mode
from crownkeep.policy import PolicyKind
from crownkeep.services.accessanalyzer import documents
from crownkeep.services.accessanalyzer.known_actions import KnownActions
from crownkeep.services.accessanalyzer.service import accessanalyzer

_PAGE = 100
_LARGEST_PAGE = 1000
_TRUST_POLICY = "AWS::IAM::AssumeRolePolicyDocument"


@accessanalyzer.operation("ValidatePolicy", resource=documents.everything, mode=Mode.LONG_READ)
def validate_policy(
    call: Call,
    *,
    policy_document: str,
    policy_type: str,
    validate_policy_resource_type: str | None = None,
    locale: str = "EN",
    max_results: int = _PAGE,
    next_token: str | None = None,
) -> Result:
    """Return the findings about a policy, worst first. A document that is no policy at all has findings too."""
    if locale != "EN":
        raise documents.refused("locale", f"Findings are written in English; {locale} is not served.", reason="notSupported")
    if not 1 <= max_results <= _LARGEST_PAGE:
        raise documents.refused("maxResults", f"maxResults must be between 1 and {_LARGEST_PAGE}.")
    kind = _kind(policy_type, validate_policy_resource_type)
    remarks = policy.lint(policy_document, kind, catalogue=KnownActions(call.settings.services))
    filters = (policy_document, policy_type, validate_policy_resource_type or "")
    start = 0 if next_token is None else _start(call, next_token, filters)
    end = start + max_results
    result: dict[str, object] = {"findings": [remark.as_member() for remark in remarks[start:end]]}
    if end < len(remarks):
        result["nextToken"] = page_tokens.write(call, str(end), list_name="ValidatePolicy", filters=filters)
    return result


def _kind(policy_type: str, resource_type: str | None) -> PolicyKind:
    if resource_type is None:
        return documents.KINDS[policy_type]
    if policy_type != "RESOURCE_POLICY":
        text = "validatePolicyResourceType can only be given with the policy type RESOURCE_POLICY."
        raise documents.refused("validatePolicyResourceType", text)
    # Resource types have no checks of their own beyond those of every resource policy, except a role's trust policy.
    return PolicyKind.TRUST if resource_type == _TRUST_POLICY else PolicyKind.RESOURCE


def _start(call: Call, token: str, filters: tuple[str, ...]) -> int:
    try:
        return int(page_tokens.read(call, token, list_name="ValidatePolicy", filters=filters))
    except AwsError as error:
        raise documents.refused("nextToken", "The nextToken is not valid.") from error
