"""Delivery: what is due is sent once, by one process; what does not leave is tried again, and given up after a day."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
import time_machine
from tests.alerts.office import text_of

from crownkeep.alerts import built_in, delivery, endings
from crownkeep.alerts.delivery import Delivery
from crownkeep.alerts.observer import Observer
from crownkeep.alerts.routing import AlertTarget
from crownkeep.alerts.rule import MOST_MAILS, SPAN
from crownkeep.alerts.sealed_outbox import Alert, SealedOutbox
from crownkeep.alerts.undelivered import Undelivered
from crownkeep.credentials import sealing
from crownkeep.credentials.sealing import Keyring
from crownkeep.operations.call import Wiring
from crownkeep.operations.notices import Notice
from crownkeep.operations.standing import Standings
from crownkeep.settings import Settings
from crownkeep.storage.database import Database, Transaction
from crownkeep.storage.notices import alert_digests, deliveries, leases, outbox
from crownkeep.storage.notices.alert_digests import AlertDigestRow
from crownkeep.storage.notices.deliveries import DeliveryRow
from crownkeep.storage.notices.outbox import NoticeRow
from crownkeep.storage.writer import Writer

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
VALUES = {"account_id": "111122223333", "code": "aB3dE9", "until": "later"}


class Recorded:
    """A channel that remembers what was sent; it fails so many times before."""

    def __init__(self, *, failures: int = 0) -> None:
        self.failures = failures
        self.sent: list[tuple[str, EmailMessage]] = []

    def send(self, message: EmailMessage, *, notice_id: str, account_id: str) -> None:
        if self.failures:
            self.failures -= 1
            raise Undelivered("the server refuses the message (451)")
        self.sent.append((notice_id, message))


class Office:
    """Deliveries over one database, on a loop of their own."""

    def __init__(self, database: Database, tmp_path: Path) -> None:
        self.database = database
        keyring = Keyring([sealing.mint_key(bytes(32), made=NOON.date())])
        self.outbox = Observer(SealedOutbox(keyring))
        self.wiring = Wiring(Settings(data=str(tmp_path)), keyring, Standings(keyring), self.outbox)

    def post(self, recipient: str = "root@acme.example", *, at: datetime = NOON) -> None:
        self.database.write(lambda db: self.outbox.send(db, Notice("email-code", recipient, "111122223333", at, VALUES)))

    def waiting(self) -> list[NoticeRow]:
        with self.database.snapshot() as db:
            return outbox.page(db, after="", limit=100)

    def ended(self) -> list[DeliveryRow]:
        with self.database.snapshot() as db:
            return deliveries.latest(db, "111122223333", limit=100)

    def send_due(self, *channels: Recorded) -> list[int]:
        """Let a process for each channel send what is due, all at the same time."""

        async def work() -> list[int]:
            writers = [Writer(self.database, self.outbox.observe) for _ in channels]
            try:
                processes = [
                    Delivery(self.database, writer, self.wiring, self.outbox, channel)
                    for writer, channel in zip(writers, channels, strict=True)
                ]
                return list(await asyncio.gather(*(each.send_due() for each in processes)))
            finally:
                for writer in writers:
                    await writer.stop()

        return run(work)


def run(work: Callable[[], Awaitable[list[int]]]) -> list[int]:
    async def main() -> list[int]:
        return await work()

    # On a thread of its own: browser tests leave a loop running on this one.
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, main()).result()


@pytest.fixture
def office(database: Database, tmp_path: Path) -> Office:
    return Office(database, tmp_path)


@time_machine.travel(NOON)
def test_a_notice_that_nobody_can_send_for_a_fault_of_ours_counts_its_attempts_and_ends_like_others(
    office: Office, caplog: pytest.LogCaptureFixture
):
    class Faulty(Recorded):
        def send(self, message: EmailMessage, *, notice_id: str, account_id: str) -> None:
            raise ZeroDivisionError

    office.post()

    assert [0] == office.send_due(Faulty())

    [waiting] = office.waiting()
    assert (1, True) == (waiting.attempts, waiting.due_at > NOON)
    assert "a notice could not be sent" in caplog.text


@time_machine.travel(NOON)
def test_a_notice_is_sent_once_and_forgotten(office: Office):
    office.post()
    channel = Recorded()

    assert [1] == office.send_due(channel)
    assert [0] == office.send_due(channel)

    assert [] == office.waiting()
    ((_, message),) = channel.sent
    assert ("root@acme.example", True) == (message["To"], "aB3dE9" in text_of(message))


@time_machine.travel(NOON)
def test_two_processes_never_send_a_notice_twice(office: Office):
    for _ in range(15):
        office.post()
    channels = [Recorded(), Recorded(), Recorded()]

    office.send_due(*channels)

    sent = [notice_id for channel in channels for notice_id, _ in channel.sent]
    assert (15, 15) == (len(sent), len(set(sent)))
    assert [] == office.waiting()


@time_machine.travel(NOON)
def test_an_alert_that_comes_while_its_lane_is_given_back_waits_for_no_later_look(
    office: Office, monkeypatch: pytest.MonkeyPatch
):
    target, rule = AlertTarget(outbox.MAIL, "root@acme.example"), built_in.RULES["root-signed-in"]
    values = dict.fromkeys(("event", "event_id", "when", "address", "detail", "digest", "others"), "") | VALUES
    release, late = Delivery._release, [Alert("111122223333", target, rule, NOON, values)]

    def alert(each: Alert) -> None:
        office.database.write(lambda db: office.outbox.outbox.alert(db, each))

    async def release_late(self: Delivery, lane: Any) -> bool:
        while late:
            alert(late.pop())
        return await release(self, lane)

    monkeypatch.setattr(Delivery, "_release", release_late)
    alert(late[0])

    assert [2] == office.send_due(Recorded())
    assert [] == office.waiting()


def test_a_notice_that_does_not_leave_is_tried_again_after_growing_delays(office: Office):
    office.post()
    channel = Recorded(failures=3)

    with time_machine.travel(NOON, tick=False) as clock:
        office.send_due(channel)
        assert [0] == office.send_due(channel)
        for seconds in (30, 60, 120):
            clock.shift(seconds)
            office.send_due(channel)

    assert 1 == len(channel.sent)
    assert [] == office.waiting()


def test_delays_double_up_to_an_hour():
    assert [30, 60, 120, 240] == [endings.delay(attempts).total_seconds() for attempts in (1, 2, 3, 4)]
    assert timedelta(hours=1) == endings.delay(10) == endings.delay(10_000)


def test_the_fault_is_kept_for_the_operator_to_see(office: Office):
    office.post()

    with time_machine.travel(NOON, tick=False):
        office.send_due(Recorded(failures=1))

    (row,) = office.waiting()
    assert (1, "the server refuses the message (451)") == (row.attempts, row.last_fault)


def test_after_a_day_a_notice_is_given_up_and_the_log_says_so(office: Office, caplog: pytest.LogCaptureFixture):
    office.post()
    channel = Recorded(failures=1)

    with time_machine.travel(NOON + timedelta(days=1), tick=False), caplog.at_level(logging.ERROR, "crownkeep.alerts"):
        office.send_due(channel)

    assert [] == office.waiting()
    (line,) = [record.getMessage() for record in caplog.records]
    assert "is given up: the server refuses the message (451)" in line
    assert "aB3dE9" not in line


def test_a_process_that_dies_while_sending_lets_another_send_later_under_the_same_message_id(office: Office):
    office.post()
    (row,) = office.waiting()
    with time_machine.travel(NOON, tick=False) as clock:
        until = NOON + delivery.LEASED_FOR
        assert office.database.write(
            lambda db: leases.take(db, row.lane, row.account_id, holder="the dead", now=NOON, until=until)
        )
        channel = Recorded()

        office.send_due(channel)
        assert [] == channel.sent
        clock.shift(delivery.LEASED_FOR)
        office.send_due(channel)

    ((notice_id, message),) = channel.sent
    assert (row.notice_id, f"<{row.notice_id}@crownkeep.invalid>") == (notice_id, message["Message-ID"])


@time_machine.travel(NOON)
def test_a_notice_to_nobody_is_thrown_away_unsent(office: Office):
    office.post(recipient="")
    channel = Recorded()

    office.send_due(channel)

    assert [] == channel.sent
    with office.database.snapshot() as db:
        assert [] == outbox.heads(db, now=NOON + timedelta(days=2), limit=10)


def test_a_notice_to_a_hostile_address_is_never_kept(office: Office, caplog: pytest.LogCaptureFixture):
    office.post(recipient="root@acme.example\r\nBcc: eve@evil.example")

    assert [] == office.waiting()
    assert "evil" not in caplog.text


def test_what_a_notice_says_is_sealed_at_rest(office: Office):
    office.post()

    (row,) = office.waiting()

    assert b"aB3dE9" not in row.sealed_values


def test_what_became_of_each_notice_is_remembered_without_what_it_said(office: Office):
    office.post("first@acme.example")
    office.post("second@acme.example")
    channel = Recorded(failures=1)

    with time_machine.travel(NOON + timedelta(days=1), tick=False):
        office.send_due(channel)

    latest, earlier = sorted(office.ended(), key=lambda row: row.recipient, reverse=True)
    assert {"", "the server refuses the message (451)"} == {latest.fault, earlier.fault}
    assert "aB3dE9" not in repr(office.ended())


def test_a_notice_to_an_address_that_no_mail_is_sent_to_is_remembered_as_failed(office: Office):
    office.post("root@[203.0.113.7]")

    (row,) = office.ended()

    assert ("root@[203.0.113.7]", 0) == (row.recipient, row.attempts)
    assert "no mail is sent" in row.fault


def test_deliveries_are_forgotten_after_ninety_days(office: Office):
    office.post("first@acme.example")
    with time_machine.travel(NOON, tick=False):
        office.send_due(Recorded())
    later = NOON + deliveries.KEPT_FOR + timedelta(days=1)
    office.post("second@acme.example", at=later)

    with time_machine.travel(later, tick=False):
        office.send_due(Recorded())

    assert ["second@acme.example"] == [row.recipient for row in office.ended()]


def test_a_flood_is_summed_up_ever_later_and_counted_anew_after_an_hour(office: Office):
    assert NOON + SPAN / 2 == _turned(office, held_back=0, lasted=SPAN / 4)
    assert NOON + SPAN == _turned(office, held_back=3, lasted=SPAN * 3 / 4)
    assert None is _turned(office, held_back=3, lasted=SPAN)


def _turned(office: Office, *, held_back: int, lasted: timedelta) -> datetime | None:
    """Let a span of a critical rule come to a summary, and return when its next is due, if it goes on."""
    at = NOON + lasted
    row = AlertDigestRow("111122223333", "root-access-key-used", b"", NOON, at, MOST_MAILS, held_back, NOON, "an id")

    def work(db: Transaction) -> AlertDigestRow | None:
        alert_digests.begin(db, row)
        office.outbox.summarize(db, at)
        found = alert_digests.hold(db, row.account_id, row.rule, row.topic)
        alert_digests.end(db, row)
        return found

    found = office.database.write(work)
    assert found is None or 0 == found.held_back
    return None if found is None else found.ends_at
