"""Identity sources: the instance of IAM Identity Center that stands here, and the custodians of the installation."""

from __future__ import annotations

from collections.abc import Mapping

from crownkeep import clock, errors
from crownkeep.domain import next_tokens
from crownkeep.domain.approvals import arns, custodianship
from crownkeep.domain.single_sign_on import instances
from crownkeep.operations.call import NOTHING, Call, Result
from crownkeep.operations.registry import Effect, Tagging, everything
from crownkeep.services.mpa import tags, targets
from crownkeep.services.mpa.service import PAGE, mpa
from crownkeep.services.mpa.targets import FoundSource
from crownkeep.services.mpa.teams import token_digest
from crownkeep.signin import person_passwords
from crownkeep.storage.approvals import approval_tags, approvers, identity_sources
from crownkeep.storage.approvals.identity_sources import IdentitySourceRow
from crownkeep.storage.single_sign_on import instances as instance_rows

MOST = 1
"""Beside the custodians: an account sees one instance, as AWS has it."""


@mpa.operation(
    "CreateIdentitySource",
    resource=targets.new_identity_source,
    effect=Effect.STATE,
    tagging=Tagging(targets.TAG_ACTION, targets.new_identity_source),
)
def create_identity_source(
    call: Call,
    *,
    identity_source_parameters: Mapping[str, Mapping[str, str]],
    client_token: str | None = None,
    tags: Mapping[str, str] | None = None,
) -> Result:
    """Let people of an instance of IAM Identity Center be approvers in the account."""
    wanted = identity_source_parameters.get("IamIdentityCenter")
    if wanted is None:
        raise errors.ServiceValidation("IamIdentityCenter is required: the custodians are an identity source without being made.")
    checked = _tags(tags or {})
    instance = instances.visible(call, wanted["InstanceArn"])
    if instance is None or instance.region != wanted["Region"]:
        raise errors.ServiceValidation(f"There is no instance {wanted['InstanceArn']} in Region {wanted['Region']} to use.")
    token = token_digest(call, client_token, wanted, checked)
    before = identity_sources.of_account(call.db, call.account_id)
    # A repeated request with its token is answered as the first one was, and before any quota.
    repeated = next((row for row in before if token is not None and row.client_token == token), None)
    if repeated is None and len(before) >= MOST:
        raise errors.ServiceQuotaExceeded("The account has an identity source of IAM Identity Center already.")
    row = repeated or IdentitySourceRow(
        clock.token_bytes(16).hex(), call.account_id, instance.instance_id, instance.region, token, call.now
    )
    if repeated is None:
        identity_sources.add(call.db, row)
        approval_tags.put(call.db, call.account_id, row.source_id, checked)
    arn = arns.identity_source(call.account_id, row.source_id)
    return {"IdentitySourceType": "IAM_IDENTITY_CENTER", "IdentitySourceArn": arn, "CreationTime": row.created_at}


@mpa.operation("GetIdentitySource", resource=targets.identity_source)
def get_identity_source(call: Call, *, identity_source_arn: str) -> Result:
    """Return an identity source."""
    return _described(call, _required(call, identity_source_arn))


@mpa.operation("ListIdentitySources", resource=everything)
def list_identity_sources(call: Call, *, max_results: int | None = None, next_token: str | None = None) -> Result:
    """List the account's identity sources; the custodians of the installation are one of every account."""
    rows = identity_sources.of_account(call.db, call.account_id)
    found = [FoundSource(custodianship.SOURCE, None), *(FoundSource(row.source_id, row) for row in rows)]
    found.sort(key=lambda source: source.source_id)
    listed, more = next_tokens.page(
        call,
        list_name="ListIdentitySources",
        next_token=next_token,
        max_results=max_results or PAGE,
        fetch=lambda after, limit: [source for source in found if source.source_id > after][:limit],
        key=lambda source: source.source_id,
    )
    return {"IdentitySources": [_described(call, source) for source in listed], **more}


@mpa.operation("DeleteIdentitySource", resource=targets.identity_source, effect=Effect.STATE)
def delete_identity_source(call: Call, *, identity_source_arn: str) -> Result:
    """Let people of an instance be approvers no longer; refused while any of them is one."""
    source = call.target_row(FoundSource)
    if source is None:
        # AWS models no error for a source that is gone: whoever wanted it gone has that.
        return NOTHING
    if source.row is None:
        raise errors.Conflict("The custodians of the installation are an identity source of every account.")
    if approvers.uses_source(call.db, call.account_id, source.source_id):
        raise errors.Conflict("The identity source is used by an approval team.")
    approval_tags.remove_all(call.db, source.source_id)
    identity_sources.remove(call.db, source.source_id)
    return NOTHING


def _required(call: Call, source_arn: str) -> FoundSource:
    source = call.target_row(FoundSource)
    if source is None:
        raise targets.missing(source_arn)
    return source


def _described(call: Call, source: FoundSource) -> dict[str, object]:
    arn, row = arns.identity_source(call.account_id, source.source_id), source.row
    if row is None:
        # Of no type that AWS has, and made by nobody in the account.
        return {"IdentitySourceArn": arn, "Status": "ACTIVE", "StatusMessage": "The custodians of this installation."}
    found = instance_rows.with_id(call.db, row.instance_id)
    center = {"InstanceArn": instances.arn_of(row.instance_id), "Region": row.region}
    if found is not None:
        center["ApprovalPortalUrl"] = f"{call.settings.url}{person_passwords.start_path(found.identity_store_id)}"
    gone = {"Status": "ERROR", "StatusCode": "IDC_INSTANCE_NOT_FOUND"}
    return {
        "IdentitySourceType": "IAM_IDENTITY_CENTER",
        "IdentitySourceParameters": {"IamIdentityCenter": center},
        "IdentitySourceArn": arn,
        "CreationTime": row.created_at,
        **({"Status": "ACTIVE"} if found is not None else gone),
    }


def _tags(sent: Mapping[str, str]) -> dict[str, str]:
    return tags.checked(sent)
