"""The policies in force for a principal: loaded in a fixed number of queries, compiled once per document."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from threading import Lock

from crownkeep import policy
from crownkeep.catalogue import managed_policies, reserved_names
from crownkeep.operations import auditor
from crownkeep.policy import PolicyKind, PolicySet, PolicySource, SourceType
from crownkeep.principals import Principal, PrincipalKind
from crownkeep.storage.credentials import password_policies
from crownkeep.storage.database import Transaction
from crownkeep.storage.identities import memberships, roles, users
from crownkeep.storage.policies import attachments, inline_policies, policy_versions

MOST_BYTES = 256 * 2**20
_BYTES_OF_ENTRY = 1_000


@dataclass(frozen=True, slots=True)
class Permissions:
    """What is attached to one principal, compiled."""

    identity: PolicySet | None
    """Its own policies and its groups'; None for the root user, who has none."""
    boundary: PolicySet | None = None
    grants: PolicySet | None = None
    """What the account grants with no policy attached."""
    is_service_linked_role: bool = False
    """Whether this is a service's own role, which organizations' policies don't bind."""

    @property
    def bytes(self) -> int:
        """About how much memory it takes."""
        return _BYTES_OF_ENTRY + sum(each.bytes for each in (self.identity, self.boundary) if each is not None)


@dataclass(frozen=True, slots=True)
class Text:
    """A policy document and where it comes from."""

    document: str
    source: PolicySource


class _Compiled:
    """Sets of compiled policies by their texts: documents never change, so what was compiled stays right.

    Bounded by what it takes, not by number: whoever asks for sessions chooses how long their policies are.
    """

    def __init__(self) -> None:
        self._sets: OrderedDict[Hashable, PolicySet] = OrderedDict()
        self._lock = Lock()
        self.bytes = 0

    def set_of(self, texts: tuple[Text, ...]) -> PolicySet:
        with self._lock:
            found = self._sets.get(texts)
            if found is not None:
                self._sets.move_to_end(texts)
                return found
        # Compiled without the lock: the event loop must not wait for what a thread compiles. Of two who compile the same, the
        # first one's is kept.
        if len(texts) == 1:
            document = policy.parse(texts[0].document)
            made = policy.compile_set([policy.compile_policy(document, source=texts[0].source)])
        else:
            # A set of several is combined of the sets of each, so a policy that a thousand users share is compiled once.
            made = policy.combine(*(self.set_of((text,)) for text in texts)) if texts else policy.EMPTY
        with self._lock:
            if texts not in self._sets:
                self._sets[texts] = made
                self.bytes += _BYTES_OF_ENTRY + made.bytes
            # The least recently used go first; whoever still holds one keeps it for as long as a request takes.
            while self.bytes > MOST_BYTES:
                _, forgotten = self._sets.popitem(last=False)
                self.bytes -= _BYTES_OF_ENTRY + forgotten.bytes
        return made


_compiled = _Compiled()

# AllowUsersToChangePassword grants this with no policy attached (IAM user guide, "Set a password policy").
_PASSWORD_GRANT = Text(
    """{"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "iam:ChangePassword", "Resource": "${aws:PrincipalArn}"},
        {"Effect": "Allow", "Action": "iam:GetAccountPasswordPolicy", "Resource": "*"}]}""",
    PolicySource(PolicyKind.IDENTITY, "AllowUsersToChangePassword"),
)

# A federated user of root has what its session policy leaves of root's permissions.
_EVERYTHING = Text(
    '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}',
    PolicySource(PolicyKind.IDENTITY, "root"),
)


def compiled(texts: Iterable[Text]) -> PolicySet:
    """Return one set of all these documents; each is parsed and compiled once per process."""
    return _compiled.set_of(tuple(texts))


def bytes_held() -> int:
    """Return about how much memory the compiled policies of this process take."""
    return _compiled.bytes


def load(db: Transaction, principal: Principal) -> Permissions:
    """Read and compile what is attached to a principal; the root user has nothing attached and needs nothing."""
    match principal.kind:
        case PrincipalKind.ROOT:
            return Permissions(None)
        case PrincipalKind.FEDERATED_USER if principal.unique_id == principal.account_id:
            # Root's federated user: everything, cut down by its session policy, which `authorize` adds.
            return Permissions(compiled([_EVERYTHING]))
        case PrincipalKind.ROLE if principal.unique_id == auditor.AUDITOR_ID:
            return _of_auditor(db, principal.account_id)
        case PrincipalKind.ROLE:
            return _of_role(db, principal.account_id, principal.unique_id)
        case _:
            return _of_user(db, principal.account_id, principal.unique_id)


def managed(db: Transaction, account_id: str, arns: Iterable[str]) -> list[Text]:
    """Return the default versions of managed policies, AWS's own and the account's; those that don't exist are left out."""
    wanted = list(arns)
    own = [name for name in wanted if not managed_policies.is_aws_managed(name)]
    texts = []
    # In the order that was asked for, as sets are found by their texts in order; own ones follow, in the order of the query.
    for name in wanted:
        if managed_policies.is_aws_managed(name):
            found = managed_policies.with_arn(name)
            # A policy that is not in the catalogue is left out, and so grants nothing.
            if found is not None:
                source = PolicySource(PolicyKind.IDENTITY, found.policy_id, found.name, name, SourceType.AWS_MANAGED)
                texts.append(Text(found.document, source))
    for row in policy_versions.defaults_of(db, account_id, own) if own else ():
        source = PolicySource(PolicyKind.IDENTITY, row.policy_id, row.name, row.arn, SourceType.USER_MANAGED)
        texts.append(Text(row.document, source))
    return texts


def _of_user(db: Transaction, account_id: str, user_id: str) -> Permissions:
    groups = memberships.group_ids_of_user(db, account_id, user_id)
    owners = [user_id, *groups]
    # A policy of both the user and a group counts once. The order stays the same, since sets are found by their texts in order.
    arns = list(dict.fromkeys(row.policy_arn for row in attachments.of_owners(db, account_id, owners)))
    texts = managed(db, account_id, arns)
    for row in inline_policies.of_owners(db, account_id, owners):
        kind = SourceType.USER if row.owner_id == user_id else SourceType.GROUP
        texts.append(Text(row.document, PolicySource(PolicyKind.IDENTITY, row.name, row.name, None, kind)))
    user = users.with_id(db, account_id, user_id)
    boundary = _boundary(db, account_id, user.boundary_arn if user is not None else None)
    rules = password_policies.of_account(db, account_id)
    grants = compiled([_PASSWORD_GRANT]) if rules is not None and rules.allow_users_to_change_password else None
    return Permissions(compiled(texts), boundary, grants)


def _of_auditor(db: Transaction, account_id: str) -> Permissions:
    beside = Text(auditor.BESIDE, PolicySource(PolicyKind.IDENTITY, auditor.NAME))
    return Permissions(compiled([*managed(db, account_id, [auditor.POLICY]), beside]), is_service_linked_role=True)


def _of_role(db: Transaction, account_id: str, role_id: str) -> Permissions:
    texts = managed(db, account_id, [row.policy_arn for row in attachments.of_owner(db, account_id, role_id)])
    for row in inline_policies.of_owner(db, account_id, role_id):
        texts.append(Text(row.document, PolicySource(PolicyKind.IDENTITY, row.name, row.name, None, SourceType.ROLE)))
    role = roles.with_id(db, account_id, role_id)
    if role is None:
        return Permissions(compiled(texts))
    boundary = _boundary(db, account_id, role.boundary_arn)
    # By the path alone, for nobody else can make a role there (`reserved_names`).
    return Permissions(compiled(texts), boundary, is_service_linked_role=role.path.startswith(reserved_names.SERVICE_LINKED_PATH))


def _boundary(db: Transaction, account_id: str, policy_arn: str | None) -> PolicySet | None:
    # A boundary whose policy is gone is an empty set, which allows nothing: it must not become no boundary.
    return None if policy_arn is None else compiled(managed(db, account_id, [policy_arn]))
