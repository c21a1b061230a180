"""Tags: one set of rules for everything in IAM that can be tagged (IAM user guide, "Tags for IAM resources")."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from crownkeep import errors
from crownkeep.domain import page_tokens
from crownkeep.operations.call import Call, Result
from crownkeep.services.iam import quotas
from crownkeep.storage.identities import tags

_RESERVED = "aws:"


def of(call: Call, resource_id: str) -> Mapping[str, str]:
    """Return a resource's tags by its unique id: what aws:ResourceTag asks for."""
    return tags.of_resource(call.db, call.account_id, resource_id)


def checked(sent: Sequence[Mapping[str, str]]) -> dict[str, str]:
    """Return the tags of a request by key; raises InvalidInput for a key that comes twice, in whatever case, or is AWS's own.

    Conditions ask for a key without regard to case: of two spellings one would be decided on, and the other acted on.
    """
    if len({tag["Key"].lower() for tag in sent}) != len(sent):
        raise errors.InvalidInput("Duplicate tag keys found. Please note that Tag keys are case insensitive.")
    if any(tag["Key"].lower().startswith(_RESERVED) for tag in sent):
        raise errors.InvalidInput("Tag keys beginning with aws: are reserved for system use.")
    return {tag["Key"]: tag["Value"] for tag in sent}


def describe(found: Mapping[str, str]) -> list[dict[str, str]]:
    """Return tags as AWS's lists of `Key` and `Value`."""
    return [{"Key": key, "Value": value} for key, value in found.items()]


def members(found: Mapping[str, str]) -> dict[str, object]:
    """Return the member `Tags` of a resource's description: absent where there are none."""
    return {"Tags": describe(found)} if found else {}


def put(call: Call, resource_id: str, sent: Sequence[Mapping[str, str]]) -> dict[str, str]:
    """Tag a resource and return the tags that were sent; raises InvalidInput, and LimitExceeded beyond the quota.

    A key takes the place of one that differs from it at most in case.
    """
    if not sent:
        return {}
    wanted = checked(sent)
    # Keys that are only given another value don't count twice.
    before = {key.lower() for key in tags.of_resource(call.db, call.account_id, resource_id)}
    if len(before | {key.lower() for key in wanted}) > quotas.of(call, quotas.TAGS):
        raise errors.LimitExceeded("The number of tags has reached the maximum limit.")
    tags.put(call.db, call.account_id, resource_id, wanted)
    return wanted


def take(call: Call, resource_id: str, keys: Sequence[str]) -> None:
    """Take the tags with these keys, in whatever case, from a resource; a key that names none is no error."""
    tags.remove(call.db, call.account_id, resource_id, keys)


def page(call: Call, resource_id: str, *, list_name: str, marker: str | None, max_items: int | None) -> Result:
    """Return one page of a resource's tags, in the order of their keys."""
    found, more = page_tokens.page(
        call,
        list_name=list_name,
        filters=(resource_id,),
        marker=marker,
        max_items=max_items,
        fetch=lambda after, limit: tags.page(call.db, call.account_id, resource_id, after=after, limit=limit),
        key=lambda tag: tag[0],
    )
    return {"Tags": describe(dict(found)), **more}
