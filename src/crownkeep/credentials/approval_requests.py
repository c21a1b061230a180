"""Requests for approval: what custodians sign, to the byte.

A request is one canonical document (RFC 8785). What a custodian's security key signs is a challenge of 64 bytes: the request's
random nonce, and the SHA-256 of the decision together with the whole document. So an approval can't be made of a refusal, nor
moved to another request, account, act, reason or time.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum

from crownkeep import canonical_json
from crownkeep.canonical_json import NotCanonical

FORMAT = "crownkeep-approval-request/1"

NONCE_SIZE = 32
"""Random bytes of a request."""

_NONCE = re.compile(r"[0-9a-f]{64}")


class UnreadableRequest(ValueError):
    """A document that is no request for approval; the message says why."""


class ApprovalDecision(Enum):
    """What a custodian decides."""

    APPROVE = "approve"
    REFUSE = "refuse"
    REVIEW = "review"
    """Not of what is to be done, but of what was: a sign-off of how root was used."""


@dataclass(frozen=True, slots=True)
class ApprovalRequest:
    """One request: who asks, to do what exactly, why, and until when."""

    request_id: str
    account_id: str
    """Which account is acted on."""
    team: str
    """The ARN of the approval team."""
    team_version: str
    requester: str
    """The ARN of who asks, or `operator`."""
    requester_identity: str
    """By what the requester would be an approver, such as `person:STORE/ID`; empty where no person is known behind them."""
    principal: str
    """The ARN of who may carry it out."""
    action: str
    """Such as `sts:AssumeRoot`."""
    parameters: Mapping[str, object]
    """As the trail shows them: secrets are hidden."""
    reason: str
    ticket: str
    source: str
    """The address that it was asked from."""
    minutes: int
    """How long what is begun by it lasts at most; 0 for acts that are done at once."""
    asked_at: datetime
    expires_at: datetime
    nonce: bytes

    def document(self) -> dict[str, object]:
        """Return the request as a value of JSON."""
        return {
            "format": FORMAT,
            "request_id": self.request_id,
            "account_id": self.account_id,
            "team": self.team,
            "team_version": self.team_version,
            "requester": self.requester,
            "requester_identity": self.requester_identity,
            "principal": self.principal,
            "action": self.action,
            "parameters": canonical_json.plain(self.parameters),
            "reason": self.reason,
            "ticket": self.ticket,
            "source": self.source,
            "minutes": self.minutes,
            "asked_at": moment(self.asked_at),
            "expires_at": moment(self.expires_at),
            "nonce": self.nonce.hex(),
        }

    def canonical(self) -> bytes:
        """Return the document's bytes."""
        return canonical_json.write(self.document())


def act_digest(account_id: str, action: str, parameters: Mapping[str, object]) -> str:
    """Return the digest of an act alone, by which a request for exactly this act is found."""
    act = {"account_id": account_id, "action": action, "parameters": canonical_json.plain(parameters)}
    return hashlib.sha256(canonical_json.write(act)).hexdigest()


def challenge(request: ApprovalRequest, decision: ApprovalDecision) -> bytes:
    """Return what a security key signs for a decision: 32 bytes of nonce and 32 of digest."""
    signed = canonical_json.write({"decision": decision.value, "request": request.document()})
    return request.nonce + hashlib.sha256(signed).digest()


def read(content: bytes) -> ApprovalRequest:
    """Read a request's canonical bytes; raises UnreadableRequest."""
    try:
        value = canonical_json.read(content)
    except NotCanonical as error:
        raise UnreadableRequest(str(error)) from error
    return of_document(value)


def of_document(value: object) -> ApprovalRequest:
    """Read a request from its value of JSON; raises UnreadableRequest where a member is missing, too many or of another kind."""
    if not isinstance(value, Mapping) or value.get("format") != FORMAT:
        raise UnreadableRequest(f"it is no request of the format `{FORMAT}`")
    try:
        request = _request(value)
        again = request.document()
    except (KeyError, TypeError, ValueError) as error:
        raise UnreadableRequest("a member of the request is missing or malformed") from error
    if again != value:
        raise UnreadableRequest("the request has members that it must not have")
    return request


def moment(value: datetime) -> str:
    """Write a moment as requests hold it: UTC, to the second."""
    return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _request(value: Mapping[str, object]) -> ApprovalRequest:
    parameters, minutes, nonce = value["parameters"], value["minutes"], _string(value["nonce"])
    if not isinstance(parameters, Mapping) or not isinstance(minutes, int) or isinstance(minutes, bool):
        raise TypeError("the parameters are no mapping, or the minutes no number")
    if not _NONCE.fullmatch(nonce):
        raise ValueError("the nonce has not 32 bytes")
    return ApprovalRequest(
        request_id=_string(value["request_id"]),
        account_id=_string(value["account_id"]),
        team=_string(value["team"]),
        team_version=_string(value["team_version"]),
        requester=_string(value["requester"]),
        requester_identity=_string(value["requester_identity"]),
        principal=_string(value["principal"]),
        action=_string(value["action"]),
        parameters=parameters,
        reason=_string(value["reason"]),
        ticket=_string(value["ticket"]),
        source=_string(value["source"]),
        minutes=minutes,
        asked_at=_moment(value["asked_at"]),
        expires_at=_moment(value["expires_at"]),
        nonce=bytes.fromhex(nonce),
    )


def _string(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("a member is no text")
    return value


def _moment(value: object) -> datetime:
    return datetime.strptime(_string(value), "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
