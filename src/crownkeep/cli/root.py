"""`crownkeep root`: what a root user has to sign in with, and the operator's part in recovering one that lost its devices."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import click

from crownkeep.cli import house, output, waiting
from crownkeep.cli.account import account_argument, email_address


@click.group("root", short_help="Show root users' credentials, and confirm their recovery.")
def command() -> None:
    """Show root users' credentials, and confirm their recovery."""


@command.command("status", short_help="Show how a root user signs in and recovers.")
@account_argument
@house.options
@output.json_flag()
def status(account_id: str, data: str | None, database: str | None, as_json: bool) -> None:
    """Show a root user's credentials, who may confirm its recovery, and a recovery that waits."""
    with house.opened(data, database) as held:
        found = held.ask("GetRoot", account_id=account_id)
    if as_json:
        output.print_json(found)
    else:
        _print(found)


@command.command("recover", short_help="Show or confirm a recovery that waits.")
@account_argument
@click.option("--confirm", "code", metavar="CODE", help="The code that the person tells you; be sure who they are.")
@waiting.options
@house.options
@output.json_flag()
def recover(
    account_id: str, code: str | None, asked: waiting.Asking, data: str | None, database: str | None, as_json: bool
) -> None:
    """Show a root user's recovery that waits, or confirm it.

    A person who lost root's MFA devices signs in with the password, opens the link that goes to root's mailbox, and sees a code.
    After you confirm that code, they can remove the devices. Neither the mailbox alone nor you alone can do that.
    """
    with house.opened(data, database) as held:
        if code is not None:
            found = waiting.ask(held, asked, "ConfirmRootRecovery", account_id=account_id, code=code)
        else:
            found = held.ask("GetRoot", account_id=account_id).get("recovery", {})
    if not found:
        raise click.ClickException(f"no recovery of root waits in account `{account_id}`: the person signs in and asks for it")
    if as_json:
        output.print_json(found)
        return
    output.print_pairs(_recovery(found))
    if code is None and found["stage"] == "opened":
        click.echo("\nTalk to the person by a way that you know is theirs, and confirm with `--confirm` and the code they tell.")


@command.command("custodian", short_help="Name or remove who may confirm a recovery.")
@account_argument
@click.option("--email", metavar="ADDRESS", callback=email_address, help="The custodian's address.")
@click.option("--remove", is_flag=True, help="Let nobody but the operator confirm.")
@waiting.options
@house.options
@output.json_flag()
def custodian(
    account_id: str,
    email: str | None,
    remove: bool,
    asked: waiting.Asking,
    data: str | None,
    database: str | None,
    as_json: bool,
) -> None:
    """Name the custodian, who may confirm a root user's recovery by mail, or remove the custodian."""
    if (email is None) != remove:
        raise click.UsageError("give `--email` to name a custodian, or `--remove` to have none")
    with house.opened(data, database) as held:
        if remove:
            waiting.ask(held, asked, "RemoveRootCustodian", account_id=account_id)
        else:
            waiting.ask(held, asked, "SetRootCustodian", account_id=account_id, email=email)
    if as_json:
        output.print_json({"account_id": account_id, "custodian": email})
    else:
        click.echo(f"The root user of account {account_id} has {f'the custodian {email}' if email else 'no custodian'}.")


def _print(found: Mapping[str, Any]) -> None:
    devices = [f"{each['serial_number']} ({each['kind']})" for each in found["mfa_devices"]]
    keys = [f"{each['access_key_id']} ({each['status']})" for each in found["access_keys"]]
    changed = found.get("password_changed_at")
    pairs = [
        ("account", found["account_id"]),
        ("root e-mail", found["root_email"]),
        ("password", f"since {_moment(changed)}" if changed else "none"),
        ("password used", _moment(found["password_used_at"]) if "password_used_at" in found else "never"),
        ("MFA devices", ", ".join(devices) or "none"),
        ("access keys", ", ".join(keys) or "none"),
        ("recovery codes", str(found["recovery_codes"])),
        ("sessions", str(found["sessions"])),
        ("custodian", found.get("custodian", "none")),
    ]
    output.print_pairs(pairs)
    if "recovery" in found:
        click.echo("\nA recovery waits:\n")
        output.print_pairs(_recovery(found["recovery"]))


def _recovery(found: Mapping[str, Any]) -> list[tuple[str, str]]:
    pairs = [
        ("stage", found["stage"]),
        ("asked for", f"{_moment(found['requested_at'])} from {found['address']}"),
        ("until", _moment(found["expires_at"])),
    ]
    if "confirmed_by" in found:
        pairs.append(("confirmed by", found["confirmed_by"]))
    return pairs


def _moment(value: datetime) -> str:
    return f"{value:%Y-%m-%d %H:%M} UTC"
