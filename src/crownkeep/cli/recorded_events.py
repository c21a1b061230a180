"""Where commands read recorded use from: files, a database as it lies there, or an account's LookupEvents."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from crownkeep.arn import GLOBAL_REGION
from crownkeep.cli import audit, house, output, trail_sources
from crownkeep.cli.account import account_id
from crownkeep.cli.failures import WrongCall

if TYPE_CHECKING:
    from crownkeep.advisor.entities import Entities
    from crownkeep.advisor.evidence import Evidence
    from crownkeep.advisor.reader import Clients
    from crownkeep.advisor.recorded import RecordedEvent

_SHOWN_EVERY = 1_000
"""Events between two looks at the bar, so that showing it costs nothing."""

Function = TypeVar("Function", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class RecordedSource:
    """Where to read, as the options say it."""

    events: tuple[Path, ...]
    data: str | None
    database: str | None
    account: str | None
    kept: Any
    profile: str | None
    endpoint_url: str | None
    days: int


def options(function: Function) -> Function:
    """Give a command the options that say where recorded use is read; they come as keywords of RecordedSource."""
    decorators = (
        click.option(
            "--events",
            metavar="PATH",
            multiple=True,
            type=click.Path(exists=True, path_type=Path),
            help="CloudTrail's log files.",
        ),
        click.option("--account", metavar="ID", callback=account_id, help="With `--data`: the account whose trail it is."),
        click.option(
            "--from", "kept", metavar="FILE", type=click.File(encoding="utf-8"), help="Evidence of `audit --save`: who has what."
        ),
        click.option("--profile", metavar="P", help="A profile of the AWS configuration; the usual variables unless given."),
        click.option("--endpoint-url", metavar="U", help="Another endpoint than AWS's; AWS_ENDPOINT_URL is read, too."),
        click.option("--days", type=click.IntRange(1, 3650), default=90, show_default=True, help="How far back to look."),
        house.options,
    )
    for each in reversed(decorators):
        function = each(function)
    return function


@contextmanager
def failures() -> Iterator[None]:
    """Say in one sentence what is no record."""
    from crownkeep.advisor.recorded import UnreadableRecords
    from crownkeep.untrusted_json import UnreadableJson

    try:
        yield
    except (UnreadableRecords, UnreadableJson) as error:
        raise WrongCall(output.printable(str(error))) from error


def of(source: RecordedSource) -> Iterator[RecordedEvent]:
    """Yield the events of the last days: from files where they are named, from a database, or by LookupEvents."""
    from crownkeep import clock
    from crownkeep.advisor import evidence, recorded_files

    since = clock.now() - timedelta(days=source.days)
    if source.events:
        oldest = evidence.stamp(since)
        return (each for each in recorded_files.of(source.events) if each.event_time >= oldest)
    if source.data is not None or source.database is not None:
        return _of_database(source)
    return _looked_up(source)


@contextmanager
def counted(found: Iterable[RecordedEvent]) -> Iterator[Iterable[RecordedEvent]]:
    """Show on a terminal how many events have been read, on standard error and only where somebody looks at it."""
    if not sys.stderr.isatty():
        yield found
        return
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (SpinnerColumn(), TextColumn("{task.description}"), TextColumn("{task.completed:,.0f} events"), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("Reading", total=None)

        def advancing() -> Iterator[RecordedEvent]:
            number = 0
            for number, each in enumerate(found, start=1):
                if number % _SHOWN_EVERY == 0:
                    bar.update(task, completed=number)
                yield each
            bar.update(task, completed=number)

        yield advancing()


def _of_database(source: RecordedSource) -> Iterator[RecordedEvent]:
    from crownkeep import clock
    from crownkeep.advisor import recorded
    from crownkeep.trail import exporting
    from crownkeep.trail.exporting import TrailSelection

    if source.account is None:
        raise WrongCall("say with `--account` whose trail to read out of the database")
    selection = TrailSelection(account_id=source.account, since=clock.now() - timedelta(days=source.days))
    with trail_sources.offline(source.data, source.database) as opened, opened.snapshot() as db:
        for _, content in exporting.encoded_records(db, selection):
            yield recorded.read(content)


def _looked_up(source: RecordedSource) -> Iterator[RecordedEvent]:
    from botocore.exceptions import BotoCoreError, ClientError

    from crownkeep import clock
    from crownkeep.advisor import recorded

    client = clients(source)("cloudtrail", GLOBAL_REGION)
    pages = client.get_paginator("lookup_events").paginate(StartTime=clock.now() - timedelta(days=source.days))
    try:
        for page in pages:
            for each in page["Events"]:
                yield recorded.read(each["CloudTrailEvent"])
    except (BotoCoreError, ClientError) as error:
        raise WrongCall(output.printable(f"events can't be looked up: {error}; see `--events` and `--data`")) from error


def clients(source: RecordedSource) -> Clients:
    """Make clients of the account."""
    from crownkeep.advisor import reader

    with audit.botocore_failures():
        return reader.clients_of(source.profile, source.endpoint_url)


def known(source: RecordedSource) -> Evidence | None:
    """Return what is known of who has which policies: kept evidence, or the account's own answer; None where nobody is asked."""
    from crownkeep import clock
    from crownkeep.advisor import calls, evidence, reader
    from crownkeep.advisor.evidence import Missing

    if source.kept is not None:
        return audit.kept_evidence(source.kept)
    # Recorded use from files or a database is read offline, so nobody is asked. `--from` says who has what, where it is needed.
    if source.events or source.data is not None or source.database is not None:
        return None
    ask = clients(source)
    answers = reader.ask_all(ask, (calls.IDENTITY, calls.AUTHORIZATION, calls.ORGANIZATION))
    who = answers[0]
    if isinstance(who, Missing) or who.value is None:
        raise WrongCall(
            output.printable("no AWS account can be asked: see `--profile`, `--endpoint-url` and the variables AWS_*")
        )
    return evidence.of(str(who.value["Account"]), clock.now(), answers)


def entities_of(evidence: Evidence | None) -> Entities | None:
    """Return users, groups, roles and policies, None where they are not known."""
    from crownkeep.advisor import entities
    from crownkeep.advisor.view import CannotTell, View

    if evidence is None:
        return None
    try:
        return entities.of(View(evidence))
    except CannotTell:
        return None


def management_account(evidence: Evidence | None) -> str:
    """Return the management account of the organization, empty where it is not known or there is none."""
    from crownkeep.advisor import organization
    from crownkeep.advisor.view import CannotTell, DoesNotApply, View

    if evidence is None:
        return ""
    try:
        return str(organization.of(View(evidence)).get("MasterAccountId", ""))
    except (CannotTell, DoesNotApply):
        return ""
