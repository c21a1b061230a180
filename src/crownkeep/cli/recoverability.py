"""`crownkeep recoverability`: can we still get into this account, and what would the loss of any one thing mean?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from crownkeep.cli import house, output
from crownkeep.cli.account import account_argument


@click.command("recoverability", short_help="Say who can still get into an account.")
@account_argument
@house.options
@output.json_flag()
def command(account_id: str, data: str | None, database: str | None, as_json: bool) -> None:
    """Say which ways lead into an account, what each needs, and what losing any one thing would mean.

    Exits 0 where at least two ways are independent of each other, and 1 where something is a single point of failure, or nobody
    can get in.
    """
    with house.opened(data, database) as held:
        found = held.ask("GetRecoverability", account_id=account_id)
    if as_json:
        output.print_json({"ok": found["two_independent_ways"], **found})
    else:
        _print(found)
    # The report is printed first: whoever reads the exit code alone still finds the reason in the log.
    if not found["two_independent_ways"]:
        raise SystemExit(1)


def _print(found: Mapping[str, Any]) -> None:
    click.echo(f"{output.printable(found['verdict'])}\n")
    output.print_pairs(_facts(found))
    click.echo("\nWays in, and what each needs:\n")
    output.print_table(("WAY", "NEEDS"), [(way["name"], "; ".join(way["needs"])) for way in found["ways"]])
    click.echo("\nWhat a loss would mean:\n")
    for loss in found["losses"]:
        click.echo(f"  {output.printable(loss['text'])}")
    for missing in found.get("custody", {}).get("missing", ()):
        click.echo(f"  {output.printable(missing['text'])}")
    for drill in found["drills"]:
        outcome = "worked" if drill["worked"] else "DID NOT WORK"
        click.echo(f"\nDrill {drill['name']}: {outcome}, {drill['held_at']:%Y-%m-%d}.")
    if found["remarks"]:
        click.echo("\nTo look at:\n")
        for remark in found["remarks"]:
            click.echo(f"  {output.printable(remark)}")


def _facts(found: Mapping[str, Any]) -> list[tuple[str, str]]:
    mailbox, password = found["mailbox"], found["password"]
    contacts = [f"{each['type'].lower()} {each['address']}" for each in mailbox["alternate_contacts"]]
    devices = [f"{each['serial_number']} ({each['kind']})" for each in found["mfa_devices"]]
    return [
        ("account", f"{found['account_id']} ({found['name']}, {found['state']})"),
        ("root's mailbox", mailbox["address"]),
        ("alternate contacts", ", ".join(contacts) or "none"),
        ("root's password", f"{password.get('age_days', '?')} days old" if password["is_set"] else "none"),
        ("MFA devices", ", ".join(devices) or "none"),
        ("recovery codes", str(found["recovery_codes"])),
        ("custodian", found.get("custodian", "none")),
        ("central root", found.get("central_root", {}).get("management_account_id", "none")),
        ("administrators", ", ".join(_named(each) for each in found["administrators"]) or "none"),
    ]


def _named(each: Mapping[str, Any]) -> str:
    if each["kind"] == "role":
        return f"role {each['name']}"
    return f"{each['name']}{'' if each['mfa_devices'] else ' (without MFA)'}"
