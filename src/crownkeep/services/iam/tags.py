"""Tags: one set of rules for everything in IAM that can be tagged (IAM user guide, "Tags for IAM resources")."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from crownkeep import errors
from crownkeep.ids import Prefix
from crownkeep.operations import page_tokens
from crownkeep.operations.call import Call, Result
from crownkeep.services.iam import quotas
from crownkeep.storage import tags
from crownkeep.storage.tags import Fold

_RESERVED = "aws:"
_WITHOUT_CASE = (Prefix.USER.value, Prefix.ROLE.value)
"""By the beginning of their unique ids: whose keys may not differ in case alone."""


def of(call: Call, resource_id: str) -> Mapping[str, str]:
    """Answer a resource's tags by its unique id: what aws:ResourceTag asks for."""
    return tags.of_resource(call.db, call.account_id, resource_id)


def checked(sent: Sequence[Mapping[str, str]], *, fold: Fold = str) -> dict[str, str]:
    """Answer the tags of a request by key; raises InvalidInput for a key that comes twice or is AWS's own.

    Keys of users' and roles' tags are the same without regard to case (`str.lower`), those of everything else only as they are.
    """
    if len({fold(tag["Key"]) for tag in sent}) != len(sent):
        more = " Please note that Tag keys are case insensitive." if fold is str.lower else ""
        raise errors.InvalidInput(f"Duplicate tag keys found.{more}")
    if any(tag["Key"].lower().startswith(_RESERVED) for tag in sent):
        raise errors.InvalidInput("Tag keys beginning with aws: are reserved for system use.")
    return {tag["Key"]: tag["Value"] for tag in sent}


def describe(found: Mapping[str, str]) -> list[dict[str, str]]:
    """Answer tags as AWS's lists of `Key` and `Value`."""
    return [{"Key": key, "Value": value} for key, value in found.items()]


def members(found: Mapping[str, str]) -> dict[str, object]:
    """Answer the member `Tags` of a resource's description: absent where there are none."""
    return {"Tags": describe(found)} if found else {}


def put(call: Call, resource_id: str, sent: Sequence[Mapping[str, str]]) -> dict[str, str]:
    """Tag a resource and answer the tags that were sent; raises InvalidInput, and LimitExceeded beyond the quota.

    A key takes the place of the same key; of a user or a role, of one that differs from it only in case.
    """
    if not sent:
        return {}
    fold = _fold(resource_id)
    wanted = checked(sent, fold=fold)
    before = {fold(key) for key in tags.of_resource(call.db, call.account_id, resource_id)}
    if len(before | {fold(key) for key in wanted}) > quotas.of(call, quotas.TAGS):
        raise errors.LimitExceeded("The number of tags has reached the maximum limit.")
    tags.put(call.db, call.account_id, resource_id, wanted, fold=fold)
    return wanted


def take(call: Call, resource_id: str, keys: Sequence[str]) -> None:
    """Take the tags with these keys from a resource; a key that names none is no error."""
    tags.remove(call.db, call.account_id, resource_id, keys, fold=_fold(resource_id))


def page(call: Call, resource_id: str, *, list_name: str, marker: str | None, max_items: int | None) -> Result:
    """Answer one page of a resource's tags, in the order of their keys."""
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


def _fold(resource_id: str) -> Fold:
    return str.lower if resource_id.startswith(_WITHOUT_CASE) else str
