"""Users, groups and roles as reports and simulations name them: by ARN."""

from __future__ import annotations

from dataclasses import dataclass

from crownkeep import arn, errors
from crownkeep.operations.call import Call
from crownkeep.services.iam import groups, roles, users
from crownkeep.storage.owners import OwnerKind

_KINDS = {kind.value: kind for kind in OwnerKind}


@dataclass(frozen=True, slots=True)
class Entity:
    """A user, group or role of the account."""

    kind: OwnerKind
    entity_id: str
    name: str
    path: str
    arn: str
    boundary_arn: str | None = None


def kind_of(entity_arn: str) -> OwnerKind | None:
    """Answer what kind of entity an ARN names, None where it names none: a session, an account, a policy, or nothing at all."""
    parts = arn.parse(entity_arn)
    if parts is None or (parts.service, parts.region) != ("iam", ""):
        return None
    kind, slash, rest = parts.resource.partition("/")
    return _KINDS.get(kind) if slash and rest and not rest.endswith("/") else None


def required(call: Call, entity_arn: str) -> Entity:
    """Answer the entity of the account that this ARN names; raises InvalidInput and NoSuchEntity.

    An entity of another account is not there, whether or not it exists.
    """
    kind = kind_of(entity_arn)
    if kind is None:
        raise not_an_entity(entity_arn)
    parts = arn.parse(entity_arn)
    name = arn.name_and_path(parts.resource)[0] if parts is not None else ""
    found = of_kind(call, kind, name)
    if found is None or found.arn != entity_arn:
        raise errors.NoSuchEntity(f"The {kind.value} with name {name} cannot be found.")
    return found


def not_an_entity(text: str) -> errors.InvalidInput:
    """Answer the refusal of an ARN that names no user, group or role (seen on AWS)."""
    return errors.InvalidInput(f"Invalid Entity Arn: {text} does not clearly define entity type and name.")


def of_kind(call: Call, kind: OwnerKind, name: str) -> Entity | None:
    """Answer the user, group or role with this name."""
    match kind:
        case OwnerKind.USER:
            user = users.find(call, name)
            if user is None:
                return None
            user_arn = arn.user(call.account_id, user.path, user.name)
            return Entity(kind, user.user_id, user.name, user.path, user_arn, user.boundary_arn)
        case OwnerKind.GROUP:
            group = groups.find(call, name)
            if group is None:
                return None
            return Entity(kind, group.group_id, group.name, group.path, arn.group(call.account_id, group.path, group.name))
        case OwnerKind.ROLE:
            role = roles.find(call, name)
            if role is None:
                return None
            role_arn = arn.role(call.account_id, role.path, role.name)
            return Entity(kind, role.role_id, role.name, role.path, role_arn, role.boundary_arn)
