"""AWS's managed policies: one compressed file, read at the first question, each document unfolded only when asked for.

The file is made by scripts/make_managed_policies.py and holds the version that was in force when it was made; what AWS kept of
older versions is published nowhere. NOTICE says where it comes from.
"""

from __future__ import annotations

import gzip
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cache, lru_cache
from hashlib import sha256
from itertools import islice
from pathlib import Path

import msgspec

from crownkeep import arn, ids
from crownkeep.ids import Prefix

AWS = "aws"
"""What the ARNs of AWS's own policies have in the place of the account id."""

ARN_PREFIX = arn.iam(AWS, "policy/")

_MOST_KEPT = 64
"""Documents that are kept unfolded: two MiB where they are the longest."""

_FILE = Path(__file__).parent / "managed_policies.json.gz"


class _Entry(msgspec.Struct, array_like=True):
    name: str
    path: str
    version: int
    created_at: datetime
    updated_at: datetime
    document: msgspec.Raw


class _File(msgspec.Struct):
    source: str
    policies: list[_Entry]


@dataclass(frozen=True, slots=True)
class ManagedPolicy:
    """One of AWS's managed policies, as of the catalogue's date."""

    arn: str
    name: str
    name_key: str
    path: str
    default_version: int
    """The number of the version in force, 3 for `v3`: the only one whose document is known."""
    created_at: datetime
    updated_at: datetime
    raw: msgspec.Raw

    @property
    def policy_id(self) -> str:
        """A unique id that is always the same for this ARN; AWS's real ones are not in the table."""
        return _id_of(self.arn)

    @property
    def document(self) -> str:
        """The document in force, laid out over lines for people; the text that positions in it refer to."""
        return _laid_out(self.arn)

    @property
    def is_of_service_linked_roles(self) -> bool:
        """Whether only AWS's own service-linked roles can have it."""
        return self.path.startswith("/aws-service-role/")


class _Catalogue:
    """The file, in the order of the policies' names."""

    def __init__(self, text: bytes) -> None:
        file = msgspec.json.decode(text, type=_File)
        self.policies = [_policy(entry) for entry in file.policies]
        self.keys = [policy.name_key for policy in self.policies]
        self.by_arn = {policy.arn: policy for policy in self.policies}


def is_aws_managed(policy_arn: str) -> bool:
    """Tell whether this is the ARN of a policy of AWS's own, known or not."""
    return policy_arn.startswith(ARN_PREFIX)


def with_arn(policy_arn: str) -> ManagedPolicy | None:
    """Return the policy with this very ARN."""
    return _catalogue().by_arn.get(policy_arn)


def listed_from(name_key: str) -> Iterator[ManagedPolicy]:
    """Return the policies in the order of their names in lower case, from the one named `name_key` or the next."""
    catalogue = _catalogue()
    return islice(catalogue.policies, bisect_left(catalogue.keys, name_key), None)


def holding(text: str) -> Iterator[ManagedPolicy]:
    """Return the policies whose names hold a text, without regard to case: those that begin with it first."""
    key, catalogue = text.lower(), _catalogue()
    found = [place for place, name in enumerate(catalogue.keys) if key in name]
    # Stable: those that begin with the text, and then the others, each in the order of their names.
    found.sort(key=lambda place: not catalogue.keys[place].startswith(key))
    return (catalogue.policies[place] for place in found)


def count() -> int:
    """Return how many policies there are."""
    return len(_catalogue().policies)


@cache
def _id_of(policy_arn: str) -> str:
    return ids.unique_id(Prefix.POLICY, sha256(policy_arn.encode()).digest()[:16])


@lru_cache(maxsize=_MOST_KEPT)
def _laid_out(policy_arn: str) -> str:
    # A few policies are those of nearly everybody, and whoever looks through an account reads one for each of its users.
    return msgspec.json.format(bytes(_catalogue().by_arn[policy_arn].raw), indent=2).decode()


@cache
def _catalogue() -> _Catalogue:
    return _Catalogue(gzip.decompress(_FILE.read_bytes()))


def _policy(entry: _Entry) -> ManagedPolicy:
    return ManagedPolicy(
        arn=arn.policy(AWS, entry.path, entry.name),
        name=entry.name,
        name_key=entry.name.lower(),
        path=entry.path,
        default_version=entry.version,
        created_at=entry.created_at,
        updated_at=entry.updated_at,
        raw=entry.document,
    )
