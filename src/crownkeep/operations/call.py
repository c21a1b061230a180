"""What travels through the door: the request that came in, the call a handler gets, the answer that leaves."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol, TypeVar

from crownkeep import errors
from crownkeep.credentials.sealing import Keyring
from crownkeep.errors import AwsError
from crownkeep.operations.notices import Outbox
from crownkeep.operations.registry import NOT_LOOKED_UP, Operation, Result, Target
from crownkeep.operations.standing import Standing, Standings
from crownkeep.principals import Caller, FederatedIdentity, Principal
from crownkeep.settings import Settings
from crownkeep.storage.database import Transaction
from crownkeep.storage.trail.events import EventRow
from crownkeep.values import value_type

__all__ = ["NOTHING", "Answer", "Binding", "Call", "Notes", "Origin", "Request", "Result", "Wiring"]

Row = TypeVar("Row")

NOTHING: Result = {}
"""The answer of an operation that has no output."""


@value_type(frozen=True, slots=True)
class Signing:
    """How a request was signed, as some policies ask."""

    algorithm: str
    """Such as `AWS4-HMAC-SHA256`."""
    is_presigned: bool
    signed_at: datetime
    payload_hash: str
    """What the request says of its body (x-amz-content-sha256); empty where it says nothing."""


@value_type(frozen=True, slots=True)
class Origin:
    """Where a request came from, as far as the edge can vouch for it."""

    source_ip: str
    user_agent: str
    region: str
    request_id: str
    host: str = ""
    referer: str = ""
    scheme: str = "http"
    """`https` where the request reached the edge over TLS."""
    tls_version: str = ""
    """Such as `TLSv1.3`, where the edge knows it."""
    tls_cipher: str = ""
    dpop: str = field(default="", repr=False)
    """The proof of possession that came with it (RFC 9449), unverified."""
    bearer: str = field(default="", repr=False)
    """The token that a request carries in the place of a signature (RFC 6750), unverified; empty for whoever has signed."""
    signing: Signing | None = None
    """None where nothing is signed: a stranger's request, and a page's."""
    page: str = ""
    """The page of the console that is being drawn, as a path without its query; empty for programs and for forms."""


class Binding(Protocol):
    """What binds a request to the browser session that it comes from; all methods run in the transaction of the change."""

    def confirm(self, db: Transaction) -> None:
        """Raise ExpiredToken where the session has ended."""

    def follow(self, db: Transaction) -> None:
        """Let the session go along with what the change did to its own person's credentials."""

    @property
    def session_digest(self) -> bytes:
        """Under which digest the session is kept."""

    def is_fresh(self, now: datetime) -> bool:
        """Tell whether the person has proved to be there lately enough for a dangerous act."""


@value_type(frozen=True, slots=True)
class Request:
    """A request that is authenticated and decoded: who asks which operation with which parameters."""

    operation: Operation
    parameters: Mapping[str, object]
    """By the model's member names."""
    caller: Caller
    origin: Origin
    now: datetime
    event_type: str = "AwsApiCall"
    binding: Binding | None = None
    """The browser session it comes from, for what people do on the pages."""
    confirmed_name: str = ""
    """The account's name, typed on a page to confirm an act after which nobody could administer the account."""
    may_record_refusal: Callable[[], bool] | None = None
    """Asked where nobody answers for the caller, before a refusal that changed nothing is recorded; None records them all."""


@dataclass(frozen=True, slots=True)
class Wiring:
    """What the house hands to every call."""

    settings: Settings
    keyring: Keyring
    standings: Standings
    outbox: Outbox


@dataclass(slots=True)
class Notes:
    """What a handler adds to the record of its call beyond parameters and answer."""

    resources: list[tuple[str, str]] = field(default_factory=list)
    """Pairs of a CloudFormation-style type and a name or ARN, such as `AWS::IAM::User` and `bob`."""
    additional: dict[str, object] = field(default_factory=dict)
    parameters: dict[str, object] = field(default_factory=dict)
    """What the record shows among the parameters although it was sent otherwise, such as tags in a provider's assertion."""
    answer: dict[str, object] = field(default_factory=dict)
    """What the record shows of an answer that is bytes to the model."""
    account_id: str = ""
    """Whose trail keeps the record of what the operator did; the operator's own where empty."""
    federated: FederatedIdentity | None = None
    """Who called without credentials of ours, once an identity provider of the account `account_id` has vouched for them."""
    vouched: Principal | None = None
    """Who called without a signature, once a code or a refresh token has shown whom it was issued to."""
    event_id: str = ""
    """The id that the record is to have, where the handler had to know it (`record.id_of`); empty for a new one."""
    assumed_root: bool = False
    """Whether a member's root user was taken on: the record of that says so, as the records of the session do."""
    shared_with: str = ""
    """Another account in whose trail the record is kept as well, once the call is carried out: the owner of a role taken on."""
    further: list[EventRow] = field(default_factory=list)
    """Other events that the call leaves in the trail, refused or not, such as that failures begin to make somebody wait."""
    approval_id: str = ""
    """The request by which a sealed act was approved; it is used up when the act is done."""
    lasting: list[Callable[[Transaction], None]] = field(default_factory=list)
    """Changes that are made although the call is refused, such as an attempt at a one-time code that is used up."""


@value_type(frozen=True, slots=True)
class Call:
    """One authorised call: what a handler works with."""

    db: Transaction
    account_id: str
    caller: Caller
    now: datetime
    origin: Origin
    wiring: Wiring
    standing: Standing
    prepared: object = None
    """What the operation's `prepare` step computed before the transaction."""
    notes: Notes = field(default_factory=Notes)
    binding: Binding | None = None
    """The browser session that the call comes from; None for calls that somebody signed."""
    target: Target | None = None
    """What the caller was allowed to do this to; None until that is decided, and where no policy is asked."""

    def target_row(self, kind: type[Row]) -> Row | None:
        """Return the row that the operation's `resource` found, which is what was decided on; None where there is no such thing.

        Raises TypeError where `resource` looks up nothing, or something else: a mistake of the operation's.
        """
        # NOT_LOOKED_UP is no row and not None, so a handler whose `resource` looked nothing up fails loudly, and never acts on
        # nothing.
        row = NOT_LOOKED_UP if self.target is None else self.target.row
        if row is None or isinstance(row, kind):
            return row
        raise TypeError(f"the operation's resource looks up {type(row).__name__}, and its handler asks for {kind.__name__}")

    def decided_on(self, target: Target) -> None:
        """Say what the caller is allowed to do this to; the door says it, once, and handlers find it here.

        A call is frozen for them, so that nothing is acted on but what was decided on.
        """
        if self.target is not None:
            raise ValueError("what a call is about was decided already")
        # The one place that writes into a frozen call: once, by the door.
        object.__setattr__(self, "target", target)

    def require_fresh_proof(self) -> None:
        """Raise AccessDenied unless whoever calls sits at a browser and has just proved to be there."""
        # A key can't prove that a person is there, so whoever signs is refused whatever it may do.
        if self.binding is None or not self.binding.is_fresh(self.now):
            raise errors.AccessDenied("This takes a fresh proof that it is you, which only the console asks for.")

    @property
    def settings(self) -> Settings:
        """The configuration."""
        return self.wiring.settings

    @property
    def keyring(self) -> Keyring:
        """The keys that seal secrets at rest."""
        return self.wiring.keyring

    @property
    def principal(self) -> Principal:
        """The authenticated caller of an account; an anonymous one is refused."""
        if not isinstance(self.caller, Principal):
            raise errors.MissingAuthenticationToken("Request is missing Authentication Token")
        return self.caller


@value_type(frozen=True, slots=True)
class Answer:
    """What leaves the door: a result or the error that the caller is told, and the event that was kept."""

    result: Result
    error: AwsError | None = None
    event_id: str = ""
    seconds: float = 0.0
    """The computing that it took apart from the event loop."""
