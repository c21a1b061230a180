"""`crownkeep approvals teams` and `rules`: who could approve something today, and what a team asks of itself beyond a number."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import click

from crownkeep.cli import house, output, waiting
from crownkeep.cli.account import account_argument


@click.command("teams", short_help="List an account's approval teams.")
@account_argument
@house.options
@output.json_flag()
def teams(account_id: str, data: str | None, database: str | None, as_json: bool) -> None:
    """List an account's approval teams, and that of its seal, with who in them could approve something today."""
    with house.opened(data, database) as held:
        found = held.ask("ListApprovalTeams", account_id=account_id)["teams"]
    if as_json:
        output.print_json({"teams": found})
        return
    for each in found:
        output.print_pairs(_pairs(each))
        click.echo()
    if not found:
        click.echo("The account has no approval team: `aws mpa create-approval-team` makes one.")


@click.command("rules", short_help="Ask a team for groups, or a delay, of its own rule.")
@click.argument("team_arn", metavar="ARN")
@click.option(
    "--group",
    "groups",
    metavar="NAME=K:WHO,WHO",
    multiple=True,
    help="A group of whom K must approve: by approver id or a custodian's address. Can be repeated.",
)
@click.option("--no-groups", is_flag=True, help="No groups any more: the number of approvals alone counts.")
@click.option("--alone-after", metavar="HOURS", type=click.IntRange(24, 48), help="Whoever asks goes on alone if nobody refuses.")
@click.option("--never-alone", is_flag=True, help="Nobody goes on alone any more.")
@waiting.options
@house.options
@output.json_flag()
def rules(
    team_arn: str,
    groups: Sequence[str],
    no_groups: bool,
    alone_after: int | None,
    never_alone: bool,
    asked: waiting.Asking,
    data: str | None,
    database: str | None,
    as_json: bool,
) -> None:
    """Ask an approval team for other rules of itself. It prints the request's id and ends with 3: the team decides.

    The rules are in force as soon as the team has approved. With `--request ID`, the command ends with 0 once they are.
    """
    if (groups and no_groups) or (alone_after is not None and never_alone):
        raise click.UsageError("say either what there is to be, or that there is to be none")
    wanted = [_group(each) for each in groups] if groups else [] if no_groups else None
    hours = 0 if never_alone else alone_after
    with house.opened(data, database) as held:
        if asked.request_id is not None:
            waiting.require(held, asked, "used")
            _tell(asked.request_id, as_json=as_json)
            return
        parameters = {"groups": wanted, "alone_after_hours": hours, "reason": asked.reason or None}
        found = held.ask("UpdateApprovalTeamRules", team_arn=team_arn, **parameters)
    # Ends with 3, for scripts: nothing is wrong, and nothing has changed yet.
    raise waiting.waits(asked, str(found["request_id"]))


def _group(text: str) -> Mapping[str, Any]:
    name, _, rest = text.partition("=")
    least, _, people = rest.partition(":")
    named = [each.strip() for each in people.split(",") if each.strip()]
    if not name or not least.isdecimal() or not named:
        raise click.BadParameter(
            f"`{output.printable(text)}` does not fit: say it as `keys=1:carol@acme.example,dan@acme.example`"
        )
    return {"name": name, "min_approvals": int(least), "approvers": named}


def _tell(request_id: str, *, as_json: bool) -> None:
    if as_json:
        output.print_json({"request_id": request_id, "state": "used"})
    else:
        click.echo("The team has approved it: the rules are in force.")


def _pairs(team: Mapping[str, Any]) -> list[tuple[str, str]]:
    people = ", ".join(f"{each['name']} ({'able' if each['is_able'] else each['status'].lower()})" for each in team["approvers"])
    groups = [
        (f"group {each['name']}", f"{each['approvals_needed']} of {', '.join(each['approvers'])}")
        for each in team.get("groups", ())
    ]
    hours = team.get("alone_after_hours")
    return [
        ("team", team["arn"]),
        ("status", team["status"]),
        ("approvals", f"{team['approvals_needed']} of {len(team['approvers'])}"),
        ("approvers", people),
        *groups,
        ("alone", f"after {hours} hours without a refusal" if hours else "never"),
        ("can act", "yes" if team["can_act"] else "no"),
        ("remarks", "; ".join(team["remarks"]) or "none"),
    ]
