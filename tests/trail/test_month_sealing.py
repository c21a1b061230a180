"""Sealed months: nothing is lost, everything is found, whatever is tampered with is named, and what is withheld is gone."""

from __future__ import annotations

import dataclasses
import gzip
import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event
from typing import Any
from uuid import UUID

import msgspec
import pytest
import time_machine
from tests.cli.conftest import Terminal
from tests.fixtures.crown import Account, Crown
from tests.trail import logs, months, tampering
from tests.trail.months import ACCOUNTS, MONTH, SIZE

from crownkeep import clock, errors, ids
from crownkeep.cli import house
from crownkeep.cli.house import House
from crownkeep.storage.approvals import seals
from crownkeep.storage.approvals.seals import SealRow
from crownkeep.storage.database import DatabaseFault
from crownkeep.storage.trail import lookups, queue, reading, sealed_files, sealed_months, trails, withholdings
from crownkeep.storage.trail.events import EventRow
from crownkeep.storage.trail.sealed_files import SealedFileFault
from crownkeep.trail import catching_up, keeping, month_sealing, verifying
from crownkeep.trail.month_sealing import NotSealable
from crownkeep.trail.verifying import TrailReport

FIRST, LAST = UUID(int=0), ids.first_event_id(datetime(2025, 1, 1, tzinfo=UTC))
"""Before whatever these tests themselves record."""
Open = Callable[[], AbstractContextManager[House]]
IN_MONTH = sum(each.happened_at.month == 2 for each in map(months.event, range(SIZE)))
LIMIT = months.event(299).happened_at
ATTRIBUTES = (
    None,
    ("EventId", str(months.event(100).event_id)),
    ("EventName", "DeleteUser"),
    ("ReadOnly", "true"),
    ("Username", "user-3"),
    ("AccessKeyId", "AKIA0000000000000001"),
    ("ResourceName", "user-2"),
    ("ResourceName", "x" * 600),
    ("ResourceType", "AWS::IAM::User"),
    ("Username", "nobody"),
)
MIDDLE, LATER = months.event(150).event_id, months.event(450).event_id
RANGES: tuple[dict[str, Any], ...] = ({}, {"limit": 20, "before": MIDDLE}, {"limit": 60, "first": MIDDLE, "before": LATER})
OF_ACCOUNT = sum(each.happened_at.month == 2 and each.account_id == ACCOUNTS[1] for each in map(months.event, range(SIZE)))


@pytest.fixture(scope="module")
def furnished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    data = tmp_path_factory.mktemp("months") / "data"
    months.furnish(data)
    return data


@pytest.fixture
def opened(furnished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    """An installation of this test's own."""
    monkeypatch.setenv("CROWNKEEP_DATA", "")
    data = tmp_path / "data"
    shutil.copytree(furnished, data)
    with house.opened(str(data), None) as held:
        yield held


def seal(held: House, month: str = MONTH) -> None:
    month_sealing.seal(held.database, month, record=recorded(held, month))


def recorded(held: House, month: str = MONTH) -> Callable[[str], object]:
    return lambda sha256: held.ask("SealMonth", month=month, sha256=sha256)


def verified(held: House) -> TrailReport:
    catching_up.catch_up(held.database, held.directory.keyring)
    with held.database.snapshot() as db:
        return verifying.verify(db, policy=None, olds=[], progress=lambda _: None)


def test_a_month_that_waits_for_trails_names_them_and_their_buckets(opened: House):
    event_id = months.event(100).event_id.bytes
    with opened.database.transaction() as db:
        for number in range(4):
            row = trails.TrailRow(
                f"id-{number}", ACCOUNTS[1], f"audit-{number}", "us-east-1", f"logs-{number}", ACCOUNTS[1],
                "", True, True, True, None, None, True, 1, False, months.BEGINS,
            )  # fmt: skip
            trails.add(db, row)
            for moment in (event_id, months.event(101).event_id.bytes):
                db.execute(queue.table.insert().values(("id-" + str(number), moment, ACCOUNTS[1], ACCOUNTS[1], 1)))

    with pytest.raises(NotSealable) as refused:
        seal(opened)

    named = [f"arn:aws:cloudtrail:us-east-1:{ACCOUNTS[1]}:trail/audit-{number} (bucket `logs-{number}`)" for number in range(3)]
    assert f"8 records of {MONTH} are still to be delivered by {', '.join(named)} and 1 more: " in str(refused.value)


def named(report: TrailReport) -> set[tuple[str, int | None]]:
    return {(each.kind.value, each.index) for each in report.findings.first}


def found(held: House, account_id: str, **options: Any) -> list[EventRow]:
    wanted: dict[str, Any] = {"first": FIRST, "before": LAST, "limit": 1000} | options
    with held.database.snapshot() as db:
        return lookups.newest(db, account_id, **wanted)


def all_answers(held: House) -> list[list[EventRow]]:
    """Look up by everything that events are found by, in pages and in ranges of time."""
    return [found(held, account, attribute=each, **kept) for account in ACCOUNTS[1:] for each in ATTRIBUTES for kept in RANGES]


def kept_rows(held: House) -> int:
    with held.database.snapshot() as db:
        return sum(line.is_kept for line in reading.lines(db))


def file(held: House) -> Path:
    return held.settings.sealed_directory / f"{MONTH}.jsonl.gz"


def test_sealed_records_are_found_by_everything_as_before(opened: House):
    before = all_answers(opened)

    seal(opened)

    # The act has a record of its own.
    assert SIZE - IN_MONTH + 1 == kept_rows(opened)
    assert before == all_answers(opened)


def test_sealed_months_verify_and_export_and_prove(opened: House):
    with opened.database.snapshot() as db:
        lines = [(line.index, line.record, line.resources) for line in reading.lines(db)]

    seal(opened)

    report = verified(opened)
    assert ([], IN_MONTH, SIZE + 1, 0) == (report.findings.first, report.sealed, report.records, report.withheld)
    with opened.database.snapshot() as db:
        assert lines == [(line.index, line.record, line.resources) for line in reading.lines(db)][:SIZE]
        sealed = months.event(100)
        assert sealed.record == getattr(reading.of_event(db, sealed.event_id), "record", None)
        streamed = [record for _, _, record in reading.of_account(db, ACCOUNTS[1], after=-1, limit=1000)]
    assert [record for index, record, _ in lines if index % 3 == 1] == streamed


def test_a_sealed_file_is_an_export_that_anybody_can_read(opened: House):
    seal(opened)

    text = gzip.decompress(file(opened).read_bytes()).decode()

    # Records may hold separators of lines that JSON leaves as they are.
    assert IN_MONTH + 1 == len(text.rstrip("\n").split("\n"))
    assert 0o600 == file(opened).stat().st_mode & 0o777


@pytest.mark.parametrize("steps", range(6))
def test_a_kill_at_any_step_of_sealing_loses_nothing(opened: House, steps: int):
    before = all_answers(opened)
    sealing = month_sealing.steps(opened.database, MONTH, record=recorded(opened))
    done = [step for step, _ in zip(sealing, range(steps), strict=False)]
    sealing.close()

    interrupted, answers = verified(opened), all_answers(opened)
    seal(opened)

    assert ["written", "verified", "recorded", *["dropped"] * 5][: len(done)] == done
    assert ([], before) == (interrupted.findings.first, answers)
    assert ([], before) == (verified(opened).findings.first, all_answers(opened))
    assert IN_MONTH == verified(opened).sealed


def test_a_half_written_file_is_written_anew(opened: House):
    opened.settings.sealed_directory.mkdir()
    file(opened).write_bytes(b"half of a file")
    file(opened).with_name(f".{file(opened).name}.part").write_bytes(b"half")

    seal(opened)

    assert [] == verified(opened).findings.first


@pytest.mark.parametrize(
    ("spoil", "kinds"),
    [
        (lambda place: place.unlink(), {"sealed-file", "record-missing"}),
        (lambda place: place.write_bytes(place.read_bytes()[:2000]), {"sealed-file", "record-missing"}),
        (lambda place: rewrite(place, drop=100), {"record-missing"}),
        (lambda place: rewrite(place, change=b"Root"), {"record-changed"}),
        (lambda place: rewrite(place, change=b"iam.amazonaws.com\\u"), set()),
    ],
)
def test_a_sealed_file_that_lacks_or_differs_is_named(opened: House, spoil: Callable[[Path], None], kinds: set[str]):
    seal(opened)

    spoil(file(opened))

    report = verified(opened)
    assert kinds == {kind for kind, _ in named(report)}
    for each in report.findings.first:
        assert MONTH in each.text or each.kind.value == "record-changed"


def rewrite(place: Path, *, drop: int = -1, change: bytes = b"\0") -> None:
    """Rewrite a file as somebody does who can write it: without a line, or with another word in one."""
    lines = gzip.decompress(place.read_bytes()).splitlines(keepends=True)
    kept = [line for number, line in enumerate(lines) if number != drop]
    kept[50] = kept[50].replace(change, b"Boot")
    place.write_bytes(gzip.compress(kept[0]) + gzip.compress(b"".join(kept[1:])))


def test_a_lost_index_is_made_anew_and_one_of_another_file_is_not_believed(opened: House):
    before = all_answers(opened)
    seal(opened)
    index = file(opened).with_name(f"{MONTH}.index")

    index.write_bytes(index.read_bytes()[:100])
    rewrite(file(opened))

    assert before == all_answers(opened)


def test_a_record_that_is_not_in_a_file_is_dropped_by_nobody(opened: House):
    with pytest.raises(DatabaseFault, match="append-only"), opened.database.transaction() as db:
        sealed_months.drop(db, [sealed_months.DroppedRecord(ACCOUNTS[1], months.event(100).event_id.bytes, ())])


@pytest.mark.parametrize("month", ["2024-13", "2024", "../../etc", "2023-05"])
def test_what_is_no_month_or_has_no_records_is_not_sealed(opened: House, month: str):
    with pytest.raises(NotSealable):
        seal(opened, month)


def test_a_month_that_has_not_ended_is_not_sealed(opened: House):
    now = datetime.now().astimezone()

    with pytest.raises(errors.ValidationError, match="an hour after its end"):
        opened.ask("SealMonth", month=f"{now:%Y-%m}", sha256="0" * 64)


def test_a_tampered_record_is_not_sealed_as_if_it_were_right(opened: House):
    with opened.database.transaction() as db:
        tampering.disarm(db)
        wanted = months.event(100)
        db.exec_driver_sql("UPDATE events SET username = 'mallory' WHERE event_id = ?", (wanted.event_id.bytes,))

    with pytest.raises(NotSealable, match=str(wanted.event_id)):
        seal(opened)
    assert kept_rows(opened) == SIZE


def test_a_record_withheld_by_law_is_gone_from_its_sealed_file_too(opened: House):
    seal(opened)
    sealed = months.event(100)
    withheld = opened.ask("WithholdRecords", account_id=ACCOUNTS[1], event_id=str(sealed.event_id), reason="by law")

    assert [] == found(opened, ACCOUNTS[1], attribute=("EventId", str(sealed.event_id)))
    assert 1 == withheld["records"] == month_sealing.destroy_withheld(opened.database)
    assert 0 == month_sealing.destroy_withheld(opened.database)
    assert str(sealed.event_id).encode() not in gzip.decompress(file(opened).read_bytes())
    report = verified(opened)
    assert ([], IN_MONTH - 1, 1) == (report.findings.first, report.sealed, report.withheld)
    with pytest.raises(errors.ResourceNotFound):
        opened.ask("WithholdRecords", account_id=ACCOUNTS[1], event_id=str(sealed.event_id), reason="once more")


@pytest.mark.parametrize("until", [299, 10_000])
def test_retention_reaches_into_sealed_files(opened: House, until: int):
    seal(opened)
    limit = months.BEGINS.replace(year=2025) if until > SIZE else months.event(until).happened_at
    gone = [each for each in map(months.event, range(SIZE)) if each.account_id == ACCOUNTS[1] and each.happened_at < limit]

    withheld = opened.ask("WithholdRecords", account_id=ACCOUNTS[1], before=limit, reason="retention")

    in_file = sum(each.happened_at.month == 2 for each in gone)
    assert (len(gone), in_file) == (withheld["records"], month_sealing.destroy_withheld(opened.database))
    report = verified(opened)
    assert ([], len(gone)) == (report.findings.first, report.withheld)
    assert {each.event_id for each in gone}.isdisjoint(each.event_id for each in found(opened, ACCOUNTS[1]))


def test_whoever_is_withheld_in_the_middle_of_sealing_is_counted_once(opened: House):
    sealing = month_sealing.steps(opened.database, MONTH, record=recorded(opened))
    for _ in range(4):
        next(sealing)
    sealing.close()

    withheld = opened.ask("WithholdRecords", account_id=ACCOUNTS[1], before=datetime(2025, 1, 1).astimezone(), reason="all")
    seal(opened)

    report = verified(opened)
    assert ([], SIZE // 3, SIZE // 3) == (report.findings.first, withheld["records"], report.withheld)
    assert OF_ACCOUNT == month_sealing.destroy_withheld(opened.database)


def test_without_its_file_a_lookup_fails_rather_than_look_complete(opened: House):
    seal(opened)
    shutil.move(file(opened), file(opened).with_suffix(".away"))

    with pytest.raises(SealedFileFault, match=MONTH):
        found(opened, ACCOUNTS[1])
    # What lies after the month needs no file.
    assert found(opened, ACCOUNTS[1], first=ids.first_event_id(sealed_months.span(MONTH)[1]))


def test_a_copy_of_the_database_alone_says_that_it_could_not_see_sealed_files(opened: House):
    seal(opened)
    opened.database.engine.update_execution_options(crownkeep_sealed_directory=None)

    report = verified(opened)

    assert [] == report.findings.first
    assert [f"{IN_MONTH} records of sealed months: their files are not at hand"] == [
        each for each in report.not_seen if "sealed" in each
    ]


def test_sealed_months_on_postgresql(postgres: Any, tmp_path: Path):
    database = postgres.database()
    months.furnish(tmp_path / "data", database)
    with house.opened(str(tmp_path / "data"), database) as held:
        before = all_answers(held)
        seal(held)
        held.ask("WithholdRecords", account_id=ACCOUNTS[1], before=LIMIT, reason="retention")
        month_sealing.destroy_withheld(held.database)
        report = verified(held)
        rest = found(held, ACCOUNTS[2])

    gone = [each for each in map(months.event, range(SIZE)) if each.account_id == ACCOUNTS[1] and each.happened_at < LIMIT]
    assert ([], len(gone)) == (report.findings.first, report.withheld)
    assert [row.event_id for row in before[len(ATTRIBUTES) * len(RANGES)]] == [row.event_id for row in rest]


def test_the_index_finds_by_hashes_alone_what_is_there(opened: House):
    seal(opened)

    index = sealed_files.load(file(opened))

    assert [] == sealed_files.blocks_found_by(index, ACCOUNTS[1], ("Username", "nobody"))
    assert len(index.blocks) == len(sealed_files.blocks_found_by(index, ACCOUNTS[1], None))


def test_settings_seal_and_withhold_by_age_each_with_its_record(opened: House):
    settings = msgspec.structs.replace(opened.settings, trail_seal_after_days=1, trail_withhold_after_days=900)
    with time_machine.travel(months.BEGINS + timedelta(days=10 + 900), tick=False):
        keeping.keep(opened.database, dataclasses.replace(opened.wiring, settings=settings), Event())
        keeping.keep(opened.database, dataclasses.replace(opened.wiring, settings=settings), Event())
        report = verified(opened)
    withheld = sum(
        each.happened_at < datetime(2024, 2, 9, tzinfo=UTC) for each in map(months.event, range(SIZE)) if each.account_id
    )
    with opened.database.snapshot() as db:
        acts = [row.name for row in lookups.newest(db, "", first=LAST, before=UUID(int=(1 << 128) - 1), limit=100)]

    assert ([], withheld) == (report.findings.first, report.withheld)
    assert [*["SealMonth"] * 3, *["WithholdRecords"] * 2] == sorted(acts)
    assert SIZE - withheld == report.sealed

    with time_machine.travel(months.BEGINS + timedelta(days=20 + 900), tick=False):
        keeping.keep(opened.database, dataclasses.replace(opened.wiring, settings=settings), Event())
        report = verified(opened)
    withheld = sum(
        each.happened_at < datetime(2024, 2, 19, tzinfo=UTC) for each in map(months.event, range(SIZE)) if each.account_id
    )
    assert ([], withheld, 0) == (report.findings.first, report.withheld, month_sealing.destroy_withheld(opened.database))


def test_retention_leaves_the_records_of_a_sealed_trail_and_withholds_the_others(opened: House):
    settings = msgspec.structs.replace(opened.settings, trail_withhold_after_days=900)
    acts = "alerts\ntrail\noperator"
    row = SealRow(ACCOUNTS[1], "Quorum-01", ACCOUNTS[1], acts, 15, 0, 72, months.BEGINS, review_is_due=False)
    with opened.database.transaction() as db:
        seals.put(db, row)
        before = sum(each.account_id == ACCOUNTS[1] for each in map(months.event, range(SIZE)))

    with time_machine.travel(months.BEGINS + timedelta(days=400 + 900), tick=False):
        keeping.keep(opened.database, dataclasses.replace(opened.wiring, settings=settings), Event())

    left = {each: len(found(opened, each, before=UUID(int=(1 << 128) - 1))) for each in ACCOUNTS[1:]}
    assert before == left.pop(ACCOUNTS[1])
    assert {0} == set(left.values())


def test_by_default_everything_is_kept_for_ever(opened: House):
    keeping.keep(opened.database, opened.wiring, Event())

    assert SIZE == kept_rows(opened)


def test_lookup_events_and_commands_reach_into_sealed_months(fresh_crown: Callable[..., Crown], tmp_path: Path):
    crown = fresh_crown()
    account = crown.account()
    account.client("iam").create_user(UserName="sealed")
    logs.settled(crown)
    settings = crown.settings
    crownkeep = Terminal({"CROWNKEEP_DATA": settings.data, "CROWNKEEP_DATABASE": settings.database})
    month, (event,) = f"{clock.now():%Y-%m}", lookup(account, "CreateUser")
    with time_machine.travel(clock.now() + timedelta(days=40), tick=False):
        sealed = crownkeep("trail", "seal-month", month, "--json")
        listed = crownkeep("trail", "sealed", "--json")
        searched = crownkeep("trail", "search", "--event-name", "CreateUser", "--json")
        again = lookup(account, "CreateUser")
        proved = crownkeep("trail", "prove", event["EventId"], "--out", str(tmp_path / "a.tlog-proof"))
        checked = crownkeep("trail", "check", str(tmp_path / "a.tlog-proof"))
        verified = crownkeep("trail", "verify", "--json")

    assert 0 == sealed.code, sealed.err
    answer = sealed.json()
    assert 0 < account.client("trail").get_integrity()["SealedRecords"] <= answer["records"]
    assert [month] == [each["month"] for each in listed.json()["months"]]
    assert (answer["records"], True) == (verified.json()["sealed"], verified.json()["ok"])
    assert ["CreateUser"] == [each["record"]["eventName"] for each in searched.json()["events"]]
    assert [event] == again
    assert (0, 0) == (proved.code, checked.code)


def lookup(account: Account, name: str) -> list[dict[str, Any]]:
    wanted = [{"AttributeKey": "EventName", "AttributeValue": name}]
    found: list[dict[str, Any]] = account.client("cloudtrail").lookup_events(LookupAttributes=wanted)["Events"]
    return found


def test_a_backup_brings_sealed_files_back(opened: House, tmp_path: Path):
    seal(opened)
    catching_up.catch_up(opened.database, opened.directory.keyring)
    crownkeep = Terminal({"CROWNKEEP_DATA": opened.settings.data})
    (tmp_path / "target").mkdir()
    made = crownkeep("backup", "create", "--to", str(tmp_path / "target"), "--json")
    assert made.code == 0, made.err

    key = str(opened.settings.data_directory / "sealing.key")
    restored = crownkeep("backup", "restore", str(tmp_path / "target"), "--data", str(tmp_path / "new"), "--sealing-key", key)

    assert restored.code == 0, restored.err + restored.out
    found = Terminal({"CROWNKEEP_DATA": str(tmp_path / "new")})("trail", "verify", "--json").json()
    assert (True, IN_MONTH) == (found["ok"], found["sealed"])


def test_whoever_has_a_purged_account_s_id_next_hears_nothing_of_what_was_sealed(opened: House):
    seal(opened)
    opened.ask("CreateAccount", email="first@acme.example", name="first", account_id=ACCOUNTS[1], admin_user="admin")
    opened.ask("CloseAccount", account_id=ACCOUNTS[1])
    opened.ask("PurgeAccount", account_id=ACCOUNTS[1])
    with opened.database.snapshot() as db:
        counted = withholdings.count_sealed(db, ACCOUNTS[1], since=months.BEGINS)

    assert ([], 0) == (found(opened, ACCOUNTS[1]), counted)
    assert OF_ACCOUNT == month_sealing.destroy_withheld(opened.database)
    assert [] == verified(opened).findings.first
