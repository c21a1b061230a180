"""Users for a list that people look at: found by a part of the name, in one of several orders, with what each holds.

IAM's own list has neither. The list needs `iam:ListUsers`; what users hold is told to whoever may get it of all users at once
from IAM: credentials by the credential report, groups and tags by the authorization details.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from crownkeep import arn
from crownkeep.operations.call import Call, Result
from crownkeep.operations.registry import Mode, Target
from crownkeep.services.account_security import ordered_lists
from crownkeep.services.account_security.ordered_lists import AskedList
from crownkeep.services.account_security.service import account_security
from crownkeep.storage.identities import memberships, tags, users
from crownkeep.storage.identities.users import UserRow
from crownkeep.storage.reports import ordered_names, user_lists
from crownkeep.storage.reports.ordered_names import ListSearch
from crownkeep.storage.reports.user_lists import HeldKey

_CREDENTIALS = "iam:GetCredentialReport"
_DETAILS = "iam:GetAccountAuthorizationDetails"
_NEEDED = {"Credentials": _CREDENTIALS, "Groups": _DETAILS, "Tags": _DETAILS}
"""By what may be asked for of each user: the operation of IAM's that tells the same of all of them."""

_BY_CREDENTIALS = frozenset({user_lists.MFA, user_lists.KEY_AGE})


def listed_users(call: Call, *, path_prefix: str = "/", **_: object) -> Target:
    """The users that a list may name, as ListUsers has it."""
    return Target(arn.user(call.account_id, path_prefix, ""))


@account_security.operation("DescribeUsers", resource=listed_users, action="iam:ListUsers", mode=Mode.LONG_READ)
def describe_users(
    call: Call,
    *,
    text: str = "",
    path_prefix: str = "/",
    user_names: Sequence[str] = (),
    sort_by: str = ordered_names.NAME,
    descending: bool = False,
    include: Sequence[str] = (),
    marker: str | None = None,
    max_items: int | None = None,
) -> Result:
    """Return a page of users with what is asked for of each; `UserNames` asks for these alone, by name.

    Raises AccessDenied for an order that would tell what the caller may not know.
    """
    if sort_by in _BY_CREDENTIALS:
        ordered_lists.require(call, _CREDENTIALS)
    more: dict[str, object] = {"IsTruncated": False}
    if user_names:
        rows = _named(call, user_names, path_prefix)
    else:
        wanted = ListSearch(text, path_prefix, sort_by, descending)
        found, more = ordered_lists.page(call, user_lists.LISTED, AskedList("DescribeUsers", wanted, marker, max_items))
        by_id = {row.user_id: row for row in users.with_ids(call.db, call.account_id, found)}
        rows = [by_id[each] for each in found]
    refused = ordered_lists.refused(call, [_NEEDED[each] for each in include])
    held = _Held.of(call, rows, [each for each in include if _NEEDED[each] not in refused])
    return {"Users": [{**_described(row), **held.members(row)} for row in rows], "NotPermitted": sorted(refused), **more}


def _named(call: Call, names: Sequence[str], path_prefix: str) -> list[UserRow]:
    found = (users.named(call.db, call.account_id, name) for name in dict.fromkeys(names))
    return [row for row in found if row is not None and row.path.startswith(path_prefix)]


def _described(row: UserRow) -> dict[str, object]:
    used = {} if row.password_used_at is None else {"PasswordLastUsed": row.password_used_at}
    return {
        "UserName": row.name,
        "UserId": row.user_id,
        "Path": row.path,
        "Arn": arn.user(row.account_id, row.path, row.name),
        "CreateDate": row.created_at,
        **used,
    }


@dataclass(frozen=True, slots=True)
class _Held:
    """What the users of a page hold, by unique id, as far as it is asked for."""

    include: frozenset[str]
    keys: Mapping[str, Sequence[HeldKey]]
    passwords: frozenset[str]
    devices: Mapping[str, int]
    groups: Mapping[str, Sequence[str]]
    tags: Mapping[str, Mapping[str, str]]

    @classmethod
    def of(cls, call: Call, rows: Sequence[UserRow], include: Sequence[str]) -> _Held:
        """Read what is asked for, each by one query."""
        place = (call.db, call.account_id, [row.user_id for row in rows])
        has_credentials = "Credentials" in include
        groups = memberships.groups_of_users(*place) if "Groups" in include else {}
        return cls(
            frozenset(include),
            user_lists.keys_of(*place) if has_credentials else {},
            frozenset(user_lists.with_password(*place)) if has_credentials else frozenset(),
            user_lists.device_counts(*place) if has_credentials else {},
            {user_id: [each.name for each in found] for user_id, found in groups.items()},
            tags.of_resources(*place) if "Tags" in include else {},
        )

    def members(self, row: UserRow) -> dict[str, object]:
        """Return what one user holds, by the answer's members."""
        answer: dict[str, object] = {}
        if "Credentials" in self.include:
            keys = self.keys.get(row.user_id, ())
            answer |= {
                "HasPassword": row.user_id in self.passwords,
                "MfaDevices": self.devices.get(row.user_id, 0),
                "AccessKeys": [_key(each) for each in keys],
            }
            used = [moment for moment in (row.password_used_at, *(each.used_at for each in keys)) if moment is not None]
            answer |= {"LastActivity": max(used)} if used else {}
        if "Groups" in self.include:
            answer["Groups"] = self.groups.get(row.user_id, [])
        if "Tags" in self.include:
            answer["Tags"] = [{"Key": key, "Value": value} for key, value in self.tags.get(row.user_id, {}).items()]
        return answer


def _key(held: HeldKey) -> dict[str, str | datetime]:
    """Return a key without its id, which the credential report does not tell either."""
    used = {} if held.used_at is None else {"LastUsedDate": held.used_at}
    return {"Status": held.status, "CreateDate": held.created_at, **used}
