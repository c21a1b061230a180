"""`crownkeep credential-audit`: is this evidence what was signed, and where is the service's model for AWS's own tools?"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import click

from crownkeep import untrusted_json
from crownkeep.cli import house, output
from crownkeep.cli.failures import WrongCall

if TYPE_CHECKING:
    from crownkeep.audit.credential_evidence import EvidenceClaims

Records = Mapping[str, Mapping[str, Any]]


@click.group("credential-audit", short_help="Export and check the evidence of credential audits.")
def command() -> None:
    """Export and check the evidence of credential audits."""


@command.command("verify", short_help="Check an audit's evidence.")
@click.argument("file", type=click.File("rb"))
@click.option(
    "--events",
    metavar="FILE",
    type=click.File("rb"),
    help="Records from `aws cloudtrail lookup-events`, if there is no data directory.",
)
@house.options
@output.json_flag()
def verify(file: IO[bytes], events: IO[bytes] | None, data: str | None, database: str | None, as_json: bool) -> None:
    """Check that a credential audit's evidence is what was signed off. Exits with 1 if it is not.

    The trail holds the SHA-256 digest of the snapshot since the audit was started, and that of the whole document since it was
    signed off. Both are computed anew from the file.
    """
    content = file.read()
    # How a ZIP file begins (APPNOTE, 4.3.7): the pack that `export` writes.
    if content[:2] == b"PK":
        raise WrongCall("this is an evidence pack: check it with `crownkeep evidence check`")
    if events is not None:
        check(content, read_records(events), as_json=as_json)
        return
    check(content, lambda claims: _kept(claims.account_id, _ids(claims), data, database), as_json=as_json)


def check(content: bytes, records: Records | Callable[[EvidenceClaims], Records], *, as_json: bool) -> None:
    """Check evidence against records of the trail, and say what it is; exits with 1 where it is not what was signed off."""
    from crownkeep.audit import credential_evidence
    from crownkeep.audit.credential_evidence import Altered

    try:
        claims = credential_evidence.read(content)
        ids = _ids(claims)
        found = records(claims) if callable(records) else records
        credential_evidence.hold(claims, started=found.get(ids[0]), signed=found.get(ids[1]))
    except Altered as error:
        raise click.ClickException(output.printable(str(error))) from error
    answer = {
        "account_id": claims.account_id,
        "audit_id": claims.audit_id,
        "credentials": str(claims.credentials),
        "signed_by": claims.signed_by,
        "signed_at": claims.signed_at,
        "sign_off_event_id": claims.sign_off_event_id,
        "sha256": claims.sha256,
    }
    if as_json:
        output.print_json({**answer, "credentials": claims.credentials})
        return
    click.echo("This is the evidence that was signed off:")
    output.print_pairs(list(answer.items()))


@command.command("export", short_help="Pack an audit's evidence for an auditor.")
@click.argument("audit_id")
@click.option("--out", metavar="FILE", required=True, type=click.Path(dir_okay=False, path_type=Path), help="Where to write it.")
@click.option("--profile", metavar="P", help="A profile of the AWS configuration; the usual variables unless given.")
@click.option("--endpoint-url", metavar="U", help="The server; AWS_ENDPOINT_URL is read, too.")
@output.json_flag()
def export(audit_id: str, out: Path, profile: str | None, endpoint_url: str | None, as_json: bool) -> None:
    """Pack the evidence of an audit that was signed off with the two records that hold its digests, and proofs that these are in
    the trail. The pack is signed, and `crownkeep evidence check` verifies it anywhere.
    """
    from crownkeep.cli import credential_audit_export

    answer = credential_audit_export.write(audit_id, out, profile, endpoint_url)
    if as_json:
        output.print_json(answer)
        return
    click.echo(f"The evidence is in {output.printable(str(out))}. Tell whoever checks it the key that signed it: {answer['key']}")


def _ids(claims: EvidenceClaims) -> tuple[str, str]:
    return (claims.start_event_id, claims.sign_off_event_id)


@command.command("model", short_help="Print the folder for AWS_DATA_PATH.")
@output.json_flag()
def model(as_json: bool) -> None:
    """Print the folder to set AWS_DATA_PATH to, so that the AWS CLI and the SDKs know the service `credential-audit`."""
    from crownkeep import models

    folder = str(models.OWN_FOLDER)
    if as_json:
        output.print_json({"aws_data_path": folder})
        return
    click.echo(folder)


def _kept(account_id: str, ids: tuple[str, str], data: str | None, database: str | None) -> Records:
    """Read the named records from the trail of this house."""
    from uuid import UUID

    from crownkeep.storage.trail import lookups

    found: dict[str, Mapping[str, Any]] = {}
    with house.opened(data, database) as held, held.database.snapshot() as db:
        # The file is not trusted: what is no id finds nothing, and is no fault.
        for event_id in filter(_is_uuid, ids):
            last, wanted = UUID(int=(1 << 128) - 1), ("EventId", event_id)
            for row in lookups.newest(db, account_id, first=UUID(int=0), before=last, limit=1, attribute=wanted):
                found[event_id] = untrusted_json.read(row.record)
    return found


def _is_uuid(text: str) -> bool:
    from uuid import UUID

    try:
        UUID(text)
    except ValueError:
        return False
    return True


def read_records(file: IO[bytes]) -> Records:
    """Read records from LookupEvents' answer, a list of its events or of records, or from one record."""
    try:
        answer = untrusted_json.read(file.read())
        entries = answer.get("Events", [answer]) if isinstance(answer, dict) else answer
        records = [untrusted_json.read(each["CloudTrailEvent"]) if "CloudTrailEvent" in each else each for each in entries]
        return {str(each["eventID"]): each for each in records}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise WrongCall(
            f"`{output.printable(file.name)}` holds no records of the trail: give what `aws cloudtrail lookup-events` answered"
        ) from error
