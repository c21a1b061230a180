"""`crownkeep mfa`: the operator imports what is known of security keys, and the hardware tokens that an account is given."""

from __future__ import annotations

import base64
import csv
import re
import ssl
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

import click

from crownkeep.cli import house, lists, output
from crownkeep.cli.account import account_id as account_callback

_LARGEST_BLOB = 64 * 1024 * 1024
_LARGEST_ROOT = 64 * 1024
_LONGEST_LINE = 1024
_MOST_TOKENS = 1000
_SERIAL = re.compile(r"[A-Za-z0-9-]{9,64}")
_HEADINGS = ("serial", "serial number", "serialnumber", "serial_number")


@click.group("mfa", short_help="Import FIDO metadata and hardware tokens.")
def command() -> None:
    """Import FIDO metadata of security keys, and hardware tokens that show one-time codes."""


@command.command("import-metadata", short_help="Import metadata of FIDO security keys.")
@click.argument("file", metavar="FILE", type=click.Path(allow_dash=True))
@click.option("--root", metavar="FILE", type=click.Path(), help="The root certificate, in PEM or DER, of another publisher.")
@house.options
@output.json_flag()
def import_metadata(file: str, root: str | None, data: str | None, database: str | None, as_json: bool) -> None:
    """Import FIDO metadata. It replaces the previous metadata at once, also on running servers.

    FILE is the blob that https://mds3.fidoalliance.org/ gives out, `-` is standard input. It is kept only where it is signed by
    the FIDO Alliance, or under the root that you name, and is not older than the one in use.
    """
    from crownkeep import clock, data_directory
    from crownkeep.domain.credentials.passkeys import METADATA_FILE, METADATA_ROOT_FILE

    blob = b"".join(_read(file, _LARGEST_BLOB).split())
    trusted = _root(root)
    with house.opened(data, database) as held:
        folder = held.directory.path
        with (
            data_directory.staging(folder, METADATA_FILE) as target,
            data_directory.staging(folder, METADATA_ROOT_FILE) as beside,
        ):
            for place, content in ((target, blob), (beside, trusted)):
                place.write(content)
                place.flush()
            answer = held.ask("InstallFidoMetadata")
    if as_json:
        output.print_json(answer)
        return
    click.echo(
        f"FIDO metadata number {answer['number']} is in use: {answer['models']} models, to be renewed by {answer['next_update']}."
    )
    if date.fromisoformat(answer["next_update"]) < clock.now().date():
        click.echo("warning: a newer one has been published since: download and import it", err=True)


@command.command("import-tokens", short_help="Give an account hardware tokens.")
@click.argument("file", metavar="FILE", type=click.Path(allow_dash=True))
@click.option("--account", required=True, metavar="ID", callback=account_callback, help="The account that gets the tokens.")
@click.option("--hex", "in_hex", is_flag=True, help="The seeds are written in hexadecimal, not in base32.")
@house.options
@output.json_flag()
def import_tokens(file: str, account: str, in_hex: bool, data: str | None, database: str | None, as_json: bool) -> None:
    """Give an account hardware tokens (TOTP with SHA-1, six digits and 30 seconds).

    FILE has lines of `SERIAL,SEED`, `-` is standard input; all are taken or none. Their people then enable them by the serial
    number and two codes. Seeds are kept sealed and never printed: delete the file afterwards.
    """
    tokens = list(_tokens(file, in_hex=in_hex))
    if not tokens:
        raise click.ClickException(f"`{output.printable(file)}` holds no token: give lines of `SERIAL,SEED`")
    with house.opened(data, database) as held:
        answer = held.ask("ImportMfaTokens", account_id=account, tokens=tokens)
    if as_json:
        output.print_json({"account_id": account, **answer, "serial_numbers": [each["serial_number"] for each in tokens]})
        return
    known = f"; {answer['unchanged']} there already" if answer["unchanged"] else ""
    click.echo(f"{output.counted(answer['imported'], 'token')} can be enabled in account {account}{known}.")


def _tokens(name: str, *, in_hex: bool) -> Iterator[Mapping[str, Any]]:
    """Read tokens; raises ClickException, which never repeats a seed."""
    seen: set[str] = set()
    with lists.opened(name) as file:
        for number, line in enumerate(lists.lines(file, longest=_LONGEST_LINE), start=1):
            fields = _fields(line, number)
            if not any(fields) or (number == 1 and fields[0].lower() in _HEADINGS):
                continue
            if len(fields) < 2:
                raise click.ClickException(f"line {number} is not `SERIAL,SEED`")
            serial = fields[0]
            if not _SERIAL.fullmatch(serial):
                raise click.ClickException(f"line {number} has no serial number: it has 9 to 64 letters, digits and `-`")
            if serial.lower() in seen:
                raise click.ClickException(f"line {number} names the token `{serial}` a second time")
            if len(seen) == _MOST_TOKENS:
                raise click.ClickException(f"the file has more than {_MOST_TOKENS} tokens: split it")
            seen.add(serial.lower())
            yield {"serial_number": serial, "seed": _seed(fields[1], number, in_hex=in_hex)}


def _fields(line: bytes, number: int) -> list[str]:
    try:
        (row,) = csv.reader([line.decode("utf-8-sig").strip()], strict=True)
    except ValueError:
        # An empty line is no row, and what is not UTF-8 no text.
        if not line.strip():
            return [""]
        raise click.ClickException(f"line {number} is not `SERIAL,SEED`") from None
    except csv.Error:
        # From None: the error of a parser may repeat what it parsed.
        raise click.ClickException(f"line {number} is not `SERIAL,SEED`") from None
    return [field.strip() for field in row]


def _seed(text: str, number: int, *, in_hex: bool) -> str:
    """Spell a seed in base32, as it is kept; what is said of a bad one does not repeat it."""
    from crownkeep.credentials import totp

    try:
        spelled = base64.b32encode(bytes.fromhex(text.removeprefix("0x"))).decode() if in_hex else text
    except ValueError:
        raise click.ClickException(f"line {number}: the seed is not hexadecimal") from None
    try:
        return totp.seed_text(totp.read_seed(spelled)).reveal()
    except ValueError as error:
        hint = "" if in_hex else "; if it is hexadecimal, say `--hex`"
        raise click.ClickException(f"line {number}: {error}{hint}") from None


def _read(name: str, largest: int) -> bytes:
    with lists.opened(name) as file:
        content = file.read(largest + 1)
    if len(content) > largest:
        raise click.ClickException(f"`{output.printable(name)}` has more than {largest >> 10} KiB: this is another kind of file")
    return content


def _root(name: str | None) -> bytes:
    """Return the root certificate to trust: the one named or, from those this computer trusts, the FIDO Alliance's."""
    import hashlib

    from crownkeep.credentials import fido_metadata

    if name is None:
        known = ssl.create_default_context().get_ca_certs(binary_form=True)
        found = [der for der in known if hashlib.sha256(der).hexdigest() == fido_metadata.ALLIANCE_ROOT]
        if not found:
            raise click.ClickException("this computer does not have `GlobalSign Root CA - R3`: name its file with `--root`")
        return found[0]
    try:
        return fido_metadata.read_root(_read(name, _LARGEST_ROOT))
    except fido_metadata.MalformedMetadata as error:
        raise click.ClickException(f"`{output.printable(name)}`: {error}") from error
