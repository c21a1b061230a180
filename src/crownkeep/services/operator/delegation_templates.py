"""Policy templates of product providers: the operator registers what an account may ask other accounts to delegate to it.

AWS does this for its partners (IAM user guide, "IAM temporary delegation for AWS Partners"); without a template no account can
make a delegation request.
"""

from __future__ import annotations

import msgspec

from crownkeep import errors
from crownkeep.operations import registry
from crownkeep.operations.call import NOTHING, Call, Result
from crownkeep.operations.registry import Effect
from crownkeep.services.operator import known_accounts
from crownkeep.services.operator.service import operator
from crownkeep.storage.accounts import accounts
from crownkeep.storage.delegation import delegation_templates
from crownkeep.storage.delegation.delegation_templates import DelegationTemplateRow

_ARN_PREFIX = "arn:aws:iam:::delegation-template/"


@operator.operation("PutDelegationTemplate", resource=registry.everything, effect=Effect.STATE)
def put_delegation_template(call: Call, *, account_id: str, name: str, policy: str) -> Result:
    """Register a template of a provider, in the place of one with the same name; placeholders are written `@{name}`."""
    known_accounts.held(call, account_id)
    try:
        msgspec.json.decode(policy, type=dict[str, object])
    # A lone surrogate and a deep nesting are faults of the text as well, and none of ours.
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError) as fault:
        raise errors.ValidationError(f"the policy of template `{name}` is not a JSON object; write it as one") from fault
    delegation_templates.put(call.db, DelegationTemplateRow(account_id, name, policy, call.now))
    call.notes.account_id = account_id
    return {"template_arn": _arn(account_id, name)}


@operator.operation("ListDelegationTemplates", resource=registry.everything)
def list_delegation_templates(call: Call, *, account_id: str) -> Result:
    """Return every template of a provider, by name."""
    rows = delegation_templates.of_account(call.db, account_id)
    described = [
        {"name": row.name, "template_arn": _arn(account_id, row.name), "policy": row.policy, "created_at": row.created_at}
        for row in rows
    ]
    call.notes.account_id = account_id
    return {"delegation_templates": described}


@operator.operation("RemoveDelegationTemplate", resource=registry.everything, effect=Effect.STATE)
def remove_delegation_template(call: Call, *, account_id: str, name: str) -> Result:
    """Let no request be made from a template any more; those that were made stay as they are."""
    accounts.hold(call.db, account_id)
    if not delegation_templates.remove(call.db, account_id, name):
        raise errors.ResourceNotFound(f"account `{account_id}` has no delegation template `{name}`")
    call.notes.account_id = account_id
    return NOTHING


def _arn(account_id: str, name: str) -> str:
    return f"{_ARN_PREFIX}{account_id}/{name}"
