"""`crownkeep alerts rule`: the rules of an account, tried out on what the trail has recorded."""

from __future__ import annotations

import click

from crownkeep.cli import house, output, waiting

_account = click.option("--account", "account_id", metavar="ID", required=True, help="The account.")
_name = click.argument("name", metavar="NAME")


@click.group("rule", short_help="List, add, test and remove rules.")
def command() -> None:
    """List, add, test and remove rules, which are filter patterns over the account's records."""


@command.command("list", short_help="List the rules of an account.")
@_account
@house.options
@output.json_flag()
def list_(account_id: str, data: str | None, database: str | None, as_json: bool) -> None:
    """List the built-in rules and those that were added."""
    with house.opened(data, database) as held:
        found = held.ask("ListAlertRules", account_id=account_id)["rules"]
    for each in found:
        if "silenced_until" in each:
            each["silenced_until"] = f"{each['silenced_until']:%Y-%m-%dT%H:%M:%SZ}"
    if as_json:
        output.print_json({"rules": found})
        return
    rows = [
        (
            each["name"],
            each["severity"],
            "protected" if each["protected"] else "built in" if each["built_in"] else "added",
            "silent" if "silenced_by" in each else "on",
            each["subject"],
        )
        for each in found
    ]
    output.print_table(("NAME", "SEVERITY", "KIND", "STATE", "SAYS"), rows)


@command.command("add", short_help="Add a rule.")
@_account
@_name
@click.option(
    "--pattern", required=True, help="A filter pattern as CloudWatch Logs has them, such as `{ $.eventName = StopLogging }`."
)
@click.option("--severity", type=click.Choice(("critical", "high", "low")), help="How bad it is: high, unless given.")
@click.option("--contact", type=click.Choice(("security", "billing", "operations")), help="Who hears: security, unless given.")
@click.option("--runbook", metavar="URL", help="What to do, for receivers.")
@waiting.options
@house.options
@output.json_flag()
def add(
    account_id: str,
    name: str,
    pattern: str,
    severity: str | None,
    contact: str | None,
    runbook: str | None,
    asked: waiting.Asking,
    data: str | None,
    database: str | None,
    as_json: bool,
) -> None:
    """Add a rule to an account, in the place of its own one with this name."""
    with house.opened(data, database) as held:
        waiting.ask(
            held,
            asked,
            "PutAlertRule",
            account_id=account_id,
            name=name,
            pattern=pattern,
            severity=severity,
            contact_type=contact.upper() if contact else None,
            runbook=runbook,
        )
    _say(name, "is in force from the next record on", as_json=as_json)


@command.command("remove", short_help="Remove a rule that was added.")
@_account
@_name
@waiting.options
@house.options
@output.json_flag()
def remove(account_id: str, name: str, asked: waiting.Asking, data: str | None, database: str | None, as_json: bool) -> None:
    """Remove a rule that was added; built-in ones stay."""
    with house.opened(data, database) as held:
        waiting.ask(held, asked, "DeleteAlertRule", account_id=account_id, name=name)
    _say(name, "is removed", as_json=as_json)


@command.command("test", short_help="Say how often a pattern would have fired.")
@_account
@click.option("--pattern", required=True, help="A filter pattern.")
@click.option("--days", metavar="NUMBER", type=click.IntRange(1, 30), default=30, help="How far to look back: 30, unless given.")
@house.options
@output.json_flag()
def test(account_id: str, pattern: str, days: int, data: str | None, database: str | None, as_json: bool) -> None:
    """Say how often a pattern would have fired over the last days, and for which events last."""
    with house.opened(data, database) as held:
        found = dict(held.ask("TestAlertRule", account_id=account_id, pattern=pattern, days=days))
    found["examples"] = [{**each, "event_time": f"{each['event_time']:%Y-%m-%dT%H:%M:%SZ}"} for each in found["examples"]]
    if as_json:
        output.print_json(found)
        return
    click.echo(f"It would have fired {output.counted(found['matched'], 'time')} in the last {days} days.")
    output.print_table(("EVENT", "NAME", "TIME"), [(e["event_id"], e["event_name"], e["event_time"]) for e in found["examples"]])


@command.command("off", short_help="Switch a rule off, also a protected one.")
@_account
@_name
@click.option("--reason", required=True, help="Why; the record of it says so.")
@waiting.with_own_reason
@house.options
@output.json_flag()
def off(
    account_id: str, name: str, reason: str, asked: waiting.Asking, data: str | None, database: str | None, as_json: bool
) -> None:
    """Switch a rule off for an account. Nobody of the account can; those who hear of alerts hear of this."""
    with house.opened(data, database) as held:
        waiting.ask(held, asked, "SwitchOffAlertRule", account_id=account_id, name=name, reason=reason)
    _say(name, "is off", as_json=as_json)


@command.command("on", short_help="Switch a rule on again.")
@_account
@_name
@house.options
@output.json_flag()
def on(account_id: str, name: str, data: str | None, database: str | None, as_json: bool) -> None:
    """Switch a rule on again, or end its silence."""
    with house.opened(data, database) as held:
        held.ask("SwitchOnAlertRule", account_id=account_id, name=name)
    _say(name, "is on", as_json=as_json)


def _say(name: str, what: str, *, as_json: bool) -> None:
    if as_json:
        output.print_json({"rule": name})
    else:
        click.echo(f"Rule {name} {what}.")
