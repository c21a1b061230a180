"""GetResources: what the account has of IAM that is tagged, which as on AWS counts as being in us-east-1."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from crownkeep import arn, errors
from crownkeep.domain import page_tokens
from crownkeep.operations.call import Call, Result
from crownkeep.operations.registry import Mode, no_resource
from crownkeep.services.resourcegroupstaggingapi.service import tagging
from crownkeep.storage.reports import tagged_resources
from crownkeep.storage.reports.tagged_resources import TaggedResource

_PAGE = 50
_LARGEST_PAGE = 100
_TAGS_PER_PAGE = range(100, 501, 100)
_TYPE = re.compile(r"[a-z0-9-]+(?::[A-Za-z0-9/_-]+)?")


@tagging.operation("GetResources", resource=no_resource, mode=Mode.LONG_READ)
def get_resources(
    call: Call,
    *,
    pagination_token: str = "",
    tag_filters: Sequence[Mapping[str, Any]] = (),
    resources_per_page: int | None = None,
    tags_per_page: int | None = None,
    resource_type_filters: Sequence[str] = (),
    include_compliance_details: bool = False,
    exclude_compliant_resources: bool = False,
    resource_arn_list: Sequence[str] = (),
) -> Result:
    """Return tagged resources with all their tags, in the order of their ARNs."""
    _refuse_compliance(include_compliance_details or exclude_compliant_resources)
    size = _page_size(resources_per_page)
    most_tags = _most_tags(tags_per_page)
    others = (pagination_token, tag_filters, resources_per_page, tags_per_page, resource_type_filters)
    if resource_arn_list and any(others):
        raise errors.InvalidParameter("ResourceARNList can't be given together with filters or pagination")
    for kind in resource_type_filters:
        if not _TYPE.fullmatch(kind):
            raise errors.InvalidParameter(f"The resource type {kind} is invalid")
    filters = [repr(tag_filters), repr(resource_type_filters)]
    after = _after(call, pagination_token, filters) if pagination_token else ""
    found = [each for each in _of_account(call) if each.arn > after and _is_meant(each, tag_filters, resource_type_filters)]
    if resource_arn_list:
        return {
            "PaginationToken": "",
            "ResourceTagMappingList": [_shown(each) for each in found if each.arn in resource_arn_list],
        }
    page = _page(found, size, most_tags)
    token = page_tokens.write(call, page[-1].arn, list_name="GetResources", filters=filters) if len(page) < len(found) else ""
    return {"PaginationToken": token, "ResourceTagMappingList": [_shown(each) for each in page]}


def _of_account(call: Call) -> list[TaggedResource]:
    if call.origin.region != arn.GLOBAL_REGION:
        return []
    return sorted(tagged_resources.of_account(call.db, call.account_id), key=lambda each: each.arn)


def _refuse_compliance(is_asked: bool) -> None:
    if is_asked:
        raise errors.InvalidParameter("Whether tags comply with a tag policy is not told here: leave out the compliance details")


def _page_size(asked: int | None) -> int:
    if asked is not None and not 1 <= asked <= _LARGEST_PAGE:
        raise errors.InvalidParameter(f"ResourcesPerPage must be between 1 and {_LARGEST_PAGE}")
    return _PAGE if asked is None else asked


def _most_tags(asked: int | None) -> int | None:
    if asked is not None and asked not in _TAGS_PER_PAGE:
        raise errors.InvalidParameter("TagsPerPage must be a multiple of 100, between 100 and 500")
    return asked


def _after(call: Call, token: str, filters: Sequence[str]) -> str:
    try:
        return page_tokens.read(call, token, list_name="GetResources", filters=filters)
    except errors.ValidationError as error:
        raise errors.InvalidParameter("The PaginationToken is invalid") from error


def _is_meant(resource: TaggedResource, filters: Sequence[Mapping[str, Any]], types: Sequence[str]) -> bool:
    kinds = ("iam", f"iam:{resource.kind}")
    return (not types or any(each in kinds for each in types)) and all(_has(resource.tags, each) for each in filters)


def _has(tags: Mapping[str, str], wanted: Mapping[str, Any]) -> bool:
    value = tags.get(wanted.get("Key", ""))
    values = wanted.get("Values") or ()
    return value is not None and (not values or value in values)


def _page(found: Sequence[TaggedResource], size: int, most_tags: int | None) -> Sequence[TaggedResource]:
    """Return the first of them that fit; one fits always, or a list would not go on."""
    page, tags = found[:size], 0
    for number, each in enumerate(page if most_tags is not None else ()):
        tags += len(each.tags)
        if number and most_tags is not None and tags > most_tags:
            return page[:number]
    return page


def _shown(resource: TaggedResource) -> dict[str, object]:
    return {"ResourceARN": resource.arn, "Tags": [{"Key": key, "Value": value} for key, value in resource.tags.items()]}
