"""What an account has of IAM that is tagged, with its tags: in one query."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, Select, Table, and_, bindparam, literal, null, select, union_all

from crownkeep import arn
from crownkeep.storage.credentials import mfa_devices, server_certificates
from crownkeep.storage.database import Transaction
from crownkeep.storage.federation import oidc_providers, saml_providers
from crownkeep.storage.identities import instance_profiles, roles, tags, users
from crownkeep.storage.policies import policies


@dataclass(frozen=True, slots=True)
class TaggedResource:
    """A resource with its tags, by their keys."""

    arn: str
    kind: str
    """What stands before the slash in its ARN, such as `server-certificate`."""
    tags: dict[str, str] = field(default_factory=dict)


def _tagged(kind: str, table: Table, resource_id: str, *, arn_column: str | None = None) -> Select[Any]:
    """Return the query of one kind: by path and name, of which its ARN is made, or by the ARN that is kept."""
    columns: list[ColumnElement[Any]] = (
        [null(), null(), table.c[arn_column]] if arn_column else [table.c.path, table.c.name, null()]
    )
    tagged = and_(tags.table.c.account_id == table.c.account_id, tags.table.c.resource_id == table.c[resource_id])
    return (
        select(literal(kind), *columns, tags.table.c.tag_key, tags.table.c.tag_value)
        .select_from(table.join(tags.table, tagged))
        .where(table.c.account_id == bindparam("account_id"))
    )


_of_account = union_all(
    _tagged("user", users.table, "user_id"),
    _tagged("role", roles.table, "role_id"),
    _tagged("instance-profile", instance_profiles.table, "profile_id"),
    _tagged("server-certificate", server_certificates.table, "certificate_id"),
    _tagged("policy", policies.table, "policy_id", arn_column="arn"),
    _tagged("mfa", mfa_devices.table, "device_id", arn_column="serial"),
    _tagged("oidc-provider", oidc_providers.table, "provider_id", arn_column="arn"),
    _tagged("saml-provider", saml_providers.table, "provider_id", arn_column="arn"),
)


def of_account(db: Transaction, account_id: str) -> list[TaggedResource]:
    """Return every tagged resource of an account, in no order; tags in that of their keys."""
    found: dict[str, TaggedResource] = {}
    rows = db.execute(_of_account, {"account_id": account_id}).all()
    for kind, path, name, kept, key, value in sorted(rows, key=lambda row: str(row[4])):
        name_of_it = kept or arn.iam(account_id, f"{kind}{path}{name}")
        found.setdefault(name_of_it, TaggedResource(name_of_it, kind)).tags[key] = value
    return list(found.values())
