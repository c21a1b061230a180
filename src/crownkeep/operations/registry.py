"""Which operations are served: each service's handlers, by the names that AWS's model gives them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from threading import RLock
from typing import Any, TypeVar

from crownkeep import models
from crownkeep.models import OperationModel, ServiceModel
from crownkeep.policy import PolicySet, ResourcePolicyRole
from crownkeep.values import value_type

Result = Mapping[str, object]
"""A handler's answer, by the member names of the operation's output shape."""

Function = TypeVar("Function", bound=Callable[..., Result])


class Mode(Enum):
    """What an operation does to the state, and so where it runs."""

    READ = "read"
    LONG_READ = "long read"
    """A read that may compute for long: it runs in the small pool, so that nobody else waits for it."""
    WRITE = "write"


class Effect(Enum):
    """What a write changes beyond the rows it touches."""

    STANDING = "standing"
    """What somebody may do, or sign with: the account's revision changes, and every cache of it is dropped."""
    STATE = "state"
    """Nothing that a cached caller's standing holds: a new user without permissions, a contact, a tag of no principal."""


class Permission(Enum):
    """Whether a caller needs an Allow."""

    REQUIRED = "required"
    UNLESS_DENIED = "unless denied"
    """Everybody may, unless a policy denies it (sts:GetSessionToken)."""
    NONE = "none"
    """Nothing can deny it (sts:GetCallerIdentity)."""


class _NotLookedUp(Enum):
    """Why a target has no row: its `resource` looks none up."""

    NOT_LOOKED_UP = "not looked up"


NOT_LOOKED_UP = _NotLookedUp.NOT_LOOKED_UP


@value_type(frozen=True, slots=True)
class Target:
    """What an action is done to, for policies to match."""

    arn: str | None
    """None where the action has no resource and AWS's refusals name none."""
    tags: Callable[[], Mapping[str, str]] = dict
    """The resource's tags (aws:ResourceTag); read only when a policy asks for them."""
    context: Mapping[str, str | tuple[str, ...]] = field(default_factory=dict)
    """Condition keys of this action, such as iam:PolicyARN."""
    policy: PolicySet | None = None
    """The resource's own policy, such as a role's trust policy; None where it has none."""
    policy_role: ResourcePolicyRole = ResourcePolicyRole.OPTIONAL
    """Whether the action needs an Allow of that policy."""
    account_id: str | None = None
    """Whose the resource is, where it may be another account's than the caller's."""
    further: tuple[Target, ...] = ()
    """What else the same action is done to: policies must allow it on each, as on an instance and on a permission set of it."""
    shown: str | None = None
    """What a refusal calls it, such as `user bob`: as the caller named it, whether it exists or not, so that nobody learns from
    refusals how a name is spelled, or which path it has. None where the caller has written the ARN."""
    row: object = field(default=NOT_LOOKED_UP, repr=False)
    """What `resource` found, so that the handler acts on what was decided on (`Call.target_row`); None where there is no such
    thing."""


@dataclass(frozen=True, slots=True)
class RecordedAs:
    """How CloudTrail records an operation where that differs from `AwsApiCall` of its service."""

    source: str
    event_type: str
    name: str = ""
    """The event's name where it is not the operation's."""
    tells_outcome: bool = False
    """Whether `responseElements` say no more than Success or Failure, under the event's name, as events of sign-in do."""


SIGN_IN_SOURCE, SIGN_IN_TYPE = "signin.amazonaws.com", "AwsConsoleSignIn"


def sign_in_event(name: str) -> RecordedAs:
    """Return how an operation is recorded that CloudTrail has as an event of sign-in, such as PasswordUpdated."""
    return RecordedAs(SIGN_IN_SOURCE, SIGN_IN_TYPE, name, tells_outcome=True)


CONSOLE_ACTION = RecordedAs("account.amazonaws.com", "AwsConsoleAction")
"""What AWS's console does to an account without an operation (CloudTrail user guide, "Non-API events")."""

EVERYTHING = Target("*")
NO_RESOURCE = Target(None)


def everything(call: object, **_: object) -> Target:
    """The target of an action that has no resource of its own, in the services whose refusals then say `*`."""
    return EVERYTHING


def no_resource(call: object, **_: object) -> Target:
    """The target of an action that has no resource, in the services whose refusals then name none."""
    return NO_RESOURCE


@dataclass(frozen=True, slots=True)
class Tagging:
    """The permission that tags ask for beside the operation itself, where something is made with tags.

    Whoever may make a user but not tag one must not choose what `aws:PrincipalTag` says of it.
    """

    action: str
    """Such as `iam:TagUser`; the tags that are sent are its aws:RequestTag and aws:TagKeys."""
    resource: Callable[..., Target] | None = None
    """What is tagged, where that is not what the operation is done to: a unit, where its parent is."""


# Operations whose name doesn't say what they do to the state.
_READS = (
    "ServiceProviderConfig",
    "Get",
    "Head",
    "List",
    "Describe",
    "Lookup",
    "Simulate",
    "Decode",
    "Check",
    "Validate",
    "Find",
    "Search",
    "Stream",
)
_WRITES = {
    "GetSessionToken",  # a TOTP code is used up
}
# CloudTrail's own classification where it differs from the name's (measured on AWS).
_RECORDED_READ_ONLY = {"AssumeRole", "AssumeRoleWithSAML", "AssumeRoleWithWebIdentity", "AssumeRoot"}
_RECORDED_AS_CHANGE = {"GetSessionToken", "GetFederationToken", "GetScopedCredentials"}


def is_recorded_as_read(name: str) -> bool:
    """Tell whether CloudTrail's records call an operation a read (`readOnly`), served here or not."""
    return name in _RECORDED_READ_ONLY or (name.startswith(_READS) and name not in _RECORDED_AS_CHANGE)


@dataclass(frozen=True, slots=True)
class Operation:
    """One served operation."""

    service: Service
    name: str
    handler: Callable[..., Result]
    resource: Callable[..., Target]
    mode: Mode
    effect: Effect
    permission: Permission
    prepare: Callable[..., Any] | None
    action: str
    tagging: Tagging | None
    model: OperationModel
    recorded_as: RecordedAs | None = None
    holds: str = ""
    """The parameter that names another account than the caller's, whose row is held until the transaction ends."""
    is_data_event: bool = False
    """Whether CloudTrail counts it among data events, which are about what is in a resource, and not about the resource."""
    is_stream: bool = False
    """Whether its answer goes on for those who accept server-sent events."""
    is_read_only: bool = field(init=False)
    """What the record says of it (`readOnly`)."""
    records_answer: bool = field(init=False)
    """Whether the record holds the answer (`responseElements`): of changes, and of credentials that were issued."""

    def __post_init__(self) -> None:
        is_read_only = is_recorded_as_read(self.name)
        object.__setattr__(self, "is_read_only", is_read_only)
        object.__setattr__(self, "records_answer", not is_read_only or self.name in _RECORDED_READ_ONLY)


class Service:
    """One AWS service as we serve it: its model, the prefix of its actions, and its handlers."""

    def __init__(
        self,
        name: str,
        *,
        action_prefix: str | None = None,
        event_source: str | None = None,
        is_global: bool = False,
        for_people: Collection[str] = (),
    ) -> None:
        self.name = name
        self.for_people = frozenset(for_people)
        """The operations that people of single sign-on may call, about themselves: no others are, and no policy is asked."""
        self.is_global = is_global
        """Whether AWS runs it in no Region: its calls count as made to us-east-1, whatever Region the caller signs for."""
        self.action_prefix = action_prefix or name
        self.event_source = event_source or f"{name}.amazonaws.com"
        self._registrations: dict[str, Callable[[], Operation]] = {}
        self._operations: dict[str, Operation] = {}
        _services[name] = self

    @property
    def model(self) -> ServiceModel:
        """AWS's published model, read at the first use."""
        return models.service(self.name)

    def operation(
        self,
        name: str,
        *,
        resource: Callable[..., Target],
        mode: Mode | None = None,
        effect: Effect = Effect.STANDING,
        permission: Permission = Permission.REQUIRED,
        prepare: Callable[..., Any] | None = None,
        action: str | None = None,
        holds: str = "",
        tagging: Tagging | None = None,
        recorded_as: RecordedAs | None = None,
        is_data_event: bool = False,
        is_stream: bool = False,
    ) -> Callable[[Function], Function]:
        """Register the decorated function as the handler of AWS's operation `name`.

        `resource` answers what the action is done to, from the call and the same arguments as the handler; a row that it looks
        up for that reaches handler and `prepare` as `call.target_row`, and neither looks it up again. `prepare` computes
        what must not be computed inside a transaction (password hashes); its answer is the handler's `call.prepared`.
        `holds` names a parameter with an account's id, where what is tried is counted although the call is refused: the account
        is held outside of what a refusal undoes, or another node could try in between. `tagging` says what is asked for beside,
        where what is made may be given tags.
        """

        def register(handler: Function) -> Function:
            if name in self._registrations:
                raise ValueError(f"operation `{name}` has two handlers in `{self.name}`")
            self._registrations[name] = lambda: Operation(
                service=self,
                name=name,
                handler=handler,
                resource=resource,
                mode=mode or (Mode.READ if name.startswith(_READS) and name not in _WRITES else Mode.WRITE),
                effect=effect,
                permission=permission,
                prepare=prepare,
                action=action or f"{self.action_prefix}:{name}",
                tagging=tagging,
                model=_modelled(self.model, name),
                holds=holds,
                recorded_as=recorded_as,
                is_data_event=is_data_event,
                is_stream=is_stream,
            )
            return handler

        return register

    def find(self, name: str) -> Operation | None:
        """Return the operation with this name, or None where it isn't served."""
        operation = self._operations.get(name)
        if operation is None and name in self._registrations:
            operation = self._operations[name] = self._registrations[name]()
        return operation

    def served(self) -> Iterator[str]:
        """Return the names of the operations that have a handler."""
        return iter(sorted(self._registrations))


_services: dict[str, Service] = {}
_late: dict[str, Callable[[], None]] = {}
"""What imports the handlers of services that nobody has asked for yet."""
_loading = RLock()


def load_late(services: Mapping[str, Callable[[], None]]) -> None:
    """Have what imports a service's handlers called when the service is first asked for."""
    with _loading:
        _late.update(services)


def service(name: str) -> Service | None:
    """Return the service with this name, or None where no operation of it is served."""
    if name in _late:
        _load(name)
    return _services.get(name)


def services() -> list[Service]:
    """Return every service that has handlers, by name."""
    for name in tuple(_late):
        _load(name)
    return [_services[name] for name in sorted(_services)]


def _load(name: str) -> None:
    """Import a service's handlers; whoever asks meanwhile waits, for half a service would refuse what the whole one serves."""
    with _loading:
        load = _late.get(name)
        if load is not None:
            load()
            # Last: what could not be imported is tried again, and nobody passes by before it is there.
            _late.pop(name, None)


def _modelled(model: ServiceModel, name: str) -> OperationModel:
    operation = model.operation(name)
    if operation is None:
        raise ValueError(f"the model of `{model.name}` has no operation `{name}`")
    return operation
