"""Receivers: added, confirmed, tested and removed, by an account or by the operator for it.

One that an account adds hears nothing until whoever receives there has passed on the code that was sent; one that the operator
adds hears at once, and nobody of the account can remove it, its root user included.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from hmac import compare_digest

from crownkeep import clock, errors, ids
from crownkeep.alerts import addresses, apprise_services, built_in, observer, outbound, spool, webhooks
from crownkeep.alerts.routing import AlertTarget
from crownkeep.alerts.sealed_outbox import Alert
from crownkeep.audit.event import moment
from crownkeep.credentials.secret import Secret
from crownkeep.operations import sealed
from crownkeep.operations.call import Call
from crownkeep.principals import Principal
from crownkeep.storage.database import Transaction
from crownkeep.storage.notices import alert_receivers, alert_revisions, alert_rules, outbox
from crownkeep.storage.notices.alert_receivers import ED25519, HMAC, AlertReceiverRow
from crownkeep.storage.sign_in import tallies

MOST = 20
"""Receivers that an account adds, and as many that the operator adds to it."""
MOST_CODES = 10
MOST_TESTS = 10
"""Codes and tests that are sent for an account within an hour: they may go to somebody who has not asked for them."""
FORMER_FOR = timedelta(days=1)
"""How long messages are signed with the former secret as well, after it was rotated."""

_TRIES = 5
_CODE_BYTES = 5
_HOUR = timedelta(hours=1)
_DAY_MINUTES = 24 * 60


@dataclass(frozen=True, slots=True)
class WantedReceiver:
    """A receiver that somebody wants to add."""

    channel: str
    target: str
    rules: tuple[str, ...] = ()
    signing: str = HMAC
    quiet_from: str = ""
    quiet_until: str = ""
    """`HH:MM`, UTC."""


def add(call: Call, account_id: str, wanted: WantedReceiver) -> tuple[AlertReceiverRow, Secret | None]:
    """Add a receiver, and return it with the secret that signs its messages, which is shown once."""
    _check(call, account_id, wanted)
    # Counted apart, so that no account can leave the operator without a place for a receiver.
    is_operators = not isinstance(call.caller, Principal)
    if sum(bool(row.added_by) is not is_operators for row in alert_receivers.of_account(call.db, account_id)) >= MOST:
        raise errors.Conflict(f"at most {MOST} receivers can be added to an account; remove one first")
    receiver_id = ids.event_id(call.now, clock.id_bytes(10)).hex
    secret, is_service = _secret(wanted), wanted.channel == outbox.APPRISE
    kept = Secret(wanted.target) if is_service else secret
    code = base64.b32encode(clock.token_bytes(_CODE_BYTES)).decode()
    row = AlertReceiverRow(
        receiver_id=receiver_id,
        account_id=account_id,
        channel=wanted.channel,
        target=apprise_services.shown(wanted.target) if is_service else wanted.target,
        rules=" ".join(wanted.rules),
        added_by=_name(call),
        added_at=call.now,
        confirmed_at=call.now if is_operators else None,
        code_digest=None if is_operators else _digest(receiver_id, code),
        tries_left=_TRIES,
        signing=wanted.signing if secret is not None else "",
        sealed_secret=None if kept is None else _sealed(call, account_id, receiver_id, kept),
        quiet_from=_minutes(wanted.quiet_from),
        quiet_until=_minutes(wanted.quiet_until),
    )
    alert_receivers.add(call.db, row)
    alert_revisions.touch(call.db, clock.revision())
    if not is_operators:
        _limit(call, account_id, "codes", MOST_CODES)
        _tell(call, row, "receiver-code", {"code": code})
    return row, secret


def required(call: Call, account_id: str, receiver_id: str) -> AlertReceiverRow:
    """Return an account's receiver; raises ResourceNotFound."""
    row = alert_receivers.with_id(call.db, account_id, receiver_id)
    if row is None:
        raise errors.ResourceNotFound(f"there is no receiver `{receiver_id}`; ListAlertReceivers names them all")
    return row


def confirm(call: Call, account_id: str, receiver_id: str, code: str) -> AlertReceiverRow:
    """Confirm a receiver with the code that was sent to it; five wrong ones end it."""
    row = required(call, account_id, receiver_id)
    if row.confirmed_at is not None:
        return row
    if row.tries_left <= 0 or row.code_digest is None:
        raise errors.Conflict("too many wrong codes were tried; remove the receiver and add it anew")
    if not compare_digest(_digest(receiver_id, code.strip().upper()), row.code_digest):
        # What a refusal undoes must not be the count.
        fewer = replace(row, tries_left=row.tries_left - 1)
        call.notes.lasting.append(partial(_count_try, fewer))
        raise errors.AccountValidation("the code is not the one that was sent")
    return _changed(call, replace(row, confirmed_at=call.now, code_digest=None))


def rotate(call: Call, account_id: str, receiver_id: str) -> tuple[AlertReceiverRow, Secret]:
    """Give a webhook a new secret; for a day its messages are signed with both."""
    row = required(call, account_id, receiver_id)
    _refuse_others(call, row)
    secret = _secret(WantedReceiver(row.channel, row.target, signing=row.signing))
    if secret is None:
        raise errors.Conflict("only messages to webhooks are signed")
    blob = _sealed(call, account_id, receiver_id, secret)
    changed = replace(row, sealed_secret=blob, sealed_former_secret=row.sealed_secret, former_until=call.now + FORMER_FOR)
    return _changed(call, changed), secret


def enable(call: Call, account_id: str, receiver_id: str) -> AlertReceiverRow:
    """Send to a receiver again that was disabled because it could not be reached."""
    return _changed(call, replace(required(call, account_id, receiver_id), disabled_at=None, disabled_because=""))


def remove(call: Call, account_id: str, receiver_id: str) -> None:
    """Remove a receiver with what waits for it; whoever got mail there hears of that, and of nothing more."""
    row = required(call, account_id, receiver_id)
    _refuse_others(call, row)
    alert_receivers.remove(call.db, account_id, receiver_id)
    alert_revisions.touch(call.db, clock.revision())
    outbox.forget_receiver(call.db, receiver_id)
    if row.channel == outbox.MAIL and row.confirmed_at is not None:
        _alert(call, account_id, AlertTarget(outbox.MAIL, row.target), detail="this address was a receiver, and hears no more")


def test(call: Call, account_id: str, receiver_id: str) -> str:
    """Send a test to a receiver, and return the id of the notice."""
    row = required(call, account_id, receiver_id)
    if row.confirmed_at is None or row.disabled_at is not None:
        raise errors.Conflict("the receiver is not confirmed, or disabled; nothing is sent to it")
    _limit(call, account_id, "tests", MOST_TESTS)
    return _tell(call, row, "receiver-test", {})


def described(call: Call, row: AlertReceiverRow) -> dict[str, object]:
    """Return a receiver for whoever may see it."""
    state = "disabled" if row.disabled_at is not None else "active" if row.confirmed_at is not None else "unconfirmed"
    found: dict[str, object] = {
        "receiver_id": row.receiver_id,
        "channel": row.channel,
        "target": row.target,
        "rules": row.rules.split(),
        "state": state,
        "added_at": row.added_at,
        "added_by": row.added_by or "operator",
        "waiting": outbox.count_waiting(call.db, row.receiver_id),
    }
    if row.signing:
        found["signing"] = row.signing
    if row.disabled_because:
        found["disabled_because"] = row.disabled_because
    if row.quiet_from is not None and row.quiet_until is not None:
        found["quiet_from"], found["quiet_until"] = _spelled(row.quiet_from), _spelled(row.quiet_until)
    return found


def _check(call: Call, account_id: str, wanted: WantedReceiver) -> None:
    networks = call.settings.alert_networks
    match wanted.channel:
        case outbox.WEBHOOK:
            fault = outbound.check_url(wanted.target, networks)
        case outbox.SYSLOG:
            place = outbound.split_host_port(wanted.target)
            fault = "it is no `HOST:PORT`" if place is None else outbound.check_host(place[0], networks)
        case outbox.DIRECTORY | outbox.APPRISE if isinstance(call.caller, Principal):
            fault = "receivers of this kind are for the operator of this server alone"
        case outbox.DIRECTORY:
            fault = spool.fault_of(wanted.target)
        case outbox.APPRISE:
            fault = apprise_services.fault_of(wanted.target)
        case _:
            fault = "" if addresses.is_deliverable(wanted.target) else "no mail is sent to an address of this kind"
    if fault:
        # Not named: what is refused is recorded, and the path of an URL may be a secret.
        raise errors.AccountValidation(f"that target can't be a receiver: {fault}")
    for name in wanted.rules:
        if name not in built_in.RULES and alert_rules.named(call.db, account_id, name) is None:
            raise errors.ResourceNotFound(f"there is no rule `{name}`; ListAlertRules names them all")
    if bool(wanted.quiet_from) != bool(wanted.quiet_until):
        raise errors.AccountValidation("quiet hours have a beginning and an end; give both or neither")


def _secret(wanted: WantedReceiver) -> Secret | None:
    if wanted.channel != outbox.WEBHOOK:
        return None
    chance = clock.token_bytes(webhooks.SECRET_BYTES)
    return webhooks.private_key(chance) if wanted.signing == ED25519 else webhooks.hmac_secret(chance)


def _sealed(call: Call, account_id: str, receiver_id: str, secret: Secret) -> bytes:
    return sealed.seal_webhook_secret(call.keyring, secret, account_id=account_id, receiver_id=receiver_id)


def _refuse_others(call: Call, row: AlertReceiverRow) -> None:
    if isinstance(call.caller, Principal) and not row.added_by:
        raise errors.AccessDenied("This receiver was added by the operator, who alone can change or remove it.")


def _changed(call: Call, row: AlertReceiverRow) -> AlertReceiverRow:
    alert_receivers.change(call.db, row)
    alert_revisions.touch(call.db, clock.revision())
    return row


def _count_try(row: AlertReceiverRow, db: Transaction) -> None:
    alert_receivers.change(db, row)


def _limit(call: Call, account_id: str, what: str, most: int) -> None:
    digest = hashlib.sha256(f"alert {what} {account_id}".encode()).digest()
    if tallies.count_up(call.db, digest, account_id, now=call.now, span=_HOUR) > most:
        raise errors.TooManyRequests(f"At most {most} {what} are sent within an hour. Try again later.")


def _tell(call: Call, row: AlertReceiverRow, kind: str, values: dict[str, str]) -> str:
    target = AlertTarget(row.channel, row.target, row)
    answer = {"account_id": row.account_id, "when": moment(call.now), **values}
    return observer.of(call.wiring.outbox).outbox.tell(call.db, row.account_id, target, kind, call.now, answer)


def _alert(call: Call, account_id: str, target: AlertTarget, *, detail: str) -> None:
    values = {
        "account_id": account_id,
        "event": "DeleteAlertReceiver",
        "event_id": "",
        "when": moment(call.now),
        "address": call.origin.source_ip,
        "detail": detail,
        "digest": "",
        "others": "",
    }
    rule = built_in.RULES["alerts-changed"]
    observer.of(call.wiring.outbox).outbox.alert(call.db, Alert(account_id, target, rule, call.now, values))


def _name(call: Call) -> str:
    return call.caller.arn if isinstance(call.caller, Principal) else ""


def _digest(receiver_id: str, code: str) -> bytes:
    return hashlib.sha256(f"{receiver_id} {code}".encode("utf-8", "replace")).digest()


def _minutes(text: str) -> int | None:
    if not text:
        return None
    hours, _, minutes = text.partition(":")
    return (int(hours) * 60 + int(minutes)) % _DAY_MINUTES


def _spelled(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"
