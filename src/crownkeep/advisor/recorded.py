"""Recorded use: who did what to what, read out of CloudTrail's records and counted by all that a decision depends on."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

import msgspec

from crownkeep.advisor import recorded_resources
from crownkeep.advisor.recorded_resources import Parameters

DENIED = frozenset(
    {
        *("AccessDenied", "AccessDeniedException", "Client.UnauthorizedOperation", "UnauthorizedOperation", "AuthorizationError"),
        *("InvalidClientTokenId", "SignatureDoesNotMatch", "ExpiredToken", "ExpiredTokenException", "Client.AuthFailure"),
        *("UnrecognizedClientException", "MissingAuthenticationToken", "IncompleteSignature", "AuthFailure"),
    }
)
"""Errors of calls that were not allowed when they were made: no change takes anything from them."""

_PREFIXES = {"monitoring": "cloudwatch", "tagging": "tag", "email": "ses"}
"""Event sources whose actions begin otherwise (AWS service authorization reference)."""
_ACTIONS = {
    **dict.fromkeys(("s3:ListObjects", "s3:ListObjectsV2", "s3:HeadBucket"), "s3:ListBucket"),
    "s3:HeadObject": "s3:GetObject",
    "s3:ListBuckets": "s3:ListAllMyBuckets",
    "s3:DeleteObjects": "s3:DeleteObject",
    **dict.fromkeys(("s3:CreateMultipartUpload", "s3:UploadPart", "s3:CompleteMultipartUpload"), "s3:PutObject"),
    "s3:GetBucketEncryption": "s3:GetEncryptionConfiguration",
    "s3:PutBucketEncryption": "s3:PutEncryptionConfiguration",
    "s3:GetBucketLifecycle": "s3:GetLifecycleConfiguration",
    "s3:PutBucketLifecycle": "s3:PutLifecycleConfiguration",
    "lambda:Invoke": "lambda:InvokeFunction",
}
"""Calls that policies name otherwise than CloudTrail does."""
_DATED = re.compile(r"\d{4}(_?\d{2}){2}(v\d)?$")  # Lambda's older names: GetFunction20150331v2

PEOPLE = frozenset({"Root", "IAMUser", "AssumedRole", "FederatedUser"})
"""Types of `userIdentity` that an account's policies are about."""


class UnreadableRecords(ValueError):
    """Something is no record of CloudTrail; the text says where."""


class _Attributes(msgspec.Struct, rename="camel", gc=False):
    mfa_authenticated: str | bool | None = None
    creation_date: str | None = None


class _Issuer(msgspec.Struct, rename="camel", gc=False):
    arn: str | None = None


class _SessionContext(msgspec.Struct, rename="camel", gc=False):
    attributes: _Attributes | None = None
    session_issuer: _Issuer | None = None
    assumed_root: str | bool | None = None


class _Identity(msgspec.Struct, rename="camel", gc=False):
    type: str | None = None
    arn: str | None = None
    account_id: str | None = None
    principal_id: str | None = None
    user_name: str | None = None
    access_key_id: str | None = None
    invoked_by: str | None = None
    session_context: _SessionContext | None = None


class _Resource(msgspec.Struct, gc=False):
    arn: str | None = msgspec.field(default=None, name="ARN")


class RecordedEvent(msgspec.Struct, rename="camel", gc=False):
    """What is needed of a record."""

    event_time: str
    event_source: str
    event_name: str
    event_type: str | None = None
    aws_region: str | None = None
    error_code: str | None = None
    error_message: str | None = None
    source_ip: str | None = msgspec.field(default=None, name="sourceIPAddress")
    user_agent: str | None = None
    recipient_account_id: str | None = None
    user_identity: _Identity | None = None
    request_parameters: msgspec.Raw = msgspec.Raw()
    resources: list[_Resource] | None = None


class Who(NamedTuple):
    """Who did it, as policies can name them."""

    type: str
    arn: str
    account_id: str
    unique_id: str
    name: str
    issuer_arn: str
    is_central: bool
    """Whether an organization took root on for a task."""
    invoked_by: str
    """The service of AWS that called in their name, as CloudFormation does; their policies decide on that, too."""

    @property
    def holder(self) -> str:
        """Whose policies count: a session's role, or the user behind it."""
        return self.issuer_arn or self.arn


class UseKind(NamedTuple):
    """One kind of thing that was done: everything that a decision can depend on."""

    who: Who
    key_id: str
    action: str
    resource: str | None
    """None where the record does not say it."""
    context: tuple[str | None, ...]
    """The values of the condition keys that were asked for, in their order."""


@dataclass(slots=True)
class Occurrence:
    """How often it was done, and when last."""

    count: int = 0
    last: str = ""


_record = msgspec.json.Decoder(RecordedEvent)
_parameters = msgspec.json.Decoder(dict[str, object])


def read(content: bytes | str) -> RecordedEvent:
    """Read one record; raises UnreadableRecords."""
    try:
        return _record.decode(content)
    except (ValueError, RecursionError) as error:
        raise UnreadableRecords(f"no record of CloudTrail: {error}") from error


def action_of(source: str, name: str) -> str:
    """Return the action that policies call an event's."""
    prefix = source.removesuffix(".amazonaws.com").removesuffix(".crownkeep")
    action = f"{_PREFIXES.get(prefix, prefix)}:{name}"
    if prefix == "lambda":
        action = _DATED.sub("", action)
    return _ACTIONS.get(action, action)


@dataclass(slots=True)
class RecordedUse:
    """Uses out of events, with what they depend on: so many condition keys, and the paths of the account's identities."""

    keys: tuple[str, ...] = ()
    """Condition keys in lower case, each one of `KNOWN`."""
    paths: Mapping[str, str] = field(default_factory=dict)
    """ARNs by what they are without a path, where users, roles, groups and policies have one."""
    events: int = 0
    uses: dict[UseKind, Occurrence] = field(default_factory=dict)
    _actions: dict[tuple[str, str], str] = field(default_factory=dict)
    _people: dict[tuple[str | None, ...], Who | None] = field(default_factory=dict)

    def take(self, found: Iterable[RecordedEvent]) -> None:
        """Count events. Those of AWS's services, of strangers, and those that were refused, are nobody's use."""
        for event in found:
            self.events += 1
            identity = event.user_identity
            if identity is None or event.error_code in DENIED or event.event_type == "AwsServiceEvent":
                continue
            who = self._who(identity)
            if who is None or (event.event_type == "AwsConsoleSignIn" and event.error_message):
                continue
            named = (event.event_source, event.event_name)
            action = self._actions.get(named)
            if action is None:
                action = self._actions[named] = action_of(*named)
            context = tuple(KNOWN[key](event, who) for key in self.keys)
            use = UseKind(who, identity.access_key_id or "", action, self._resource(event, who, action), context)
            seen = self.uses.get(use)
            if seen is None:
                seen = self.uses[use] = Occurrence()
            seen.count += 1
            if event.event_time > seen.last:
                seen.last = event.event_time

    def _who(self, identity: _Identity) -> Who | None:
        session = identity.session_context
        issuer = session.session_issuer.arn if session is not None and session.session_issuer is not None else None
        is_central = session is not None and str(session.assumed_root).lower() == "true"
        known = (
            identity.type,
            identity.arn,
            identity.principal_id,
            issuer,
            identity.user_name,
            str(is_central),
            identity.invoked_by,
        )
        if known not in self._people:
            is_one = identity.type in PEOPLE and identity.arn
            self._people[known] = (
                Who(
                    identity.type or "",
                    identity.arn or "",
                    identity.account_id or "",
                    identity.principal_id or "",
                    identity.user_name or "",
                    issuer or "",
                    is_central,
                    identity.invoked_by or "",
                )
                if is_one
                else None
            )
        return self._people[known]

    def _resource(self, event: RecordedEvent, who: Who, action: str) -> str | None:
        raw = event.request_parameters
        given: Parameters = {}
        if raw and bytes(raw) != b"null":
            # Some services record a text or a list: it names nothing that is known here.
            with suppress(msgspec.ValidationError):
                given = _parameters.decode(raw)
        arns = [each.arn for each in event.resources or () if each.arn]
        found = recorded_resources.of(action, given, arns, who.arn, who.account_id)
        return None if found is None else self.paths.get(found, found)


def moment(text: str) -> datetime:
    """Read an event's time; raises ValueError."""
    return datetime.fromisoformat(text)


def _mfa(event: RecordedEvent, who: Who) -> str | None:
    identity = event.user_identity
    session = identity.session_context if identity is not None else None
    # Long-term keys don't have the key at all, which is why policies use BoolIfExists.
    if identity is None or (identity.access_key_id or "").startswith("AKIA"):
        return None
    attributes = session.attributes if session is not None else None
    if attributes is None or attributes.mfa_authenticated is None:
        return "false" if who.issuer_arn else None
    return str(attributes.mfa_authenticated).lower()


def _issued(event: RecordedEvent, _: Who) -> str | None:
    identity = event.user_identity
    session = identity.session_context if identity is not None else None
    return session.attributes.creation_date if session is not None and session.attributes is not None else None


def _epoch(event: RecordedEvent, _: Who) -> str | None:
    try:
        return str(int(moment(event.event_time).timestamp()))
    except ValueError:
        return None


_TYPES = {"Root": "Account", "IAMUser": "User", "AssumedRole": "AssumedRole", "FederatedUser": "FederatedUser"}

KNOWN: Mapping[str, Callable[[RecordedEvent, Who], str | None]] = {
    "aws:principalarn": lambda _, who: who.issuer_arn if who.type == "AssumedRole" else who.arn,
    "aws:principalaccount": lambda _, who: who.account_id,
    "aws:principaltype": lambda _, who: _TYPES[who.type],
    "aws:principalisawsservice": lambda _, __: "false",
    "aws:viaawsservice": lambda _, who: "true" if who.invoked_by else "false",
    "aws:userid": lambda _, who: who.unique_id,
    "aws:username": lambda _, who: who.name if who.type == "IAMUser" else None,
    "aws:assumedroot": lambda _, who: "true" if who.is_central else None,
    "aws:multifactorauthpresent": _mfa,
    "aws:tokenissuetime": _issued,
    "aws:sourceip": lambda event, _: event.source_ip,
    "aws:useragent": lambda event, _: event.user_agent,
    "aws:requestedregion": lambda event, _: event.aws_region,
    "aws:currenttime": lambda event, _: event.event_time,
    "aws:epochtime": _epoch,
}
"""Condition keys whose value a record tells, in lower case."""


def known_keys(mentioned: Sequence[str]) -> tuple[str, ...]:
    """Return those of the keys whose values records tell, in lower case."""
    return tuple(dict.fromkeys(key.lower() for key in mentioned if key.lower() in KNOWN))
