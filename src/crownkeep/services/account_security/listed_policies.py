"""Managed policies for a list that people look at: the account's own and AWS's, by a part of the name, in several orders."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from crownkeep import arn
from crownkeep.catalogue import managed_policies
from crownkeep.catalogue.managed_policies import ManagedPolicy
from crownkeep.domain import page_tokens
from crownkeep.operations.call import Call, Result
from crownkeep.operations.registry import Mode, Target
from crownkeep.services.account_security import ordered_lists
from crownkeep.services.account_security.ordered_lists import AskedList
from crownkeep.services.account_security.service import account_security
from crownkeep.storage.identities import tags
from crownkeep.storage.metadata import microseconds
from crownkeep.storage.policies import attachments, boundaries, policies
from crownkeep.storage.policies.policies import PolicyRow
from crownkeep.storage.reports import ordered_names, policy_lists
from crownkeep.storage.reports.ordered_names import ListPlace, ListSearch

_TAGS = "iam:ListPolicyTags"
_OWN, _OF_AWS = "0", "1"
"""Which of two policies of one name stands first, as in ListPolicies."""


def listed_policies(call: Call, *, path_prefix: str = "/", **_: object) -> Target:
    """The policies that a list may name, as ListPolicies has it."""
    return Target(arn.policy(call.account_id, path_prefix, ""))


@dataclass(frozen=True, slots=True)
class _Listed:
    """One policy and where it stands."""

    place: ListPlace
    source: str
    policy: ManagedPolicy | None
    """None for the account's own, which is read by its id."""

    @property
    def key(self) -> str:
        return f"{ordered_lists.key(self.place)} {self.source}"


@account_security.operation("DescribePolicies", resource=listed_policies, action="iam:ListPolicies", mode=Mode.LONG_READ)
def describe_policies(
    call: Call,
    *,
    text: str = "",
    path_prefix: str = "/",
    scope: str = "All",
    only_attached: bool = False,
    sort_by: str = ordered_names.NAME,
    descending: bool = False,
    include: Sequence[str] = (),
    marker: str | None = None,
    max_items: int | None = None,
) -> Result:
    """Return a page of managed policies with how often each is used, and its tags where they are asked for and may be known."""
    asked = AskedList(
        "DescribePolicies",
        ListSearch(text, path_prefix, sort_by, descending),
        marker,
        max_items,
        (scope, str(only_attached)),
    )
    found, more = page_tokens.page(
        call,
        list_name=asked.name,
        filters=asked.filters,
        marker=marker,
        max_items=max_items,
        fetch=partial(_fetched, call, asked.search, scope, only_attached),
        key=lambda each: each.key,
    )
    refused = ordered_lists.refused(call, [_TAGS] if "Tags" in include else [])
    described = _described(call, found, has_tags="Tags" in include and not refused)
    return {"Policies": described, "NotPermitted": sorted(refused), **more}


def _fetched(call: Call, wanted: ListSearch, scope: str, only_attached: bool, after: str, limit: int) -> list[_Listed]:
    begun, _, source = after.rpartition(" ")
    place = ordered_lists.read(begun) if begun else None
    found: list[_Listed] = []
    if scope != "AWS":
        listed = policy_lists.ATTACHED if only_attached else policy_lists.LISTED
        # The account's own comes first among equal names, so whatever was listed last, its name's own is behind us.
        own = listed.page(call.db, call.account_id, wanted, after=place, limit=limit)
        found += [_Listed(each, _OWN, None) for each in own]
    if scope != "Local":
        found += _of_aws(call, wanted, only_attached)
    if place is not None:
        found = [each for each in found if _follows(each, place, source, wanted)]
    found.sort(key=lambda each: (each.place.name_key, each.source))
    # Names alone turn around with the direction; among equal numbers they stand from A to Z.
    is_by_name = wanted.order == ordered_names.NAME
    found.sort(key=lambda each: each.place.name_key if is_by_name else each.place.place, reverse=wanted.is_descending)
    return found[:limit]


def _follows(each: _Listed, place: ListPlace, source: str, wanted: ListSearch) -> bool:
    """Tell whether a policy comes behind the last one of the page before."""
    if wanted.order == ordered_names.NAME:
        own, last = each.place.name_key, place.name_key
        return each.source > source if own == last else own < last if wanted.is_descending else own > last
    if each.place.place == place.place:
        return (each.place.name_key, each.source) > (place.name_key, source)
    return each.place.place < place.place if wanted.is_descending else each.place.place > place.place


def _of_aws(call: Call, wanted: ListSearch, only_attached: bool) -> list[_Listed]:
    needs_uses = only_attached or wanted.order == policy_lists.ATTACHMENTS
    uses = attachments.counts_under(call.db, call.account_id, managed_policies.ARN_PREFIX) if needs_uses else {}
    found = []
    for policy in managed_policies.holding(wanted.text):
        if policy.path.startswith(wanted.path_prefix) and (not only_attached or policy.arn in uses):
            place = ListPlace(policy.arn, policy.name_key, _number(policy, wanted.order, uses))
            found.append(_Listed(place, _OF_AWS, policy))
    return found


def _number(policy: ManagedPolicy, order: str, uses: Mapping[str, int]) -> int:
    match order:
        case policy_lists.CREATED:
            return microseconds(policy.created_at)
        case policy_lists.CHANGED:
            return microseconds(policy.updated_at)
        case policy_lists.ATTACHMENTS:
            return uses.get(policy.arn, 0)
        case _:
            return 0


def _described(call: Call, found: Sequence[_Listed], *, has_tags: bool) -> list[dict[str, object]]:
    ids = [each.place.id for each in found if each.policy is None]
    own = {row.policy_id: row for row in policies.with_ids(call.db, call.account_id, ids)}
    rows = [own[each.place.id] if each.policy is None else each.policy for each in found]
    arns = [row.arn for row in rows]
    attached = attachments.counts_of(call.db, call.account_id, arns)
    bounding = boundaries.counts_of(call.db, call.account_id, arns)
    tagged = tags.of_resources(call.db, call.account_id, ids) if has_tags else {}
    described = []
    for row in rows:
        # AWS's own policies have no tags.
        known: dict[str, object] = {"Tags": ordered_lists.described_tags(tagged.get(row.policy_id, {}))} if has_tags else {}
        known |= {"Description": row.description} if isinstance(row, PolicyRow) and row.description else {}
        uses = {"AttachmentCount": attached.get(row.arn, 0), "BoundaryCount": bounding.get(row.arn, 0)}
        described.append({**_policy(row), **uses, **known})
    return described


def _policy(row: PolicyRow | ManagedPolicy) -> dict[str, object]:
    return {
        "PolicyName": row.name,
        "Arn": row.arn,
        "Path": row.path,
        "DefaultVersionId": f"v{row.default_version}",
        "CreateDate": row.created_at,
        "UpdateDate": row.updated_at,
    }
