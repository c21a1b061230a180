"""`crownkeep operator`: a token for each person who operates this server, so that the trail says who acted."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import click

from crownkeep.cli import house, output, trail_export

_name = click.argument("name", metavar="NAME")
_LASTING = re.compile(r"([0-9]{1,5})([dh])")


def _end(ctx: click.Context, param: click.Parameter, value: str | None) -> datetime | None:
    """Read how long a token is good: `30d`, `12h`, a date or a time."""
    lasting = _LASTING.fullmatch(value or "")
    if lasting is None:
        return trail_export.moment(ctx, param, value)
    from crownkeep import clock

    number, unit = int(lasting.group(1)), lasting.group(2)
    return clock.now() + (timedelta(days=number) if unit == "d" else timedelta(hours=number))


_expires = click.option(
    "--expires",
    metavar="WHEN",
    callback=_end,
    help="When the token ends: `30d`, `12h`, a date or a time. In 90 days, unless given.",
)


def _known_scopes(_ctx: click.Context, _param: click.Parameter, value: Sequence[str]) -> Sequence[str]:
    from crownkeep.operations import operator_scopes

    given = [scope for each in value for scope in each.split(",")]
    for scope in given:
        if scope not in operator_scopes.SCOPES:
            raise click.BadParameter(f"`{output.printable(scope)}` is no scope; give some of {', '.join(operator_scopes.SCOPES)}")
    return given


@click.group("operator", short_help="Give people tokens of their own to operate this server.")
def command() -> None:
    """Give people tokens of their own for the operator's API, with what each may do and until when.

    Records name the operator whose token was used. Commands on this machine need no token: their records name the system user who
    ran them.
    """


@command.command("add", short_help="Add an operator, and print the token.")
@_name
@click.option(
    "--scope",
    "scopes",
    metavar="SCOPE",
    multiple=True,
    callback=_known_scopes,
    help="What the operator may do, such as `accounts` or `trail:read`; may be given again. `read`, unless given.",
)
@_expires
@house.options
@output.json_flag()
def add(
    name: str, scopes: Sequence[str], expires: datetime | None, data: str | None, database: str | None, as_json: bool
) -> None:
    """Add an operator, and print the token. It is shown this once; only a hash is kept."""
    with house.opened(data, database) as held:
        made = held.ask("AddOperator", name=name, scopes=list(scopes) or None, expires_at=expires)
    _print_token(made, as_json=as_json)


@command.command("list", short_help="List operators.")
@house.options
@output.json_flag()
def list_(data: str | None, database: str | None, as_json: bool) -> None:
    """List operators, with what each may do and until when."""
    with house.opened(data, database) as held:
        found = held.ask_for_all("ListOperators", "operators")
    if as_json:
        output.print_json({"operators": found})
        return
    rows = [
        (each["name"], each["state"], " ".join(each["scopes"]), f"{each['expires_at']:%Y-%m-%d %H:%M}", each["token_id"])
        for each in found
    ]
    output.print_table(("NAME", "STATE", "SCOPES", "EXPIRES", "TOKEN ID"), rows)


@command.command("rotate", short_help="Give an operator a new token.")
@_name
@_expires
@house.options
@output.json_flag()
def rotate(name: str, expires: datetime | None, data: str | None, database: str | None, as_json: bool) -> None:
    """Give an operator a new token, and print it. The former one is void at once."""
    with house.opened(data, database) as held:
        made = held.ask("RotateOperator", name=name, expires_at=expires)
    _print_token(made, as_json=as_json)


@command.command("remove", short_help="Remove an operator.")
@_name
@house.options
@output.json_flag()
def remove(name: str, data: str | None, database: str | None, as_json: bool) -> None:
    """Remove an operator: the token is void at once."""
    with house.opened(data, database) as held:
        held.ask("RemoveOperator", name=name)
    if as_json:
        output.print_json({"removed": name})
    else:
        click.echo(f"Operator {output.printable(name)} is removed.")


def _print_token(made: Mapping[str, Any], *, as_json: bool) -> None:
    if as_json:
        output.print_json(made)
        return
    pairs = [
        ("operator", made["name"]),
        ("scopes", " ".join(made["scopes"])),
        ("expires", f"{made['expires_at']:%Y-%m-%dT%H:%M:%SZ}"),
        ("token", made["token"]),
    ]
    output.print_pairs(pairs)
    click.echo("\nThe token is shown this once. Send it as `Authorization: Bearer TOKEN` to /operator/v1.")
