"""`crownkeep custodian`: the operator names the people who approve what one person alone must not do."""

from __future__ import annotations

from datetime import datetime

import click

from crownkeep.cli import house, output, waiting
from crownkeep.cli.account import email_address


@click.group("custodian", short_help="Name custodians, who approve sealed acts.")
def command() -> None:
    """Name custodians, who approve sealed acts.

    A custodian belongs to no account, so that they can act when every account is locked. Teams invite them by mail.
    """


@command.command("add", short_help="Name a custodian.")
@click.option("--name", required=True, metavar="NAME", help="What the person is called.")
@click.option("--email", required=True, metavar="ADDRESS", callback=email_address, help="A mailbox that they alone read.")
@house.options
@output.json_flag()
def add(name: str, email: str, data: str | None, database: str | None, as_json: bool) -> None:
    """Name a custodian. Put their id into a team with `aws mpa create-approval-team`."""
    with house.opened(data, database) as held:
        made = held.ask("AddCustodian", name=name, email=email)["custodian"]
    if as_json:
        output.print_json(made)
    else:
        click.echo(f"{made['name']} <{made['email']}> is a custodian with the id {made['custodian_id']}.")


@command.command("list", short_help="List custodians, and when each was last heard of.")
@house.options
@output.json_flag()
def list_all(data: str | None, database: str | None, as_json: bool) -> None:
    """List custodians, and when each was last heard of."""
    with house.opened(data, database) as held:
        found = held.ask("ListCustodians")["custodians"]
    if as_json:
        output.print_json({"custodians": found})
        return
    headings = ("ID", "NAME", "ADDRESS", "KEYS", "TEAMS", "LAST REHEARSED")
    rows = [
        (
            each["custodian_id"],
            each["name"],
            each["email"],
            str(each["keys"]),
            str(len(each["teams"])),
            _day(each.get("last_rehearsed_at")),
        )
        for each in found
    ]
    output.print_table(headings, rows)


@command.command("remove", short_help="Remove a custodian.")
@click.argument("custodian", metavar="ID")
@waiting.options
@house.options
@output.json_flag()
def remove(custodian: str, asked: waiting.Asking, data: str | None, database: str | None, as_json: bool) -> None:
    """Remove a custodian, by id or address. Their keys approve nothing any more, and their places in teams become invalid.

    Where an account is sealed under a team of theirs, that takes its approval.
    """
    with house.opened(data, database) as held:
        waiting.ask(held, asked, "RemoveCustodian", custodian_id=custodian)
    if as_json:
        output.print_json({"removed": custodian})
    else:
        click.echo(f"{custodian} is a custodian no longer.")


@command.command("reset-keys", short_help="Take a custodian's keys, and let them enrol a new one.")
@click.argument("custodian", metavar="ID")
@waiting.options
@house.options
@output.json_flag()
def reset_keys(custodian: str, asked: waiting.Asking, data: str | None, database: str | None, as_json: bool) -> None:
    """Take all keys from a custodian who has lost them, by id or address, and mail them a link to enrol a new one.

    Somebody of single sign-on is named as `person:STORE/ID`. Where an account is sealed under a team of theirs, that takes its
    approval. Whoever still has one key adds another at /approvals/keys, and needs nobody for it.
    """
    with house.opened(data, database) as held:
        done = waiting.ask(held, asked, "ResetCustodianKeys", custodian_id=custodian)
    if as_json:
        output.print_json(done)
    else:
        click.echo(f"{output.counted(done['keys'], 'key')} taken. {done['email']} gets a link, unless they are in no team yet.")


def _day(moment: datetime | None) -> str:
    return "never" if moment is None else f"{moment:%Y-%m-%d}"
