"""`crownkeep token`: the register of physical keys, in which vault each lies, and who has it out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from crownkeep.cli import house, output
from crownkeep.cli.account import account_id as checked_account

serial_argument = click.argument("serial", metavar="SERIAL")


@click.group("token", short_help="Keep the register of physical security keys.")
def command() -> None:
    """Keep the register of the physical security keys of root users and custodians. Every act is recorded."""


@command.command("register")
@serial_argument
@click.option("--model", required=True, help="Maker and model, such as `Acme Key 5`.")
@click.option("--vault", required=True, help="Where it lies.")
@click.option("--envelope", required=True, help="The number of its sealed envelope.")
@click.option("--holder", required=True, help="Whose it is: `root`, or the custodian's name.")
@click.option("--account", "account_id", metavar="ID", callback=checked_account, help="The account, if it is its root's.")
@house.options
@output.json_flag()
def register(
    serial: str,
    model: str,
    vault: str,
    envelope: str,
    holder: str,
    account_id: str | None,
    data: str | None,
    database: str | None,
    as_json: bool,
) -> None:
    """Put a token into the register, in its vault and envelope."""
    with house.opened(data, database) as held:
        answer = held.ask(
            "RegisterHardwareToken",
            serial=serial,
            model=model,
            vault=vault,
            envelope=envelope,
            holder=holder,
            account_id=account_id,
        )
    _tell(answer, as_json)


@command.command("list", short_help="List the tokens.")
@house.options
@output.json_flag()
def list_(data: str | None, database: str | None, as_json: bool) -> None:
    """List the tokens with their places, who has them out, and when each was seen last at an audit."""
    with house.opened(data, database) as held:
        found = held.ask_for_all("ListHardwareTokens", "tokens")
    if as_json:
        output.print_json({"tokens": found})
        return
    rows = [
        (each["serial"], each["model"], each["holder"], each.get("account_id", ""), _place(each), _seen(each)) for each in found
    ]
    output.print_table(("SERIAL", "MODEL", "HOLDER", "ACCOUNT", "WHERE", "LAST SEEN"), rows)


@command.command("check-out")
@serial_argument
@click.option("--to", required=True, metavar="NAME", help="Who takes it.")
@click.option("--reason", required=True, help="What for.")
@click.option("--hours", type=click.IntRange(1, 8760), help="When it is to be back; else the setting `token_check_out_hours`.")
@house.options
@output.json_flag()
def check_out(
    serial: str, to: str, reason: str, hours: int | None, data: str | None, database: str | None, as_json: bool
) -> None:
    """Record who takes a token out of its vault. One that is not back in time raises an alert."""
    with house.opened(data, database) as held:
        answer = held.ask("TakeOutHardwareToken", serial=serial, to=to, reason=reason, hours=hours)
    _tell(answer, as_json)


@command.command("check-in")
@serial_argument
@click.option("--vault", help="Where it lies now; as before unless given.")
@click.option("--envelope", help="The number of its new envelope; as before unless given.")
@house.options
@output.json_flag()
def check_in(serial: str, vault: str | None, envelope: str | None, data: str | None, database: str | None, as_json: bool) -> None:
    """Record that a token is back in its vault."""
    with house.opened(data, database) as held:
        answer = held.ask("ReturnHardwareToken", serial=serial, vault=vault, envelope=envelope)
    _tell(answer, as_json)


@command.command("audit")
@click.argument("seen", metavar="[SERIAL]...", nargs=-1)
@click.option("--name", "audit_name", required=True, help="What the audit is called, such as `2026-Q4`.")
@house.options
@output.json_flag()
def audit(seen: tuple[str, ...], audit_name: str, data: str | None, database: str | None, as_json: bool) -> None:
    """Record which tokens were seen at an audit. Exits 1 where one that is in no hands was not seen."""
    with house.opened(data, database) as held:
        answer = held.ask("AuditHardwareTokens", audit=audit_name, seen=list(seen))
    if as_json:
        output.print_json({"ok": not answer["missing"], **answer})
    else:
        click.echo(f"{output.counted(answer['seen'], 'token')} seen.")
        for kind, text in (("missing", "MISSING"), ("out", "checked out")):
            for serial in answer[kind]:
                click.echo(f"  {text}: {output.printable(serial)}")
    if answer["missing"]:
        raise SystemExit(1)


def _tell(answer: Mapping[str, Any], as_json: bool) -> None:
    if as_json:
        output.print_json(answer)
        return
    pairs = [("token", answer["serial"]), ("model", answer["model"]), ("holder", answer["holder"]), ("where", _place(answer))]
    output.print_pairs(pairs)


def _place(each: Mapping[str, Any]) -> str:
    if "out_to" in each:
        return f"out: {each['out_to']}, back by {each['due_at']:%Y-%m-%d %H:%M} UTC"
    return f"{each['vault']}, envelope {each['envelope']}"


def _seen(each: Mapping[str, Any]) -> str:
    return f"{each['last_seen_at']:%Y-%m-%d} ({each['last_audit']})" if "last_seen_at" in each else "never"
