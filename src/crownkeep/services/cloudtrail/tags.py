"""Tags of trails: added, removed and listed by the trail's ARN."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from crownkeep import errors
from crownkeep.operations.call import NOTHING, Call, Result
from crownkeep.operations.registry import Effect, Target
from crownkeep.services.cloudtrail import naming
from crownkeep.services.cloudtrail.service import cloudtrail
from crownkeep.storage.identities import tags
from crownkeep.storage.trail.trails import TrailRow

Sent = Sequence[Mapping[str, str]]
MOST = 50
MOST_LISTED = 20
_OTHER_KINDS = ("eventdatastore/", "channel/", "dashboard/")
_RESERVED = "aws:"


def tagged(call: Call, *, resource_id: str, **_: object) -> Target:
    """The trail with this ARN; what is no ARN is refused once it is known who asks."""
    if not resource_id.startswith("arn:"):
        return _any(call)
    return naming.target(call, _named(call, resource_id))


def listed(call: Call, *, resource_id_list: Sequence[str], **_: object) -> Target:
    """The trails whose tags are listed, as many as may be asked for at once."""
    # What is beyond the limit is refused by the operation, after the decision.
    first, *others = [tagged(call, resource_id=each) for each in dict.fromkeys(resource_id_list[:MOST_LISTED])] or [_any(call)]
    return replace(first, further=tuple(others))


@cloudtrail.operation("AddTags", resource=tagged, effect=Effect.STATE)
def add_tags(call: Call, *, resource_id: str, tags_list: Sent) -> Result:
    """Tag a trail, or change its tags."""
    put(call, _changeable(call, resource_id), tags_list)
    return NOTHING


@cloudtrail.operation("RemoveTags", resource=tagged, effect=Effect.STATE)
def remove_tags(call: Call, *, resource_id: str, tags_list: Sent) -> Result:
    """Take tags from a trail; values don't matter, and a key that names none is no error."""
    row = _changeable(call, resource_id)
    tags.remove(call.db, row.account_id, row.trail_id, [each["Key"] for each in tags_list])
    return NOTHING


@cloudtrail.operation("ListTags", resource=listed)
def list_tags(call: Call, *, resource_id_list: Sequence[str], next_token: str | None = None) -> Result:
    """List the tags of trails; they are so few that one page holds them all."""
    if next_token is not None:
        raise errors.InvalidListToken("The token is not valid: no list of tags has a second page.")
    if len(resource_id_list) > MOST_LISTED:
        raise errors.InvalidParameter(f"The list can have up to {MOST_LISTED} ARNs.")
    shown = []
    for each in resource_id_list:
        row = _required(call, each)
        found = tags.of_resource(call.db, row.account_id, row.trail_id)
        shown.append({"ResourceId": each, "TagsList": [{"Key": key, "Value": value} for key, value in found.items()]})
    return {"ResourceTagList": shown}


def put(call: Call, row: TrailRow, sent: Sent) -> None:
    """Tag a trail; raises InvalidTagParameterException, and TagsLimitExceededException beyond fifty."""
    if not sent:
        return
    wanted = {each["Key"]: each.get("Value", "") for each in sent}
    if len({key.lower() for key in wanted}) != len(sent):
        raise errors.InvalidTagParameter("Duplicate tag keys are not allowed.")
    if any(key.lower().startswith(_RESERVED) for key in wanted):
        raise errors.InvalidTagParameter("Tag keys beginning with aws: are reserved for system use.")
    before = {key.lower() for key in tags.of_resource(call.db, row.account_id, row.trail_id)}
    if len(before | {key.lower() for key in wanted}) > MOST:
        raise errors.TagsLimitExceeded(f"The number of tags cannot exceed {MOST}.")
    tags.put(call.db, row.account_id, row.trail_id, wanted)


def remove_all(call: Call, row: TrailRow) -> None:
    """Forget the tags of a trail that goes."""
    tags.remove_all(call.db, row.account_id, row.trail_id)


def _any(call: Call) -> Target:
    return Target(naming.Named(call.account_id, call.origin.region, "*").arn)


def _named(call: Call, resource_id: str) -> naming.Named:
    if any(f":{kind}" in resource_id for kind in _OTHER_KINDS):
        raise errors.ResourceTypeNotSupported("Trails alone can be tagged here.")
    if not resource_id.startswith("arn:"):
        raise errors.CloudTrailArnInvalid(f"{resource_id[:256]} is not a valid trail ARN.")
    return naming.named(call, resource_id)


def _required(call: Call, resource_id: str) -> TrailRow:
    row = naming.find(call, _named(call, resource_id))
    if row is None:
        raise errors.ResourceNotFound(f"Unknown trail: {resource_id[:256]} for the user: {call.account_id}")
    call.notes.resources.append((naming.TYPE, row.arn))
    return row


def _changeable(call: Call, resource_id: str) -> TrailRow:
    row = _required(call, resource_id)
    return naming.changeable(call, row.arn)
