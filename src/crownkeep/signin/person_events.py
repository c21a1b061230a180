"""The records of sign-in of people of single sign-on, as CloudTrail has them: a challenge, its answer, and who came in.

AWS's user guide, "Understanding IAM Identity Center sign-in events". Whoever fails leaves a CredentialVerification that failed,
and no UserAuthentication.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from crownkeep import clock, ids
from crownkeep.arn import GLOBAL_REGION
from crownkeep.audit import event
from crownkeep.operations import record, registry
from crownkeep.operations.call import Origin
from crownkeep.principals import Principal
from crownkeep.signin.events import HIDDEN
from crownkeep.signin.flow import Method
from crownkeep.storage.trail.events import EventRow

_CHALLENGED, _VERIFIED, _ENTERED = "CredentialChallenge", "CredentialVerification", "UserAuthentication"
_PASSWORD, _EXTERNAL = "PASSWORD", "EXTERNAL_IDP"
_MADE = "CreateUser"
_KINDS = {Method.TOTP: "TOTP", Method.PASSKEY: "WEBAUTHN", Method.RECOVERY_CODE: "RECOVERY_CODE"}
_FAILED = "Failed authentication"


def new_workflow() -> str:
    """Return what the records of one sign-in have in common (`AuthWorkflowID`)."""
    return ids.request_id(clock.token_bytes(16))


def challenged(person: Principal, origin: Origin, now: datetime, methods: Sequence[Method], *, workflow: str) -> EventRow:
    """Record that a second factor is asked for."""
    kinds = ",".join(_KINDS[each] for each in methods if each is not Method.RECOVERY_CODE)
    return _row(person, origin, now, _CHALLENGED, _details(person.name, kinds, workflow))


def verified(person: Principal, origin: Origin, now: datetime, method: Method | None, *, workflow: str) -> EventRow:
    """Record that a password, or a second factor, is right."""
    return _row(person, origin, now, _VERIFIED, _details(person.name, _kind(method), workflow))


def refused(person: Principal, origin: Origin, now: datetime, method: Method | None, *, workflow: str) -> EventRow:
    """Record that a password, or a second factor, is wrong."""
    return _row(person, origin, now, _VERIFIED, _details(person.name, _kind(method), workflow), outcome="Failure")


def refused_unknown(account_id: str, hidden: str, origin: Origin, now: datetime) -> EventRow:
    """Record that somebody tried a user name that nobody has, at a start URL; in the operator's trail where there is none."""
    identity: dict[str, object] = {"type": "IdentityCenterUser" if account_id else "Unknown"}
    if account_id:
        identity |= {"accountId": account_id}
    answer = _details(hidden, _PASSWORD, new_workflow())
    return _row(None, origin, now, _VERIFIED, answer, outcome="Failure", account_id=account_id, identity=identity)


def entered(person: Principal, origin: Origin, now: datetime, method: Method | None, *, to: str, workflow: str) -> EventRow:
    """Record that somebody has signed in, and by what."""
    kinds = _PASSWORD if method is None else f"{_PASSWORD},{_KINDS[method]}"
    return _row(person, origin, now, _ENTERED, {**_details(person.name, kinds, workflow), "LoginTo": to})


def vouched_for(person: Principal, origin: Origin, now: datetime, issuer: str, *, workflow: str) -> EventRow:
    """Record that an identity provider elsewhere has said who somebody is."""
    return _row(person, origin, now, _VERIFIED, {**_details(person.name, _EXTERNAL, workflow), "IdentityProvider": issuer})


def entered_by_provider(person: Principal, origin: Origin, now: datetime, issuer: str, *, to: str, workflow: str) -> EventRow:
    """Record that somebody has signed in by an identity provider elsewhere."""
    answer = {**_details(person.name, _EXTERNAL, workflow), "IdentityProvider": issuer, "LoginTo": to}
    return _row(person, origin, now, _ENTERED, answer)


def made(person: Principal, origin: Origin, now: datetime, issuer: str, *, workflow: str) -> EventRow:
    """Record that somebody was made with their first sign-in by an identity provider elsewhere."""
    answer = {**_details(person.name, _EXTERNAL, workflow), "IdentityProvider": issuer, "UserId": person.person_id}
    return _row(person, origin, now, _MADE, answer)


def refused_by_provider(account_id: str, origin: Origin, now: datetime, issuer: str, why: str) -> EventRow:
    """Record that an answer of an identity provider elsewhere, or what claimed to be one, was refused."""
    identity = {"type": "IdentityCenterUser", "accountId": account_id}
    answer = {**_details(HIDDEN, _EXTERNAL, new_workflow()), "IdentityProvider": issuer, "Reason": why}
    return _row(None, origin, now, _VERIFIED, answer, outcome="Failure", account_id=account_id, identity=identity)


def _kind(method: Method | None) -> str:
    return _PASSWORD if method is None else _KINDS[method]


def _details(name: str, kinds: str, workflow: str) -> dict[str, object]:
    return {"AuthWorkflowID": workflow, "UserName": name, "CredentialType": kinds}


def _row(
    person: Principal | None,
    origin: Origin,
    now: datetime,
    name: str,
    additional: Mapping[str, object],
    *,
    outcome: str = "Success",
    account_id: str = "",
    identity: Mapping[str, object] | None = None,
) -> EventRow:
    facts = event.EventFacts(
        event_id="",
        happened_at=now,
        event_type="AwsServiceEvent",
        source=registry.SIGN_IN_SOURCE,
        name=name,
        caller=person,
        account_id=person.account_id if person is not None else account_id,
        region=GLOBAL_REGION,
        source_ip=origin.source_ip,
        user_agent=origin.user_agent,
        request_id=origin.request_id,
        read_only=False,
        error_message="" if outcome == "Success" else _FAILED,
        additional=additional,
        identity=identity,
        service_details={name: outcome},
        tls_version=origin.tls_version,
        tls_cipher=origin.tls_cipher,
        host=origin.host,
    )
    return record.row_of(facts)
