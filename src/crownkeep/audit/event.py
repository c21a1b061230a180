"""CloudTrail's record of one request: who asked what of whom, and what came of it.

The fields and their order are those of AWS's record (CloudTrail user guide, "CloudTrail record contents"), version 1.11.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from datetime import datetime

import msgspec

from crownkeep import arn, ids
from crownkeep.principals import APPROVED_BY, Anonymous, Caller, Operator, Principal, PrincipalKind, Session
from crownkeep.values import value_type

VERSION = "1.11"
OPERATOR = "crownkeep operator"
"""How a record names the operator: a party that is no principal of the account, as AWS's own services are."""
LONGEST_TEXT = 1024
"""Characters that are kept of a text."""
LARGEST_ELEMENTS = 100 * 1024
"""Bytes of JSON that are kept of parameters, and of an answer."""
_LARGEST_ADDITIONAL = 28 * 1024
_encoder = msgspec.json.Encoder()


@value_type(frozen=True, slots=True)
class EventFacts:
    """Everything that a record is made of. Parameters and answer come redacted (`audit.redact`)."""

    event_id: str
    happened_at: datetime
    event_type: str
    source: str
    """Such as `iam.amazonaws.com`."""
    name: str
    caller: Caller | None
    """None where nobody could be made out."""
    account_id: str
    """The account in whose trail the record is kept."""
    region: str
    source_ip: str
    user_agent: str
    request_id: str
    read_only: bool
    api_version: str = ""
    account_alias: str = ""
    error_code: str = ""
    error_message: str = ""
    parameters: Mapping[str, object] | None = None
    response: Mapping[str, object] | None = None
    additional: Mapping[str, object] = field(default_factory=dict)
    resources: tuple[tuple[str, str], ...] = ()
    identity: Mapping[str, object] | None = None
    """The `userIdentity` of who only claims to be the caller: a sign-in that failed."""
    tls_version: str = ""
    tls_cipher: str = ""
    host: str = ""
    shared_event_id: str = ""
    """What the records of one act in the trails of several accounts have in common."""
    is_data_event: bool = False
    """Whether it is about what is in a resource, such as an object in a bucket (`eventCategory`)."""
    service_details: Mapping[str, object] | None = None
    """What a service tells of what it did by itself (`serviceEventDetails`)."""


def record(facts: EventFacts, event_id: str = "") -> dict[str, object]:
    """Make the record, within CloudTrail's limits: long texts cut at 1 KB, parameters and answers over 100 KB left out.

    It has the facts' own id unless another is given.
    """
    event: dict[str, object] = {
        "eventVersion": VERSION,
        "userIdentity": identity(facts.caller, facts.account_alias) if facts.identity is None else dict(facts.identity),
        "eventTime": moment(facts.happened_at),
        "eventSource": facts.source,
        "eventName": facts.name,
        "awsRegion": facts.region,
        "sourceIPAddress": facts.source_ip,
        "userAgent": facts.user_agent[:LONGEST_TEXT],
    }
    if facts.error_code:
        event["errorCode"] = facts.error_code[:LONGEST_TEXT]
    if facts.error_code or facts.error_message:
        # Failed sign-ins have a message and no code (CloudTrail user guide, "AWS Management Console sign-in events").
        event["errorMessage"] = facts.error_message[:LONGEST_TEXT]
    _add_elements(event, facts)
    event["requestID"] = facts.request_id
    event["eventID"] = event_id or facts.event_id
    event["readOnly"] = facts.read_only
    if arns := resource_arns(facts.resources, facts.account_id):
        event["resources"] = arns
    event["eventType"] = facts.event_type
    if facts.api_version:
        event["apiVersion"] = facts.api_version
    event["managementEvent"] = not facts.is_data_event
    event["recipientAccountId"] = facts.account_id
    if facts.shared_event_id:
        event["sharedEventID"] = facts.shared_event_id
    if facts.service_details is not None:
        event["serviceEventDetails"] = dict(facts.service_details)
    event["eventCategory"] = "Data" if facts.is_data_event else "Management"
    _add_edge(event, facts)
    return event


def resource_arns(resources: tuple[tuple[str, str], ...], account_id: str) -> list[dict[str, str]]:
    """Make the `resources` element: those of an event in an account's trail that have an ARN, each with whose it is."""
    parsed = [(kind, name, arn.parse(name)) for kind, name in resources]
    # Those of nobody, such as AWS's managed policies, count as the account's own.
    return [
        {"accountId": parts.account_id if ids.is_account_id(parts.account_id) else account_id, "type": kind, "ARN": name}
        for kind, name, parts in parsed
        if parts is not None
    ]


def _add_elements(event: dict[str, object], facts: EventFacts) -> None:
    event["requestParameters"] = within_limit(facts.parameters or None)
    event["responseElements"] = within_limit(facts.response or None)
    additional = _within(facts.additional or None, _LARGEST_ADDITIONAL)
    if additional is not None:
        event["additionalEventData"] = additional


def _add_edge(event: dict[str, object], facts: EventFacts) -> None:
    if isinstance(facts.caller, Principal) and facts.caller.session and facts.caller.session.from_console:
        event["sessionCredentialFromConsole"] = "true"
    if facts.tls_version:
        event["tlsDetails"] = tls_details(facts.tls_version, facts.tls_cipher, facts.host)


def tls_details(version: str, cipher: str, host: str) -> dict[str, object]:
    """Make the `tlsDetails` element of a request over TLS."""
    return {"tlsVersion": version, "cipherSuite": cipher, "clientProvidedHostHeader": host[:LONGEST_TEXT]}


def within_limit(elements: Mapping[str, object] | None) -> Mapping[str, object] | None:
    """Return a request's parameters or an answer's elements, or in their place that they are too large."""
    return _within(elements, LARGEST_ELEMENTS)


def encode(event: Mapping[str, object]) -> bytes:
    """Write a record as JSON; lone surrogates, which a hostile client can send, become question marks."""
    try:
        return _encoder.encode(event)
    except UnicodeEncodeError:
        return _encoder.encode(_without_surrogates(event))


def username(caller: Caller | None) -> str:
    """Return the name that LookupEvents finds the event under: `root` for the root user."""
    if not isinstance(caller, Principal):
        return ""
    match caller.kind:
        case PrincipalKind.ROOT:
            return "root"
        case PrincipalKind.USER | PrincipalKind.PERSON:
            return caller.name
        case PrincipalKind.ROLE | PrincipalKind.FEDERATED_USER:
            return caller.session_name


def identity(caller: Caller | None, account_alias: str = "") -> dict[str, object]:
    """Make the `userIdentity` element (CloudTrail user guide, "CloudTrail userIdentity element")."""
    if caller is None:
        return {"type": "Unknown"}
    if isinstance(caller, Anonymous):
        return {"type": "AWSAccount", "principalId": "", "accountId": "ANONYMOUS_PRINCIPAL"}
    if isinstance(caller, Operator):
        named = {"userName": caller.name, "credentialId": caller.token_id} if caller.name else {}
        return {"type": "AWSService", "invokedBy": OPERATOR, **named}
    return _of_principal(caller, account_alias)


_KINDS = {
    PrincipalKind.ROOT: "Root",
    PrincipalKind.USER: "IAMUser",
    PrincipalKind.ROLE: "AssumedRole",
    PrincipalKind.FEDERATED_USER: "FederatedUser",
}


def _of_person(caller: Principal) -> dict[str, object]:
    """Make the element of a person of single sign-on (CloudTrail user guide, "CloudTrail userIdentity element")."""
    store = f"arn:aws:identitystore::{caller.account_id}:identitystore/{caller.path.strip('/')}"
    element: dict[str, object] = {
        "type": "IdentityCenterUser",
        "accountId": caller.account_id,
        "onBehalfOf": {"userId": caller.person_id, "identityStoreArn": store},
    }
    if caller.access_key_id:
        element["credentialId"] = caller.access_key_id
    return element


def _of_principal(caller: Principal, account_alias: str) -> dict[str, object]:
    if caller.kind is PrincipalKind.PERSON:
        return _of_person(caller)
    element: dict[str, object] = {
        "type": _KINDS[caller.kind],
        "principalId": caller.user_id,
        "arn": caller.arn,
        "accountId": caller.account_id,
        "accessKeyId": caller.access_key_id,
    }
    if caller.kind is PrincipalKind.USER:
        element["userName"] = caller.name
        if not caller.access_key_id:
            # A user who signs in has none, and AWS leaves it out; root's and a failed sign-in's is there, and empty.
            del element["accessKeyId"]
    elif caller.kind is PrincipalKind.ROOT and account_alias:
        element["userName"] = account_alias
    if caller.session is not None:
        element["sessionContext"] = _session_context(caller, caller.session)
        if caller.session.on_behalf_of is not None:
            person = caller.session.on_behalf_of
            element["onBehalfOf"] = {"userId": person.user_id, "identityStoreArn": person.identity_store_arn}
        if caller.session.delegate:
            # IAM user guide, "IAM temporary delegation", CloudTrail.
            element["invokedByDelegate"] = {"accountId": caller.session.delegate}
    return element


def moment(value: datetime) -> str:
    """Write a time as CloudTrail does: UTC to the second with a Z."""
    return f"{value.isoformat()[:19]}Z"


def _session_context(caller: Principal, session: Session) -> dict[str, object]:
    issuer: dict[str, object] = {}
    if caller.kind is PrincipalKind.ROLE:
        issuer = {
            "type": "Role",
            "principalId": caller.unique_id,
            "arn": caller.policy_arn,
            "accountId": caller.account_id,
            "userName": caller.name,
        }
    elif caller.kind is PrincipalKind.FEDERATED_USER:
        issuer = {
            "type": "IAMUser" if caller.name else "Root",
            "principalId": caller.unique_id,
            "arn": arn.user(caller.account_id, caller.path, caller.name) if caller.name else arn.root(caller.account_id),
            "accountId": caller.account_id,
        }
        if caller.name:
            issuer["userName"] = caller.name
    context: dict[str, object] = {
        "sessionIssuer": issuer,
        "webIdFederationData": _web_identity(session.federated_provider),
        "attributes": {
            "creationDate": moment(session.issued_at),
            "mfaAuthenticated": "true" if caller.has_mfa else "false",
        },
    }
    if session.source_identity:
        context["sourceIdentity"] = session.source_identity
    if session.assumed_root:
        context["assumedRoot"] = "true"
    if APPROVED_BY in session.context:
        context["approvalRequestId"] = session.context[APPROVED_BY]
    return context


def _web_identity(provider: str) -> dict[str, object]:
    """Make the element about a session's OIDC provider; a SAML provider is named in the record of AssumeRoleWithSAML alone."""
    if not provider or ":saml-provider/" in provider:
        return {}
    # AWS fills the attributes for Amazon Cognito alone.
    return {"federatedProvider": provider, "attributes": {}}


def _within(elements: Mapping[str, object] | None, limit: int) -> Mapping[str, object] | None:
    if elements is None or len(elements) == 0 or len(encode(elements)) <= limit:
        return elements
    return {"omitted": "true", "originalSize": len(encode(elements)), "reason": "event_size_exceeds_limit"}


def _without_surrogates(value: object) -> object:
    match value:
        case str():
            return value.encode("utf-8", "replace").decode()
        case dict():
            return {_without_surrogates(key): _without_surrogates(item) for key, item in value.items()}
        case list() | tuple():
            return [_without_surrogates(item) for item in value]
        case _:
            return value
