"""`crownkeep alerts`: who hears of what in an account, what became of it, and alerts that were given up sent again."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import click

from crownkeep.cli import alert_rules, house, output, waiting

_account = click.option("--account", "account_id", metavar="ID", required=True, help="The account.")


@click.group("alerts", short_help="Say who hears of what in an account.")
def command() -> None:
    """Say who hears of what in an account, and see what became of it."""


@command.group("receiver", short_help="Add, list, test and remove receivers.")
def receiver() -> None:
    """Add, list, test and remove those who hear beside root and the account's contacts.

    What is added here hears at once, and nobody of the account can remove it.
    """


@receiver.command("add", short_help="Add a receiver.")
@_account
@click.option("--webhook", metavar="URL", help="Send signed requests there (Standard Webhooks 1.0); `-` reads it from the input.")
@click.option("--email", metavar="ADDRESS", help="Send mail there.")
@click.option("--syslog", metavar="HOST:PORT", help="Send syslog messages there (RFC 5424), over TLS.")
@click.option("--directory", metavar="NAME", help="Write files into this folder of the spool (setting `alert_spool`).")
@click.option(
    "--apprise", metavar="URL", help="Send to a service of apprise's (an extra of the package); `-` reads it from the input."
)
@click.option("--rule", "rules", metavar="NAME", multiple=True, help="Hear this rule, and no other that isn't named.")
@click.option("--ed25519", is_flag=True, help="Sign requests with a key of their own, for which there is no secret to share.")
@click.option("--quiet", metavar="HH:MM-HH:MM", help="Between these times, UTC, send only what is critical.")
@house.options
@output.json_flag()
def add(
    account_id: str,
    webhook: str | None,
    email: str | None,
    syslog: str | None,
    directory: str | None,
    apprise: str | None,
    rules: Sequence[str],
    ed25519: bool,
    quiet: str | None,
    data: str | None,
    database: str | None,
    as_json: bool,
) -> None:
    """Add a receiver of an account's alerts; without --rule it hears all built-in rules.

    A webhook's secret is shown once: give it to the receiver, which verifies each request with it. Whoever sees this machine's
    processes sees an URL that is given as an argument: one with a secret in it is better read from the input.
    """
    # The names of the channels as the server knows them, by the options that choose them.
    channels = {"webhook": webhook, "mail": email, "syslog": syslog, "directory": directory, "apprise": apprise}
    given = [(channel, target) for channel, target in channels.items() if target]
    if len(given) != 1:
        raise click.UsageError("give one of `--webhook`, `--email`, `--syslog`, `--directory` and `--apprise`")
    (channel, target), (begin, _, end) = given[0], (quiet or "").partition("-")
    # Only these two have addresses that may hold a secret.
    if target == "-" and channel in {"webhook", "apprise"}:
        target = sys.stdin.readline().strip()
    with house.opened(data, database) as held:
        made = held.ask(
            "CreateAlertReceiver",
            account_id=account_id,
            channel=channel,
            target=target,
            rules=list(rules) or None,
            signing="ed25519" if ed25519 else None,
            quiet_from=begin or None,
            quiet_until=end or None,
        )
    shown = {name: made[name] for name in ("id", "secret", "public_key") if name in made}
    if as_json:
        output.print_json(shown)
        return
    output.print_pairs(list(shown.items()))
    click.echo(f"\nSee that it arrives: crownkeep alerts receiver test --account {account_id} {made['id']}")


@receiver.command("list", short_help="List receivers.")
@_account
@house.options
@output.json_flag()
def list_receivers(account_id: str, data: str | None, database: str | None, as_json: bool) -> None:
    """List an account's receivers, and how many alerts wait for each."""
    with house.opened(data, database) as held:
        found = held.ask("ListAlertReceivers", account_id=account_id)["receivers"]
    if as_json:
        output.print_json({"receivers": [_plain(each) for each in found]})
        return
    rows = [
        (
            each["receiver_id"],
            each["channel"],
            each["target"],
            each["state"],
            str(each["waiting"]),
            " ".join(each["rules"]) or "all",
        )
        for each in found
    ]
    output.print_table(("ID", "CHANNEL", "TARGET", "STATE", "WAITING", "RULES"), rows)


@receiver.command("remove", short_help="Remove a receiver.")
@_account
@click.argument("receiver_id", metavar="ID")
@waiting.options
@house.options
@output.json_flag()
def remove(
    account_id: str, receiver_id: str, asked: waiting.Asking, data: str | None, database: str | None, as_json: bool
) -> None:
    """Remove a receiver with what waits for it."""
    with house.opened(data, database) as held:
        waiting.ask(held, asked, "DeleteAlertReceiver", account_id=account_id, receiver_id=receiver_id)
    _say({"removed": receiver_id}, f"Receiver {receiver_id} is removed.", as_json=as_json)


@receiver.command("test", short_help="Send a test.")
@_account
@click.argument("receiver_id", metavar="ID")
@house.options
@output.json_flag()
def test(account_id: str, receiver_id: str, data: str | None, database: str | None, as_json: bool) -> None:
    """Send a test to a receiver; `crownkeep alerts history` says whether it arrived. A running server sends it."""
    with house.opened(data, database) as held:
        made = held.ask("TestAlertReceiver", account_id=account_id, receiver_id=receiver_id)
    _say({"id": made["notice_id"]}, f"Test {made['notice_id']} is on its way.", as_json=as_json)


@receiver.command("enable", short_help="Send to a disabled receiver again.")
@_account
@click.argument("receiver_id", metavar="ID")
@house.options
@output.json_flag()
def enable(account_id: str, receiver_id: str, data: str | None, database: str | None, as_json: bool) -> None:
    """Send to a receiver again that was disabled because it could not be reached."""
    with house.opened(data, database) as held:
        held.ask("EnableAlertReceiver", account_id=account_id, receiver_id=receiver_id)
    _say({"enabled": receiver_id}, f"Receiver {receiver_id} is sent to again.", as_json=as_json)


@receiver.command("rotate", short_help="Give a webhook a new secret.")
@_account
@click.argument("receiver_id", metavar="ID")
@house.options
@output.json_flag()
def rotate(account_id: str, receiver_id: str, data: str | None, database: str | None, as_json: bool) -> None:
    """Give a webhook a new secret; for a day requests are signed with both."""
    with house.opened(data, database) as held:
        made = held.ask("RotateAlertReceiverSecret", account_id=account_id, receiver_id=receiver_id)
    if as_json:
        output.print_json(dict(made))
    else:
        output.print_pairs(list(made.items()))


@command.command("history", short_help="Show the last alerts and how far each has come.")
@_account
@click.option("--limit", metavar="NUMBER", type=click.IntRange(1, 1000), default=100, help="How many at most.")
@house.options
@output.json_flag()
def history(account_id: str, limit: int, data: str | None, database: str | None, as_json: bool) -> None:
    """Show an account's last alerts, the latest first: sent, waiting, or given up and why."""
    with house.opened(data, database) as held:
        found = held.ask("ListAlerts", account_id=account_id, max_results=limit)["alerts"]
    if as_json:
        output.print_json({"alerts": [_plain(each) for each in found]})
        return
    rows = [
        (
            each["notice_id"],
            f"{each['written_at']:%Y-%m-%dT%H:%M:%SZ}",
            each.get("rule", ""),
            each["recipient"],
            f"{each['state']}: {each['fault']}" if each.get("fault") else each["state"],
        )
        for each in found
    ]
    output.print_table(("ID", "WRITTEN", "RULE", "TO", "STATE"), rows)


@command.command("replay", short_help="Send alerts again that were given up.")
@_account
@click.argument("notice_id", metavar="[ID]", required=False)
@house.options
@output.json_flag()
def replay(account_id: str, notice_id: str | None, data: str | None, database: str | None, as_json: bool) -> None:
    """Send one alert again that was given up, or all of them."""
    with house.opened(data, database) as held:
        made = held.ask("ReplayAlerts", account_id=account_id, notice_id=notice_id)
    _say(dict(made), f"{output.counted(made['replayed'], 'alert')} will be sent again.", as_json=as_json)


def _plain(each: Mapping[str, Any]) -> dict[str, Any]:
    return {name: f"{value:%Y-%m-%dT%H:%M:%SZ}" if isinstance(value, datetime) else value for name, value in each.items()}


def _say(answer: Mapping[str, object], text: str, *, as_json: bool) -> None:
    if as_json:
        output.print_json(dict(answer))
    else:
        click.echo(text)


command.add_command(alert_rules.command)
