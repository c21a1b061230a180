"""From a request and what came of it to the event that is kept."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from crownkeep import clock, ids
from crownkeep.audit import event, event_text, redact
from crownkeep.errors import AwsError
from crownkeep.models import ServiceModel
from crownkeep.operations.call import Call, Notes, Request, Result
from crownkeep.operations.registry import Operation
from crownkeep.principals import APPROVED_BY, Caller, FederatedIdentity, Operator, Principal, PrincipalKind
from crownkeep.storage.database import Transaction
from crownkeep.storage.trail import events
from crownkeep.storage.trail.events import EventRow

CONSOLE_PAGE = "consolePage"
"""Under which name a record says for which page of the console a call was made."""

NOBODY = ""
"""The account of events that can be attributed to none: kept for the operator, seen by no tenant."""


def of_call(request: Request, notes: Notes, *, result: Result, error: AwsError | None, account_alias: str) -> EventRow:
    """Make the event of a request that reached its operation, whether it was carried out or refused."""
    return copies_of_call(request, notes, result=result, error=error, account_alias=account_alias)[0]


def copies_of_call(
    request: Request, notes: Notes, *, result: Result, error: AwsError | None, account_alias: str
) -> list[EventRow]:
    """Make the event of a request and, where another account has a part in it, that account's copy: both share an id.

    The other account learns who called by their account and unique id, not by their name (IAM user guide, "Logging IAM and AWS
    STS API calls with AWS CloudTrail", cross-account examples).
    """
    facts = _facts(request, notes, result=result, error=error, account_alias=account_alias)
    caller = facts.caller
    if error is not None or notes.shared_with in ("", facts.account_id) or not isinstance(caller, Principal):
        return [row_of(facts)]
    shared = ids.request_id(clock.id_bytes(16))
    identity = {"type": "AWSAccount", "principalId": caller.user_id, "accountId": caller.account_id}
    copy = replace(facts, event_id="", account_id=notes.shared_with, identity=identity, account_alias="", shared_event_id=shared)
    return [row_of(replace(facts, shared_event_id=shared)), row_of(copy)]


_IN_EC2 = {"AccessDenied": "UnauthorizedOperation", "InvalidClientTokenId": "AuthFailure", "SignatureDoesNotMatch": "AuthFailure"}


def error_name(error: AwsError, service: ServiceModel | None) -> str:
    """Return what a record calls an error: the name of the service's exception, where it models one (NoSuchEntityException).

    Detection rules look for that name, not for the code on the wire (elastic/detection-rules, issue 55).
    """
    if service is not None and service.protocol == "ec2":
        # As CloudTrail has it of EC2 alone: `Client.UnauthorizedOperation`.
        return f"Client.{_IN_EC2.get(error.code, error.code)}"
    modelled = service.errors.get(error.code) if service else None
    return modelled.shape_name if modelled else error.code


def _facts(request: Request, notes: Notes, *, result: Result, error: AwsError | None, account_alias: str) -> event.EventFacts:
    operation = request.operation
    account_id = _trail(request, notes, error)
    as_ = operation.recorded_as
    name = (as_.name if as_ else "") or operation.name
    parameters = redact.parameters(operation.name, request.parameters, operation.model.input)
    if notes.parameters:
        parameters = {**(parameters or {}), **notes.parameters}
    if parameters is not None and error is not None and account_id == NOBODY:
        # Nobody answers for it, so it takes no more room in the trail than it takes to see what was tried.
        parameters = redact.summary(parameters)
    return event.EventFacts(
        event_id=notes.event_id,
        happened_at=request.now,
        event_type=as_.event_type if as_ else request.event_type,
        source=as_.source if as_ else operation.service.event_source,
        name=name,
        caller=_caller(request, notes),
        identity=_identity(request, notes, account_alias),
        account_id=account_id,
        region=request.origin.region,
        source_ip=request.origin.source_ip,
        user_agent=request.origin.user_agent,
        request_id=request.origin.request_id,
        read_only=operation.is_read_only,
        api_version=operation.service.model.api_version if operation.service.model.protocol == "query" else "",
        account_alias=account_alias,
        error_code=error_name(error, operation.service.model) if error else "",
        error_message=error.message if error else "",
        parameters=parameters,
        response=_response(operation, name, notes, result, error),
        additional=_additional(request, notes),
        resources=tuple(notes.resources),
        tls_version=request.origin.tls_version,
        tls_cipher=request.origin.tls_cipher,
        host=request.origin.host,
        is_data_event=operation.is_data_event,
    )


def _additional(request: Request, notes: Notes) -> dict[str, object]:
    """Return what the handler notes; of the command line, too, who ran it: unlike a user agent, nobody can send that.

    Of a page of the console, too, which one was drawn: its reads have the request's id in common.
    """
    caller = request.caller
    if isinstance(caller, Operator) and caller.system_user:
        return {**notes.additional, "systemUser": caller.system_user}
    return {**notes.additional, CONSOLE_PAGE: request.origin.page} if request.origin.page else notes.additional


def _response(operation: Operation, name: str, notes: Notes, result: Result, error: AwsError | None) -> dict[str, object] | None:
    if operation.recorded_as is not None and operation.recorded_as.tells_outcome:
        return {name: "Failure" if error is not None else "Success"}
    if error is not None or not operation.records_answer:
        return None
    return notes.answer or redact.response(result, operation.model.output)


def _caller(request: Request, notes: Notes) -> Caller:
    """Return who is named as the caller: of an event of sign-in, whoever sits at the browser, without the session."""
    caller = notes.vouched or request.caller
    as_ = request.operation.recorded_as
    is_at_browser = as_ is not None and as_.tells_outcome and request.binding is not None
    return as_person(caller) if is_at_browser and isinstance(caller, Principal) else caller


def as_person(principal: Principal) -> Principal:
    """Return a principal as events of sign-in name it: without the session, unless it is nothing but one."""
    if principal.kind in (PrincipalKind.ROOT, PrincipalKind.USER, PrincipalKind.PERSON):
        return replace(principal, access_key_id="", session=None)
    return principal


def _trail(request: Request, notes: Notes, error: AwsError | None) -> str:
    """Return whose trail it is: the caller's or, where the operator did something to an account, that account's."""
    caller = notes.vouched or request.caller
    if isinstance(caller, Principal):
        return caller.account_id
    # What strangers try is kept apart from the tenants' trails, until a tenant's own identity provider has vouched for them.
    return notes.account_id if error is None or notes.federated is not None else NOBODY


def _identity(request: Request, notes: Notes, account_alias: str) -> dict[str, object] | None:
    """Make a `userIdentity` that is not simply the caller's."""
    if notes.federated is not None:
        return _federated(notes.federated)
    if not notes.assumed_root:
        return None
    # AWS marks the session in which a member's root user was taken on, too (IAM user guide, "Track privileged tasks").
    identity = event.identity(request.caller, account_alias)
    context = identity.get("sessionContext")
    if isinstance(context, dict):
        context["assumedRoot"] = "true"
    return identity


def _federated(caller: FederatedIdentity) -> dict[str, object]:
    """Make the `userIdentity` of a caller without credentials of ours, as CloudTrail does for federated callers."""
    if caller.token_id:
        # As AWS records SCIM (IAM Identity Center user guide, "Logging IAM Identity Center SCIM API calls").
        return {"type": caller.kind, "accountId": caller.account_id, "accessKeyId": caller.token_id}
    return {
        "type": caller.kind,
        "principalId": caller.principal_id,
        "userName": caller.user_name,
        "identityProvider": caller.identity_provider,
    }


def id_of(call: Call) -> str:
    """Return the id that the record of this call will have, for what is kept of the call and leads back to its record."""
    if not call.notes.event_id:
        call.notes.event_id = str(ids.event_id(call.now, clock.id_bytes(10)))
    return call.notes.event_id


def row_of(facts: event.EventFacts) -> EventRow:
    """Give an event its time-ordered id, unless it has one, and make the row that is kept."""
    event_id = UUID(facts.event_id) if facts.event_id else ids.event_id(facts.happened_at, clock.id_bytes(10))
    caller = facts.caller
    key = caller.access_key_id if isinstance(caller, Principal) else ""
    # Nobody finds out by a lookup what the copy that another account keeps of a call does not say of its caller.
    is_anothers = isinstance(caller, Principal) and caller.account_id != facts.account_id
    return EventRow(
        account_id=facts.account_id,
        event_id=event_id,
        happened_at=facts.happened_at,
        source=facts.source,
        name=facts.name[:128],
        read_only="true" if facts.read_only else "false",
        username="" if is_anothers else event.username(caller)[:128],
        access_key_id="" if is_anothers else key[:128],
        record=event_text.text(facts, ids.event_id_text(event_id)),
        resources=(*facts.resources, *_approval(facts)),
    )


def _approval(facts: event.EventFacts) -> tuple[tuple[str, str], ...]:
    """Return the request for approval that an event belongs to, by which all of them are found: as the resource that it is."""
    session = facts.caller.session if isinstance(facts.caller, Principal) else None
    within = session.context.get(APPROVED_BY) if session is not None else None
    answer = (facts.additional or {}).get("approvalRequestId") or (facts.service_details or {}).get("approvalRequestId") or within
    linked = ("AWS::MPA::Session", str(answer))
    return (linked,) if answer and linked not in facts.resources else ()


def keep(db: Transaction, event_row: EventRow) -> None:
    """Keep one event in an open transaction; for commands, which have no writer."""
    events.add_all(db, [event_row])
