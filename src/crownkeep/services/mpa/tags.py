"""Tags of teams and identity sources."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from crownkeep import errors
from crownkeep.domain.approvals.teams import TeamState
from crownkeep.operations.call import NOTHING, Call, Result
from crownkeep.operations.registry import Effect, Target
from crownkeep.services.mpa import targets
from crownkeep.services.mpa.service import mpa
from crownkeep.services.mpa.targets import FoundSource
from crownkeep.storage.approvals import approval_tags

MOST = 50
_RESERVED = "aws:"


def tagged(call: Call, *, resource_arn: str, **_: object) -> Target:
    """The team or identity source with this ARN; policies name none for these actions, but may ask for its tags."""
    if ":identity-source/" in resource_arn:
        found = targets.identity_source(call, identity_source_arn=resource_arn)
    else:
        found = targets.team(call, arn=resource_arn)
    return replace(found, arn="*")


@mpa.operation("TagResource", resource=tagged, effect=Effect.STATE)
def tag_resource(call: Call, *, resource_arn: str, tags: Mapping[str, str]) -> Result:
    """Add tags to a team or an identity source, or change them."""
    resource_id, wanted = _required(call, resource_arn), checked(tags)
    before = {key.lower() for key in approval_tags.of_resource(call.db, resource_id)}
    if len(before | {key.lower() for key in wanted}) > MOST:
        raise errors.TooManyTags(f"A resource can have {MOST} tags.", members={"ResourceName": resource_arn})
    approval_tags.put(call.db, call.account_id, resource_id, wanted)
    return NOTHING


@mpa.operation("UntagResource", resource=tagged, effect=Effect.STATE)
def untag_resource(call: Call, *, resource_arn: str, tag_keys: Sequence[str]) -> Result:
    """Take tags from a team or an identity source; a key that names none is no error."""
    approval_tags.remove(call.db, _required(call, resource_arn), tag_keys)
    return NOTHING


@mpa.operation("ListTagsForResource", resource=tagged)
def list_tags_for_resource(call: Call, *, resource_arn: str) -> Result:
    """Return the tags of a team or an identity source."""
    return {"Tags": approval_tags.of_resource(call.db, _required(call, resource_arn))}


def checked(sent: Mapping[str, str]) -> dict[str, str]:
    """Return the tags of a request; raises ValidationException for keys that differ in case alone, or are AWS's own."""
    if len({key.lower() for key in sent}) != len(sent):
        raise errors.ServiceValidation("Duplicate tag keys found. Please note that Tag keys are case insensitive.")
    if any(key.lower().startswith(_RESERVED) for key in sent):
        raise errors.ServiceValidation("Tag keys can't begin with aws:, which is reserved.")
    if len(sent) > MOST:
        raise errors.ServiceValidation(f"A resource can have {MOST} tags.")
    return dict(sent)


def _required(call: Call, resource_arn: str) -> str:
    """Return by which id a resource's tags are kept; raises ResourceNotFoundException."""
    if ":identity-source/" in resource_arn:
        source = call.target_row(FoundSource)
        # The custodians are the installation's: no account tags them.
        if source is not None and source.row is not None:
            return source.source_id
    else:
        state = call.target_row(TeamState)
        if state is not None:
            return state.row.team_id
    raise targets.missing(resource_arn)
