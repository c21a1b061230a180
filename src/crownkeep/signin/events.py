"""The records of sign-in, as CloudTrail writes them (user guide, "AWS Management Console sign-in events")."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from crownkeep.arn import GLOBAL_REGION
from crownkeep.audit import event
from crownkeep.operations import record, registry
from crownkeep.operations.call import Origin
from crownkeep.principals import Principal, PrincipalKind
from crownkeep.signin.flow import Method
from crownkeep.storage.trail.events import EventRow

SOURCE = registry.SIGN_IN_SOURCE
HIDDEN = "HIDDEN_DUE_TO_SECURITY_REASONS"
"""What stands for a user name that nobody has: people type passwords there."""

_MFA_TYPES = {Method.TOTP: "Virtual MFA", Method.PASSKEY: "U2F MFA", Method.RECOVERY_CODE: "Recovery code"}


def console_login(person: Principal, origin: Origin, now: datetime, *, to: str, mfa_serial: str | None) -> EventRow:
    """Record that somebody has signed in, and with which device."""
    return of(person, origin, now, "ConsoleLogin", response={"ConsoleLogin": "Success"}, additional=_login(to, mfa_serial))


def failed_login(person: Principal, origin: Origin, now: datetime, *, to: str, mfa_serial: str | None = None) -> EventRow:
    """Record that somebody has failed to sign in as a person of ours."""
    return record.row_of(
        _facts(
            person,
            person.account_id,
            origin,
            now,
            "ConsoleLogin",
            response={"ConsoleLogin": "Failure"},
            additional=_login(to, mfa_serial),
            message="Failed authentication",
            identity=_not_yet_in(person),
        )
    )


def _not_yet_in(person: Principal) -> Mapping[str, object] | None:
    """Return how a user is named who hasn't signed in: without an ARN, as AWS does; None where nothing is special."""
    if person.kind is not PrincipalKind.USER:
        return None
    whose = {"principalId": person.unique_id, "accountId": person.account_id}
    return {"type": "IAMUser", **whose, "accessKeyId": "", "userName": person.name}


def unknown_login(account_id: str, origin: Origin, now: datetime, *, to: str) -> EventRow:
    """Record that somebody tried a name that nobody has: in the account's trail, or in the operator's where there is none."""
    identity: dict[str, object] = {"type": "IAMUser" if account_id else "Unknown"}
    if account_id:
        identity |= {"accountId": account_id}
    identity |= {"accessKeyId": "", "userName": HIDDEN}
    return record.row_of(
        _facts(
            None,
            account_id,
            origin,
            now,
            "ConsoleLogin",
            response={"ConsoleLogin": "Failure"},
            additional=_login(to, None),
            message="No username found in supplied account" if account_id else "Failed authentication",
            identity=identity,
        )
    )


def check_mfa(person: Principal, origin: Origin, now: datetime, methods: tuple[Method, ...]) -> EventRow:
    """Record that a second factor is asked for."""
    devices = [method for method in methods if method is not Method.RECOVERY_CODE]
    kind = _MFA_TYPES[devices[0]] if len(devices) == 1 else "Multiple MFA Devices"
    answer, identity = {"CheckMfa": "Success"}, _not_yet_in(person)
    return record.row_of(
        _facts(
            person,
            person.account_id,
            origin,
            now,
            "CheckMfa",
            response=answer,
            additional={"MfaType": kind},
            identity=identity,
        )
    )


def cloned(person: Principal, origin: Origin, now: datetime) -> EventRow:
    """Record that a security key's counter went back: two devices may hold the same key."""
    additional = {"MfaType": _MFA_TYPES[Method.PASSKEY], "Reason": "the signature counter did not grow"}
    return of(person, origin, now, "CheckMfa", response={"CheckMfa": "Failure"}, additional=additional)


def throttled(account_id: str, person: Principal | None, origin: Origin, now: datetime, *, scope: str, seconds: int) -> EventRow:
    """Record that failures have come to make somebody wait. AWS throttles too, and says nothing of it."""
    additional = {"ThrottledBy": scope, "WaitSeconds": seconds}
    return record.row_of(_facts(person, account_id, origin, now, "SignInThrottled", additional=additional))


def of(
    person: Principal | None,
    origin: Origin,
    now: datetime,
    name: str,
    *,
    response: Mapping[str, object] | None = None,
    additional: Mapping[str, object] | None = None,
    parameters: Mapping[str, object] | None = None,
    message: str = "",
) -> EventRow:
    """Make another event of sign-in, such as PasswordUpdated, in the trail of the person's account; of nobody, the operator's."""
    return record.row_of(
        _facts(
            person,
            person.account_id if person is not None else record.NOBODY,
            origin,
            now,
            name,
            response={name: "Success"} if response is None else response,
            additional=additional,
            parameters=parameters,
            message=message,
        )
    )


def _facts(
    person: Principal | None,
    account_id: str,
    origin: Origin,
    now: datetime,
    name: str,
    *,
    response: Mapping[str, object] | None = None,
    additional: Mapping[str, object] | None = None,
    parameters: Mapping[str, object] | None = None,
    message: str = "",
    identity: Mapping[str, object] | None = None,
) -> event.EventFacts:
    return event.EventFacts(
        event_id="",
        happened_at=now,
        event_type=registry.SIGN_IN_TYPE,
        source=SOURCE,
        name=name,
        caller=person,
        account_id=account_id,
        region=GLOBAL_REGION,
        source_ip=origin.source_ip,
        user_agent=origin.user_agent,
        request_id=origin.request_id,
        read_only=False,
        error_message=message,
        parameters=parameters,
        response=response,
        additional=additional or {},
        identity=identity,
        tls_version=origin.tls_version,
        tls_cipher=origin.tls_cipher,
        host=origin.host,
    )


def _login(to: str, mfa_serial: str | None) -> dict[str, object]:
    additional: dict[str, object] = {"LoginTo": to, "MobileVersion": "No"}
    if mfa_serial:
        additional["MFAIdentifier"] = mfa_serial
    return {**additional, "MFAUsed": "No" if mfa_serial is None else "Yes"}
