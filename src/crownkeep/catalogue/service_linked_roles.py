"""Service-linked roles as AWS's services define them: name, policy, description, and whether a suffix may tell several apart.

The table holds facts of AWS's documentation of each service and of its managed policies under `/aws-service-role/`; a service
that is not in it can't be linked here. A description is there where AWS's own is known.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import msgspec

from crownkeep import arn
from crownkeep.catalogue.managed_policies import AWS

POLICY_PATH = "/aws-service-role/"

_FILE = Path(__file__).parent / "service_linked_roles.json"


class ServiceLinkedRole(msgspec.Struct, frozen=True):
    """What one service says of its role."""

    service: str
    """The service principal, such as `ecs.amazonaws.com`."""
    role_name: str
    policy: str
    """The name of the one managed policy that is attached to it."""
    takes_suffix: bool = False
    description: str | None = None

    @property
    def path(self) -> str:
        """The path of the role."""
        return f"{POLICY_PATH}{self.service}/"

    @property
    def policy_arn(self) -> str:
        """The ARN of the policy that is attached to it."""
        return arn.policy(AWS, POLICY_PATH, self.policy)

    @property
    def trust_policy(self) -> str:
        """The document that lets the service, and nobody else, take the role on."""
        return (
            '{"Version":"2012-10-17","Statement":[{"Effect":"Allow",'
            f'"Principal":{{"Service":"{self.service}"}},"Action":"sts:AssumeRole"}}]}}'
        )


def of_service(service: str) -> ServiceLinkedRole | None:
    """Return the role of the service with this principal, letter for letter, or None where it has none."""
    return _by_service().get(service)


def every_one() -> list[ServiceLinkedRole]:
    """Return the whole table, by service."""
    return list(_by_service().values())


@cache
def _by_service() -> dict[str, ServiceLinkedRole]:
    entries = msgspec.json.decode(_FILE.read_bytes(), type=list[ServiceLinkedRole])
    return {entry.service: entry for entry in entries}
