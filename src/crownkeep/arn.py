"""Amazon Resource Names: read, written and made for the resources we keep."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

PARTITION = "aws"

GLOBAL_REGION = "us-east-1"
"""Where services without a Region of their own answer, whatever Region a client signs for (IAM guide, `aws:RequestedRegion`)."""


@dataclass(frozen=True, slots=True)
class Arn:
    """The six parts of an ARN (AWS general reference, "ARN format"); the last may hold further colons."""

    partition: str
    service: str
    region: str
    account_id: str
    resource: str

    def __str__(self) -> str:
        return f"arn:{self.partition}:{self.service}:{self.region}:{self.account_id}:{self.resource}"


def parse(text: str) -> Arn | None:
    """Return the parts of an ARN, or None where this is none."""
    parts = text.split(":", 5)
    if len(parts) != 6 or parts[0] != "arn":
        return None
    return Arn(*parts[1:])


def iam(account_id: str, resource: str) -> str:
    """Return the ARN of an IAM resource such as `user/division/bob`."""
    return f"arn:{PARTITION}:iam::{account_id}:{resource}"


def sts(account_id: str, resource: str) -> str:
    """Return the ARN of an STS session such as `assumed-role/admin/alice`."""
    return f"arn:{PARTITION}:sts::{account_id}:{resource}"


def root(account_id: str) -> str:
    """Return the ARN of an account's root user."""
    return iam(account_id, "root")


def user(account_id: str, path: str, name: str) -> str:
    """Return the ARN of a user; `path` begins and ends with a slash."""
    return iam(account_id, f"user{path}{name}")


def users(account_id: str, paths: Iterable[str], names: Iterable[str]) -> list[str]:
    """Return the ARNs of users by their paths and names."""
    return _each(iam(account_id, "user"), paths, names)


def group(account_id: str, path: str, name: str) -> str:
    """Return the ARN of a group; `path` begins and ends with a slash."""
    return iam(account_id, f"group{path}{name}")


def groups(account_id: str, paths: Iterable[str], names: Iterable[str]) -> list[str]:
    """Return the ARNs of groups by their paths and names."""
    return _each(iam(account_id, "group"), paths, names)


def _each(start: str, paths: Iterable[str], names: Iterable[str]) -> list[str]:
    return [f"{start}{path}{name}" for path, name in zip(paths, names, strict=True)]


def role(account_id: str, path: str, name: str) -> str:
    """Return the ARN of a role; `path` begins and ends with a slash."""
    return iam(account_id, f"role{path}{name}")


def roles(account_id: str, paths: Iterable[str], names: Iterable[str]) -> list[str]:
    """Return the ARNs of roles by their paths and names."""
    return _each(iam(account_id, "role"), paths, names)


def instance_profile(account_id: str, path: str, name: str) -> str:
    """Return the ARN of an instance profile; `path` begins and ends with a slash."""
    return iam(account_id, f"instance-profile{path}{name}")


def policy(account_id: str, path: str, name: str) -> str:
    """Return the ARN of a managed policy; AWS's own have the account id `aws`."""
    return iam(account_id, f"policy{path}{name}")


def mfa_device(account_id: str, path: str, name: str) -> str:
    """Return the serial number of a virtual MFA device, which is an ARN."""
    return iam(account_id, f"mfa{path}{name}")


def person_device(account_id: str, person_id: str, number: str) -> str:
    """Return the serial number of an MFA device of a person of single sign-on; AWS shows none."""
    return f"arn:{PARTITION}:identitystore::{account_id}:mfa/{person_id}/{number}"


def name_and_path(resource: str) -> tuple[str, str]:
    """Split an ARN's resource, as in `user/division/bob`, into the name and the path: `bob` and `/division/`.

    Kind, path and name put together are the same text again: `user//bob` has the path `//`, which nothing has. Reading it as `/`
    would let a caller reach what policies were not asked about.
    """
    _, slash, rest = resource.partition("/")
    path, inner, name = rest.rpartition("/")
    return name, f"{slash}{path}{inner}"
