"""`crownkeep what-if`: who and what that was recorded a change would have denied. Nothing is changed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from crownkeep.cli import output, recorded_events
from crownkeep.cli.failures import WrongCall
from crownkeep.cli.recorded_events import RecordedSource

if TYPE_CHECKING:
    from crownkeep.advisor.entities import Entities
    from crownkeep.advisor.what_if import Affected, HypotheticalChange, WhatIfAnswer

Function = TypeVar("Function", bound=Callable[..., Any])
_SOURCE = ("events", "data", "database", "account", "kept", "profile", "endpoint_url", "days")
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group("what-if", short_help="Show what recorded use a change would deny.")
def command() -> None:
    """Show who and what, of all that was recorded in the last days, a change would have denied.

    Events are read by LookupEvents of the account that the usual AWS variables name, or from `--events` (CloudTrail's log files)
    or `--data` (our own database). Nothing is changed. Ends with 0 whatever is found.
    """


def _asking(function: Function) -> Function:
    @wraps(function)
    def run(**given: Any) -> None:
        source = RecordedSource(**{name: given.pop(name) for name in _SOURCE})
        as_json = given.pop("as_json")
        # Who has what is asked first: without it some changes can't be judged, and then no event needs to be read.
        evidence = recorded_events.known(source)
        found = recorded_events.entities_of(evidence)
        manager = recorded_events.management_account(evidence)
        change = function(found=found, management_account=manager, **given)
        from crownkeep.advisor import what_if

        with recorded_events.failures(), recorded_events.counted(recorded_events.of(source)) as events:
            answer = what_if.ask(events, change, found)
        _print(answer, source.days, as_json=as_json)

    return recorded_events.options(output.json_flag()(run))  # type: ignore[return-value]  # click's decorators keep the function


@command.command("root-off", short_help="Root's password and keys are gone.")
@_asking
def root_off(found: Entities | None, management_account: str) -> HypotheticalChange:
    """Ask what root's own credentials did, which nobody could do with them once they are gone."""
    from crownkeep.advisor import what_if

    return what_if.root_off()


@command.command("require-mfa", short_help="Users need MFA for everything but setting it up.")
@click.option("--user", metavar="ARN", default="", help="Of this user alone.")
@_asking
def require_mfa(user: str, found: Entities | None, management_account: str) -> HypotheticalChange:
    """Ask what users did without MFA."""
    from crownkeep.advisor import what_if

    return what_if.mfa_required(user)


@command.command("attach-scp", short_help="A service control policy is attached.")
@click.argument("document", type=_FILE)
@_asking
def attach_scp(document: Path, found: Entities | None, management_account: str) -> HypotheticalChange:
    """Ask what a service control policy, attached beside what there is, would have denied."""
    from crownkeep.advisor import what_if

    return _read(document, lambda text: what_if.scp_attached(text, management_account=management_account))


@command.command("set-boundary", short_help="A user or role has another permissions boundary.")
@click.argument("principal", metavar="ARN")
@click.argument("document", type=_FILE)
@_asking
def set_boundary(principal: str, document: Path, found: Entities | None, management_account: str) -> HypotheticalChange:
    """Ask what a user or role did that a permissions boundary would not have allowed."""
    from crownkeep.advisor import what_if

    return _read(document, lambda text: what_if.boundary_set(principal, text, found))


@command.command("delete-key", short_help="An access key is gone.")
@click.argument("key", metavar="KEY-ID")
@_asking
def delete_key(key: str, found: Entities | None, management_account: str) -> HypotheticalChange:
    """Ask what an access key signed."""
    from crownkeep.advisor import what_if

    return what_if.key_deleted(key)


@command.command("remove-policy", short_help="A policy is taken away.")
@click.argument("policy", metavar="ARN-OR-NAME")
@click.option("--principal", metavar="ARN", default="", help="From this user, group or role alone.")
@_asking
def remove_policy(policy: str, principal: str, found: Entities | None, management_account: str) -> HypotheticalChange:
    """Ask what nothing else would have allowed, once a managed policy or an inline one is taken from whoever has it."""
    from crownkeep.advisor import what_if

    return _take_away(lambda known: what_if.policy_removed(policy, known, principal_arn=principal), found)


@command.command("leave-group", short_help="A user is in a group no more.")
@click.argument("user", metavar="USER-ARN")
@click.argument("group", metavar="GROUP")
@_asking
def leave_group(user: str, group: str, found: Entities | None, management_account: str) -> HypotheticalChange:
    """Ask what nothing else would have allowed a user, once they are no member of a group any more."""
    from crownkeep.advisor import what_if

    return _take_away(lambda known: what_if.group_left(user, group, known), found)


def _take_away(change: Callable[[Entities], HypotheticalChange], found: Entities | None) -> HypotheticalChange:
    if found is None:
        raise WrongCall("who has which policies has to be known: give kept evidence with `--from`, or ask the account itself")
    try:
        return change(found)
    except ValueError as error:
        raise WrongCall(output.printable(str(error))) from error


def _read(document: Path, change: Callable[[str], HypotheticalChange]) -> HypotheticalChange:
    from crownkeep.policy import MalformedPolicy

    try:
        return change(document.read_text(encoding="utf-8"))
    except (MalformedPolicy, UnicodeDecodeError) as error:
        raise WrongCall(output.printable(f"`{document}` is no policy: {error}")) from error


def _print(answer: WhatIfAnswer, days: int, *, as_json: bool) -> None:
    if as_json:
        output.print_json(
            {
                "change": answer.change.title,
                "days": days,
                "events": answer.events,
                "denied": [_as_json(each) for each in answer.denied],
                "unknown": [{**_as_json(each), "reason": each.reason} for each in answer.unknown],
                "assumes": list(answer.change.assumes),
            }
        )
        return
    denied, read = sum(each.count for each in answer.denied), output.counted(answer.events, "event")
    click.echo(output.printable(f"{answer.change.title}: of {read} in {days} days, {denied} would have been denied."))
    for each in answer.change.assumes:
        click.echo(each)
    if answer.denied:
        output.print_table(("Who", "What", "Count", "Last seen"), [_row(each) for each in answer.denied])
    if answer.unknown:
        click.echo("\nCan't be told:")
        output.print_table(("Who", "What", "Count", "Last seen", "Why"), [(*_row(each), each.reason) for each in answer.unknown])


def _as_json(each: Affected) -> Mapping[str, Any]:
    return {
        "principal": each.principal,
        "action": each.action,
        "count": each.count,
        "last_seen": each.last_seen,
        "resources": list(each.resources),
    }


def _row(each: Affected) -> tuple[str, str, str, str]:
    return (each.principal, each.action, str(each.count), each.last_seen)
