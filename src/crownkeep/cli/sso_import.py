"""`crownkeep sso import`: people and groups of another directory, from a CSV or LDIF file, into an identity store."""

from __future__ import annotations

import json
import os
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import click

from crownkeep.arn import GLOBAL_REGION
from crownkeep.cli import output
from crownkeep.cli.failures import WrongCall

if TYPE_CHECKING:
    from crownkeep.cli.people_files import FileContents

_BATCH = 100
_BATCH_BYTES = 256 * 1024
_BATCH_MEMBERSHIPS = 1_000
"""What the server takes in one request."""
_STORE = re.compile(r"d-[0-9a-f]{10}")
_INSTANCE = re.compile(r"(?:arn:aws:sso:::instance/)?(ssoins-[0-9a-f]{16})")
_OUTCOMES = ("created", "existing", "refused")


@click.command("import", short_help="Import people and groups from a file.")
@click.argument("file", metavar="FILE", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--format", "kind", type=click.Choice(("csv", "ldif")), help="What the file is; by its name's end unless given.")
@click.option("--instance", required=True, metavar="ARN", help="The instance, by its ARN or id, or by its identity store's id.")
@click.option("--dry-run", is_flag=True, help="Say what would come of it, and change nothing.")
@click.option("--no-invitations", is_flag=True, help="Mail no links to those who have no password to take over.")
@click.option("--endpoint-url", metavar="U", help="The Crownkeep server; AWS_ENDPOINT_URL unless given.")
@click.option("--profile", metavar="P", help="A profile of an administrator; the usual variables unless given.")
@output.json_flag()
def import_(
    file: Path,
    kind: str | None,
    instance: str,
    dry_run: bool,
    no_invitations: bool,
    endpoint_url: str | None,
    profile: str | None,
    as_json: bool,
) -> None:
    """Import people, groups and who is in which, from a CSV file with headings or from LDIF.

    A password hash is taken over where its scheme is sound: bcrypt, scrypt, PBKDF2 or Argon2. It is replaced by one of ours at
    the next sign-in. Everybody else who is new and has an e-mail address is sent a link to choose a password. Who is there
    already stays as they are and joins the groups of the file, so the same file can be imported again. Ends with 1 where a row
    was refused; the others are imported.
    """
    from crownkeep.cli import audit

    contents = _read(file, kind)
    # As AWS's tools do, the variable of the service goes before the general one.
    named = os.environ.get("AWS_ENDPOINT_URL_SSO_DIRECTORY") or os.environ.get("AWS_ENDPOINT_URL")
    url = endpoint_url or named or ""
    if not re.match(r"https?://[^/\s]", url):
        raise WrongCall("which server? Name its URL with `--endpoint-url`, or set AWS_ENDPOINT_URL")
    with audit.botocore_failures(), _refusals():
        rows = list(_import(_clients(profile, url), instance, contents, dry_run=dry_run, invites=not no_invitations))
    rows.sort(key=lambda each: each["row"])
    _print(rows, is_dry=dry_run, as_json=as_json)


def _read(file: Path, kind: str | None) -> FileContents:
    from crownkeep.cli import people_csv, people_files, people_ldif

    suffix = file.suffix.lower().removeprefix(".")
    chosen = kind or {"ldf": "ldif"}.get(suffix, suffix)
    if chosen not in ("csv", "ldif"):
        raise WrongCall("is it CSV or LDIF? Say so with `--format`")
    text = people_files.read_text(file)
    return people_csv.read(text) if chosen == "csv" else people_ldif.read(text)


def _clients(profile: str | None, url: str) -> Any:
    from botocore.config import Config
    from botocore.session import Session

    from crownkeep import models

    session = Session(profile=profile)
    session.get_component("data_loader").search_paths.append(str(models.OWN_FOLDER))
    config = Config(retries={"mode": "adaptive", "total_max_attempts": 8}, connect_timeout=10, read_timeout=120)
    return lambda name: session.create_client(name, region_name=GLOBAL_REGION, endpoint_url=url, config=config)


@contextmanager
def _refusals() -> Iterator[None]:
    """Say in one sentence what the server refused."""
    from botocore.exceptions import ClientError

    try:
        yield
    except ClientError as error:
        raise click.ClickException(output.printable(str(error))) from error


def _import(clients: Any, instance: str, contents: FileContents, *, dry_run: bool, invites: bool) -> Iterator[dict[str, Any]]:
    store = _store(clients, instance)
    client = clients("sso-directory")
    whole = {"IdentityStoreId": store, "DryRun": dry_run, "Invite": invites}
    for refused in contents.refused:
        yield {"row": refused.row, "kind": refused.kind, "name": refused.name, "outcome": "refused", "reason": refused.reason}
    groups = [
        (each, {"DisplayName": each.name, **({"Description": each.description} if each.description else {})})
        for each in contents.groups
    ]
    # Groups first, so that people find them; and a group that nobody is in is made all the same.
    for group_batch in _batches(groups):
        answer = client.import_users(**whole, Groups=[sent for _, sent in group_batch])
        for (group, _), reply in zip(group_batch, answer["Groups"], strict=True):
            yield _row("group", group.row, group.name, reply, reply.get("GroupId"))
    people = [(each, {"UserName": each.name, **each.members}) for each in contents.people]
    for batch in _batches(people):
        answer = client.import_users(**whole, Users=[sent for _, sent in batch])
        for (person, _), reply in zip(batch, answer["Users"], strict=True):
            about = {"password": reply.get("Password", "NONE").lower(), "added_groups": reply.get("AddedGroups", 0)}
            row = _row("person", person.row, person.name, reply, reply.get("UserId"), reason=person.reason)
            yield {**row, **(about if reply["Outcome"] != "REFUSED" else {})}


def _store(clients: Any, instance: str) -> str:
    if _STORE.fullmatch(instance):
        return instance
    match = _INSTANCE.fullmatch(instance)
    if match is None:
        raise WrongCall("`--instance` takes an ARN such as `arn:aws:sso:::instance/ssoins-...`, or `d-...`")
    found = clients("sso-admin").describe_instance(InstanceArn=f"arn:aws:sso:::instance/{match[1]}")
    return str(found["IdentityStoreId"])


def _batches(items: Sequence[tuple[Any, Mapping[str, object]]]) -> Iterator[list[tuple[Any, Mapping[str, object]]]]:
    """Cut what is sent into requests that are neither too many nor too long."""
    batch: list[tuple[Any, Mapping[str, object]]] = []
    size = memberships = 0
    for item in items:
        length, groups = len(json.dumps(item[1])), len(cast("Sequence[str]", item[1].get("Groups", ())))
        is_full = len(batch) >= _BATCH or size + length > _BATCH_BYTES or memberships + groups > _BATCH_MEMBERSHIPS
        if batch and is_full:
            yield batch
            batch, size, memberships = [], 0, 0
        batch.append(item)
        size += length
        memberships += groups
    if batch:
        yield batch


def _row(kind: str, row: int, name: str, answer: Mapping[str, Any], its_id: str | None, *, reason: str = "") -> dict[str, Any]:
    why = answer.get("Reason") or reason
    outcome = answer["Outcome"].lower()
    return {"row": row, "kind": kind, "name": name, "outcome": outcome, "id": its_id, **({"reason": why} if why else {})}


def _print(rows: Sequence[Mapping[str, Any]], *, is_dry: bool, as_json: bool) -> None:
    def counted(kind: str) -> dict[str, int]:
        found = Counter(each["outcome"] for each in rows if each["kind"] == kind)
        return {outcome: found[outcome] for outcome in _OUTCOMES}

    passwords = Counter(each["password"] for each in rows if "password" in each)
    answer: dict[str, Any] = {
        "dry_run": is_dry,
        "people": counted("person"),
        "groups": counted("group"),
        "memberships": {"added": sum(each.get("added_groups", 0) for each in rows), "refused": counted("membership")["refused"]},
        "passwords": {name: passwords[name] for name in ("kept", "invited", "none")},
    }
    if as_json:
        output.print_json({**answer, "rows": list(rows)})
    else:
        _print_table(rows, answer)
    if any(each["outcome"] == "refused" for each in rows):
        raise click.exceptions.Exit(1)


def _print_table(rows: Sequence[Mapping[str, Any]], answer: Mapping[str, Any]) -> None:
    click.echo("This would come of it; nothing was changed:" if answer["dry_run"] else "Imported:")
    pairs = [(name, ", ".join(f"{count} {word}" for word, count in answer[name].items())) for name in answer if name != "dry_run"]
    output.print_pairs(pairs)
    noted = [each for each in rows if "reason" in each]
    if noted:
        table = [(str(each["row"]), each["kind"], each["name"][:64], each["outcome"], each["reason"]) for each in noted]
        output.print_table(("ROW", "WHAT", "NAME", "OUTCOME", "WHY"), table)
