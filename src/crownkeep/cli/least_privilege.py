"""`crownkeep least-privilege`: a policy for a user or role out of what was recorded of it. Nothing is changed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from crownkeep.cli import audit, output, recorded_events
from crownkeep.cli.recorded_events import RecordedSource

if TYPE_CHECKING:
    from crownkeep.advisor.least_privilege import ProposedPolicy


@click.command("least-privilege", short_help="Make a policy of what was recorded.")
@click.argument("principal", metavar="PRINCIPAL")
@click.option("--out", metavar="FILE", type=click.Path(dir_okay=False, path_type=Path), help="Write the policy here.")
@recorded_events.options
@output.json_flag("Print JSON: the policy, what it was made of, and what it takes away.")
def command(principal: str, out: Path | None, as_json: bool, **source: Any) -> None:
    """Make a policy for PRINCIPAL, the ARN of a user or role, that allows what was recorded of it, and little more.

    The policy is proven: everything recorded is decided again by it. Ends with 1 where it would deny any of that. Nothing is
    changed. What CloudTrail does not record, such as data events that no trail keeps, is not in it: read it before you use it.
    """
    from crownkeep.advisor import least_privilege

    read = RecordedSource(**source)
    found = recorded_events.entities_of(recorded_events.known(read))
    with recorded_events.failures():
        try:
            proposed = least_privilege.propose(recorded_events.of(read), principal, found)
        except least_privilege.NothingRecorded as error:
            raise click.ClickException(output.printable(f"{error} in the last {output.counted(read.days, 'day')}")) from error
    if out is not None:
        audit.write_private(out, json.dumps(proposed.document, indent=2) + "\n")
    _print(proposed, read.days, as_json=as_json)
    if proposed.denied or proposed.size > least_privilege.LARGEST:
        raise click.exceptions.Exit(1)


def _print(proposed: ProposedPolicy, days: int, *, as_json: bool) -> None:
    taken = proposed.taken
    if as_json:
        output.print_json(
            {
                "principal": proposed.principal,
                "days": days,
                "events": proposed.events,
                "policy": proposed.document,
                "size": proposed.size,
                "recorded": [
                    {"action": each.action, "count": each.count, "last_seen": each.last_seen, "resources": each.resources}
                    for each in proposed.recorded
                ],
                "wildcards": dict(proposed.wildcards),
                "denied": list(proposed.denied),
                "takes_away": None
                if taken is None
                else {"actions_before": taken.before, "actions_after": taken.after, "services": list(taken.services)},
            }
        )
        return
    click.echo(json.dumps(proposed.document, indent=2))
    rows = [(each.action, str(each.count), each.last_seen, str(each.resources or "any")) for each in proposed.recorded]
    click.echo()
    output.print_table(("Recorded", "Count", "Last seen", "Resources"), rows)
    for pattern, more in proposed.wildcards.items():
        click.echo(f"{pattern} allows {output.counted(more, 'action')} beside those recorded; all of them only read.")
    if taken is not None:
        click.echo(
            f"It allows {taken.after} of the {output.counted(taken.before, 'action')} that are allowed today; "
            f"{output.counted(len(taken.services), 'service')} can't be used any more."
        )
    click.echo(f"Replayed: it denies {len(proposed.denied)} of what was recorded. {proposed.size} of 6144 characters.")
    for each in proposed.denied:
        click.echo(output.printable(f"denied: {each}"))
