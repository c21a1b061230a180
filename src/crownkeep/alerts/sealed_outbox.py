"""The outbox: notices are written in the transaction of the change they are about, and go out once it has committed."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

import msgspec

from crownkeep import clock, ids
from crownkeep.alerts import addresses, routing
from crownkeep.alerts.routing import AlertTarget
from crownkeep.alerts.rule import Rule
from crownkeep.credentials.sealing import Keyring
from crownkeep.credentials.secret import Secret
from crownkeep.operations import notices, sealed
from crownkeep.operations.notices import EVENT_NOTICE, Notice
from crownkeep.storage.database import Transaction
from crownkeep.storage.notices import deliveries, outbox
from crownkeep.storage.notices.deliveries import DeliveryRow
from crownkeep.storage.notices.outbox import NoticeRow

_NO_ADDRESS = "no mail is sent to an address of this kind; give a plain one, such as security@acme.example"
_log = logging.getLogger("crownkeep.alerts")


@dataclass(frozen=True, slots=True)
class Alert:
    """A rule that fired, for one target."""

    account_id: str
    target: AlertTarget
    rule: Rule
    written_at: datetime
    values: Mapping[str, str]


class SealedOutbox:
    """Where notices wait, their contents sealed."""

    def __init__(self, keyring: Keyring) -> None:
        self._keyring = keyring
        self.on_added: Callable[[], None] | None = None
        """Called when something was put in, on whichever thread that happens: it goes out with the commit, which is next."""

    def send(self, db: Transaction, notice: Notice) -> None:
        """Put a notice into the outbox; one to an address that mail must not be sent to is dropped and logged."""
        notice_id = _new_id(notice.written_at)
        self._add(
            db,
            NoticeRow(
                notice_id=notice_id,
                account_id=notice.account_id,
                recipient=notice.recipient,
                kind=notice.kind,
                sealed_values=b"",
                created_at=notice.written_at,
                due_at=notice.written_at,
                claimed_until=notice.written_at,
                lane=notice_id,
            ),
            notice.values,
        )

    def alert(self, db: Transaction, alert: Alert) -> str:
        """Put an alert into the outbox, behind what its target has not got yet; returns its id."""
        target, rule = alert.target, alert.rule
        values = {
            **alert.values,
            "says": rule.subject,
            "advice": rule.advice,
            "rule": rule.name,
            "severity": rule.severity.value,
            # Whoever wrote it must not be able to have us mail it to somebody who has not asked for that.
            "runbook": rule.runbook if target.receiver is not None else "",
        }
        lane = routing.lane(alert.account_id, target, is_urgent=rule.is_critical)
        due_at = routing.due_at(target, rule, alert.written_at)
        # What stands ahead has failed before: this one waits with it, so that the lane is not looked through in vain.
        ahead = outbox.of_lane(db, lane, limit=1)
        if ahead and ahead[0].attempts:
            due_at = max(due_at, ahead[0].due_at)
        notice_id = _new_id(alert.written_at)
        row = NoticeRow(
            notice_id=notice_id,
            account_id=alert.account_id,
            recipient=shown(target),
            kind=EVENT_NOTICE,
            sealed_values=b"",
            created_at=alert.written_at,
            due_at=due_at,
            claimed_until=alert.written_at,
            channel=target.channel,
            receiver_id=target.receiver.receiver_id if target.receiver is not None else "",
            lane=lane,
            rule=rule.name,
        )
        self._add(db, row, values)
        return notice_id

    def tell(
        self, db: Transaction, account_id: str, target: AlertTarget, kind: str, at: datetime, values: Mapping[str, str]
    ) -> str:
        """Put something that is no alert into the outbox for a target, such as a test; returns its id."""
        notice_id = _new_id(at)
        row = NoticeRow(
            notice_id=notice_id,
            account_id=account_id,
            recipient=shown(target),
            kind=kind,
            sealed_values=b"",
            created_at=at,
            due_at=at,
            claimed_until=at,
            channel=target.channel,
            receiver_id=target.receiver.receiver_id if target.receiver is not None else "",
            lane=notice_id,
        )
        self._add(db, row, values)
        return notice_id

    def _add(self, db: Transaction, row: NoticeRow, values: Mapping[str, str]) -> None:
        if row.channel == outbox.MAIL and row.recipient and not addresses.is_deliverable(row.recipient):
            # The address itself stays out of the log: it is what is wrong, and may be made to drive whatever reads logs.
            _log.warning("account %s has an address that no mail is sent to; a notice (%s) is dropped", row.account_id, row.kind)
            deliveries.add(db, _dropped(row))
            return
        text = Secret(msgspec.json.encode(dict(values)).decode())
        blob = sealed.seal_notice(self._keyring, text, account_id=row.account_id, notice_id=row.notice_id)
        outbox.add(db, replace(row, sealed_values=blob))
        if self.on_added is not None:
            self.on_added()


def shown(target: AlertTarget) -> str:
    """Return how a target is named where notices are listed: the host of an URL, whose path may hold a secret."""
    if target.channel != outbox.WEBHOOK:
        return target.address[: addresses.LONGEST]
    return target.address.partition("://")[2].partition("/")[0].rpartition("@")[2][: addresses.LONGEST]


def read(keyring: Keyring, row: NoticeRow) -> Mapping[str, str]:
    """Return what a waiting notice says; raises Unsealable where its key is gone."""
    opened = sealed.open_notice(keyring, row.sealed_values, account_id=row.account_id, notice_id=row.notice_id)
    return msgspec.json.decode(opened.reveal(), type=dict[str, str])


def ended(keyring: Keyring, row: NoticeRow, *, at: datetime, fault: str) -> DeliveryRow:
    """Return what is remembered of a notice that left or, with a fault, was given up."""
    heading = notices.heading(keyring, row)
    return DeliveryRow(
        row.notice_id,
        row.account_id,
        row.recipient,
        row.kind,
        row.created_at,
        at,
        attempts=row.attempts + 1,
        fault=fault,
        about=heading.about,
        event_id=heading.event_id,
        channel=row.channel,
        receiver_id=row.receiver_id,
        rule=row.rule,
    )


def _new_id(at: datetime) -> str:
    return ids.event_id(at, clock.id_bytes(10)).hex


def _dropped(row: NoticeRow) -> DeliveryRow:
    address, at = row.recipient[: addresses.LONGEST], row.created_at
    return DeliveryRow(row.notice_id, row.account_id, address, row.kind, at, at, attempts=0, fault=_NO_ADDRESS, rule=row.rule)
