"""`crownkeep mail`: what waits to be sent and, where no SMTP server is set, what was written into the outbox's files."""

from __future__ import annotations

import email
import re
from collections.abc import Mapping
from datetime import datetime
from email import policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import click

from crownkeep.cli import house, output

_ID = re.compile("[0-9a-f]{32}")
_FILE = "written"
_WAITING = "waiting"


@click.group("mail", short_help="Read mail in the outbox and mail that waits.")
def command() -> None:
    """Read mail in the outbox and mail that waits.

    Messages may contain one-time links, which anybody who reads them can use.
    """


@command.command("list", short_help="List the messages that wait or were written.")
@house.options
@output.json_flag()
def list_(data: str | None, database: str | None, as_json: bool) -> None:
    """List the messages in the outbox's files and the notices that wait to be sent, the newest last."""
    from crownkeep.alerts import channels

    with house.opened(data, database) as held:
        waiting = held.ask_for_all("ListNotices", "notices")
        files = channels.written(held.directory.path / channels.FOLDER)
    # Ids are ordered by time, so files and notices that wait fall into one order.
    found = sorted([*map(_of_file, files), *map(_of_notice, waiting)], key=lambda each: each["id"])
    if as_json:
        output.print_json({"messages": found})
        return
    rows = [(each["id"], each["date"], each["to"], each["subject"], each["state"]) for each in found]
    output.print_table(("ID", "DATE", "TO", "SUBJECT", "STATE"), rows)


@command.command("show", short_help="Show one message as plain text.")
@click.argument("notice_id", metavar="ID")
@house.options
@output.json_flag()
def show(notice_id: str, data: str | None, database: str | None, as_json: bool) -> None:
    """Show one message as plain text."""
    from crownkeep.alerts import channels

    with house.opened(data, database) as held:
        files = {channels.id_of(file): file for file in channels.written(held.directory.path / channels.FOLDER)}
        if notice_id in files:
            message = _parse(files[notice_id].read_bytes())
        elif not _ID.fullmatch(notice_id):
            raise click.ClickException(f"there is no message `{output.printable(notice_id)}`; `crownkeep mail list` shows all")
        else:
            message = _parse(held.ask("GetNotice", notice_id=notice_id)["message"].encode())
    body = message.get_body(("plain",))
    text = body.get_content() if body is not None else ""
    if as_json:
        output.print_json({"id": notice_id, **_headers(message), "text": text})
        return
    output.print_pairs([(name, value) for name, value in _headers(message).items()])
    click.echo()
    for line in text.splitlines():
        click.echo(output.printable(line))


def _of_file(file: Path) -> dict[str, str]:
    from crownkeep.alerts import channels

    return {"id": channels.id_of(file), **_headers(_parse(file.read_bytes())), "state": _FILE}


def _of_notice(notice: Mapping[str, Any]) -> dict[str, str]:
    fault = notice.get("last_fault", "")
    created: datetime = notice["created_at"]
    return {
        "id": notice["notice_id"],
        "date": f"{created:%Y-%m-%dT%H:%M:%SZ}",
        "to": notice["recipient"],
        "subject": notice["kind"],
        "state": f"{_WAITING}: {fault}" if fault else _WAITING,
    }


def _parse(raw: bytes) -> EmailMessage:
    return email.message_from_bytes(raw, policy=policy.default)


def _headers(message: EmailMessage) -> dict[str, str]:
    moment: datetime = message["Date"].datetime
    return {"date": f"{moment:%Y-%m-%dT%H:%M:%SZ}", "to": str(message["To"]), "subject": str(message["Subject"])}
