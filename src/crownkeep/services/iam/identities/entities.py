"""Users, groups and roles as reports and simulations name them: by ARN."""

from __future__ import annotations

from dataclasses import dataclass

from crownkeep import arn, errors
from crownkeep.operations.call import Call
from crownkeep.operations.registry import Target
from crownkeep.services.iam.identities import groups, roles, users
from crownkeep.services.iam.identities import tags as tagging
from crownkeep.storage.identities import memberships
from crownkeep.storage.identities import roles as role_rows
from crownkeep.storage.identities import users as user_rows
from crownkeep.storage.identities.owners import OwnerKind
from crownkeep.storage.identities.roles import RoleRow
from crownkeep.storage.identities.users import UserRow
from crownkeep.storage.policies import attachments

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
    """Return what kind of entity an ARN names, None where it names none: a session, an account, a policy, or nothing at all."""
    parts = arn.parse(entity_arn)
    if parts is None or (parts.service, parts.region) != ("iam", ""):
        return None
    kind, slash, rest = parts.resource.partition("/")
    return _KINDS.get(kind) if slash and rest and not rest.endswith("/") else None


def required(call: Call, entity_arn: str) -> Entity:
    """Return the entity of the account that this ARN names; raises InvalidInput and NoSuchEntity.

    An entity of another account is not there, whether or not it exists.
    """
    return _found(find(call, entity_arn), entity_arn)


def targeted(call: Call, entity_arn: str) -> Entity:
    """Return the entity that a call was decided on, as `required` does."""
    if kind_of(entity_arn) is None:
        raise not_an_entity(entity_arn)
    return _found(call.target_row(Entity), entity_arn)


def _found(entity: Entity | None, entity_arn: str) -> Entity:
    kind = kind_of(entity_arn)
    if kind is None:
        raise not_an_entity(entity_arn)
    if entity is None:
        raise errors.NoSuchEntity(f"The {kind.value} with name {entity_arn.rpartition('/')[2]} cannot be found.")
    return entity


def find(call: Call, entity_arn: str) -> Entity | None:
    """Return the entity of the account with this very ARN, letter for letter, or None."""
    kind = kind_of(entity_arn)
    found = None if kind is None else of_kind(call, kind, entity_arn.rpartition("/")[2])
    # Found by name, whatever the letters' case and the path. The call is decided on the ARN as it was sent, so an entity with
    # another ARN must not be answered.
    return found if found is not None and found.arn == entity_arn else None


def target(call: Call, entity_arn: str) -> Target:
    """The entity as a policy's Resource and aws:ResourceTag see it; the ARN alone where there is none."""
    found = find(call, entity_arn)
    if found is None:
        return Target(entity_arn, row=None)
    return Target(found.arn, tags=lambda: tagging.of(call, found.entity_id), row=found)


def not_an_entity(text: str) -> errors.InvalidInput:
    """Return the refusal of an ARN that names no user, group or role (seen on AWS)."""
    return errors.InvalidInput(f"Invalid Entity Arn: {text} does not clearly define entity type and name.")


def of_kind(call: Call, kind: OwnerKind, name: str) -> Entity | None:
    """Return the user, group or role with this name."""
    match kind:
        case OwnerKind.USER:
            user = users.find(call, name)
            return None if user is None else of_user(user)
        case OwnerKind.GROUP:
            group = groups.find(call, name)
            if group is None:
                return None
            return Entity(kind, group.group_id, group.name, group.path, arn.group(call.account_id, group.path, group.name))
        case OwnerKind.ROLE:
            role = roles.find(call, name)
            return None if role is None else of_role(role)


def of_user(row: UserRow) -> Entity:
    """Return a user as an entity."""
    user_arn = arn.user(row.account_id, row.path, row.name)
    return Entity(OwnerKind.USER, row.user_id, row.name, row.path, user_arn, row.boundary_arn)


def of_role(row: RoleRow) -> Entity:
    """Return a role as an entity."""
    role_arn = arn.role(row.account_id, row.path, row.name)
    return Entity(OwnerKind.ROLE, row.role_id, row.name, row.path, role_arn, row.boundary_arn)


def members_of(call: Call, group: Entity) -> list[Entity]:
    """Return the users of a group."""
    user_ids = memberships.user_ids_of_groups(call.db, call.account_id, [group.entity_id])
    return [of_user(row) for row in user_rows.with_ids(call.db, call.account_id, user_ids)]


def holding(call: Call, policy_arn: str) -> list[Entity]:
    """Return the users and roles that a managed policy gives permissions to: attached to themselves, or to a user's group."""
    place = (call.db, call.account_id)
    held_by: dict[OwnerKind, list[str]] = {kind: [] for kind in OwnerKind}
    for attachment in attachments.of_policy(*place, policy_arn):
        held_by[attachment.owner_kind].append(attachment.owner_id)
    user_ids = {*held_by[OwnerKind.USER], *memberships.user_ids_of_groups(*place, held_by[OwnerKind.GROUP])}
    found = [of_user(row) for row in user_rows.with_ids(*place, sorted(user_ids))]
    return found + [of_role(row) for row in role_rows.with_ids(*place, held_by[OwnerKind.ROLE])]
