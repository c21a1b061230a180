"""`crownkeep evidence`: one signed file for an auditor, and whether such a file is what was signed. It is checked anywhere."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from crownkeep import untrusted_json
from crownkeep.cli import audit, lockdown, output, recorded_events, trail_sources
from crownkeep.cli import credential_audit as credential_audits
from crownkeep.cli.failures import WrongCall

if TYPE_CHECKING:
    from crownkeep.advisor.evidence_pack import EvidencePack, PartCheck, Records
    from crownkeep.audit.tlog_policy import Policy

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_TRAIL_PROOF = ".tlog-proof"


@click.group("evidence", short_help="Pack evidence for an auditor, and check it.")
def command() -> None:
    """Pack the evidence of an audit and of what was done about it into one signed file, and check such files anywhere."""


@command.command("pack", short_help="Pack evidence into a signed file.")
@click.option("--out", metavar="FILE", required=True, type=click.Path(dir_okay=False, path_type=Path), help="Where to write it.")
@click.option(
    "--from", "kept", metavar="FILE", type=click.File(encoding="utf-8"), help="Kept evidence; else the account is asked."
)
@click.option("--baseline", metavar="FILE", type=_FILE, help="What is accepted, as `audit --baseline` takes it.")
@click.option("--plan", metavar="FILE", type=_FILE, help="A plan of `lockdown`; its journal and its proof go with it.")
@click.option("--events", metavar="PATH", multiple=True, type=click.Path(exists=True, path_type=Path), help="CloudTrail's files.")
@click.option("--trail-proof", metavar="FILE", multiple=True, type=_FILE, help="What `crownkeep trail prove` has written.")
@click.option("--credential-audit", metavar="FILE", type=_FILE, help="The evidence of a credential audit; needs its `--events`.")
@click.option("--profile", metavar="P", help="A profile of the AWS configuration; the usual variables unless given.")
@click.option("--endpoint-url", metavar="U", help="Another endpoint than AWS's; AWS_ENDPOINT_URL is read, too.")
@output.json_flag()
def pack(
    out: Path,
    kept: Any,
    baseline: Path | None,
    plan: Path | None,
    events: tuple[Path, ...],
    trail_proof: tuple[Path, ...],
    credential_audit: Path | None,
    profile: str | None,
    endpoint_url: str | None,
    as_json: bool,
) -> None:
    """Pack an audit's report and raw evidence with the plan, what was applied, proofs and events; the file is signed.

    The parts are held against one another first: what `check` would refuse is not packed.
    """
    from crownkeep import clock
    from crownkeep.advisor import evidence as evidences
    from crownkeep.advisor import evidence_pack, private_files, signing

    found = audit.kept_evidence(kept) if kept is not None else audit.gathered(profile, endpoint_url)
    parts = _reported(found, baseline) | _planned(plan)
    if credential_audit is not None:
        parts[evidence_pack.CREDENTIAL_AUDIT] = _read(credential_audit)
    parts |= {f"{evidence_pack.TRAIL_PROOFS}{each.stem}{_TRAIL_PROOF}": _read(each) for each in trail_proof}
    if events:
        parts[evidence_pack.EVENTS] = _events(events)
    key = lockdown.own_key()
    content = evidence_pack.pack(parts, account_id=found.account_id, made_at=evidences.stamp(clock.now()), key=key)
    # Read back as an auditor will: what `check` refuses must not be handed out in the first place.
    unsound = [each for each in evidence_pack.checks(evidence_pack.read(content)) if not each.is_sound]
    if unsound:
        raise click.ClickException(output.printable("; ".join(f"{each.part}: {each.detail}" for each in unsound)))
    try:
        private_files.write_bytes(out, content)
    except private_files.UnsafeFile as error:
        raise click.ClickException(output.printable(str(error))) from error
    answer = {"file": str(out), "parts": sorted(parts), "key": signing.public_text(key)}
    if as_json:
        output.print_json(answer)
    else:
        click.echo(output.printable(f"{output.counted(len(parts), 'part')} are in {out}."))
        click.echo(f"Tell whoever checks it this key: {answer['key']}")


@command.command("check", short_help="Check evidence, anywhere.")
@click.argument("file", type=_FILE)
@click.option("--key", metavar="KEY", help="The key that it must be signed with, as `pack` told it.")
@click.option("--log-key", metavar="VKEY", multiple=True, help="For proofs of a trail: a key of the log that you trust.")
@click.option("--policy", metavar="FILE", type=click.Path(path_type=Path), help="For proofs of a trail: a tlog-policy file.")
@click.option("--events", metavar="FILE", type=click.File("rb"), help="For a credential audit's own file: records of its trail.")
@output.json_flag()
def check(file: Path, key: str | None, log_key: tuple[str, ...], policy: Path | None, events: Any, as_json: bool) -> None:
    """Check a pack: its signature, every part's digest, and that its parts fit one another. Exits with 1 if it is not sound.

    It takes the evidence that a credential audit exports, too. Nobody is asked. Without `--key` the pack is held against the key
    inside it: compare that key with the one that you were told.
    """
    from crownkeep.advisor import evidence_pack
    from crownkeep.advisor.evidence_pack import UnsoundPack

    content = _read(file)
    # A pack is a ZIP file. What a credential audit hands out by itself is JSON.
    if content[:1] == b"{":
        _check_credential_audit(content, events, as_json=as_json)
        return
    try:
        found = evidence_pack.read(content, trusted=key)
    except UnsoundPack as error:
        if as_json:
            output.print_json({"ok": False, "reason": str(error)})
        raise click.ClickException(output.printable(f"`{file}` is not sound: {error}")) from error
    proofs, proven = _trail_proofs(found, trail_sources.trusted(policy, log_key))
    checked = [*evidence_pack.checks(found, proven), *proofs]
    _print(found, checked, is_trusted=key is not None, as_json=as_json)
    if not all(each.is_sound for each in checked):
        raise click.exceptions.Exit(1)


def _reported(found: Any, baseline: Path | None) -> dict[str, bytes]:
    from crownkeep.advisor import evidence as evidences
    from crownkeep.advisor import evidence_pack, findings
    from crownkeep.advisor.report.formats import FORMATS

    parts = {evidence_pack.EVIDENCE: evidences.save(found).encode()}
    accepted: Sequence[Any] = ()
    if baseline is not None:
        parts[evidence_pack.BASELINE] = _read(baseline)
        try:
            accepted = findings.read_baseline(parts[evidence_pack.BASELINE].decode())
        except (findings.UnreadableBaseline, UnicodeDecodeError) as error:
            raise WrongCall(output.printable(f"`{baseline}`: {error}")) from error
    report = findings.audit(found, accepted)
    parts[evidence_pack.REPORT] = json.dumps(findings.as_object(report), indent=1).encode()
    parts[evidence_pack.PAGE] = FORMATS["html"](report).encode()
    return parts


def _planned(plan: Path | None) -> dict[str, bytes]:
    """Return a plan, and the journal and the proof that lie beside it."""
    from crownkeep.advisor import evidence_pack

    if plan is None:
        return {}
    parts = {evidence_pack.PLAN: _read(plan)}
    for name in (evidence_pack.JOURNAL, evidence_pack.PROOF):
        beside = plan.with_name(plan.name + name.removeprefix(evidence_pack.PLAN))
        if beside.is_file():
            parts[name] = _read(beside)
    return parts


def _events(paths: Sequence[Path]) -> bytes:
    from crownkeep.advisor import recorded_files

    with recorded_events.failures():
        records = [untrusted_json.read(each) for each in recorded_files.contents(paths)]
    return json.dumps({"Records": records}, ensure_ascii=False).encode()


def _trail_proofs(found: EvidencePack, trusted: Policy | None) -> tuple[list[PartCheck], Records]:
    """Check the proofs of a pack, and return the records that they prove beside."""
    from crownkeep.advisor import evidence_pack
    from crownkeep.advisor.evidence_pack import PartCheck
    from crownkeep.audit.notes import MalformedNote
    from crownkeep.trail import proving
    from crownkeep.trail.proving import Unproven

    checked, records = [], {}
    for name in sorted(each for each in found.parts if each.startswith(evidence_pack.TRAIL_PROOFS)):
        if trusted is None:
            checked.append(PartCheck(name, False, "whose log it is has to be known: give `--log-key` or `--policy`"))
            continue
        try:
            proven = proving.check(found.parts[name], trusted)
        except (Unproven, MalformedNote) as error:
            checked.append(PartCheck(name, False, str(error)))
            continue
        record = untrusted_json.read(proven.record)
        records[str(record["eventID"])] = record
        checked.append(PartCheck(name, True, f"record {proven.index} of {proven.size} of the log {proven.origin}"))
    return checked, records


def _check_credential_audit(content: bytes, events: Any, *, as_json: bool) -> None:
    if events is None:
        raise WrongCall("this is a credential audit's own file: give the records of its trail with `--events`")
    credential_audits.check(content, credential_audits.read_records(events), as_json=as_json)


def _print(found: EvidencePack, checked: Sequence[PartCheck], *, is_trusted: bool, as_json: bool) -> None:
    is_sound = all(each.is_sound for each in checked)
    if as_json:
        output.print_json(
            {
                "ok": is_sound,
                "account_id": found.account_id,
                "made_at": found.made_at,
                "key": found.key,
                "key_is_trusted": is_trusted,
                "parts": sorted(found.parts),
                "checks": [{"part": each.part, "ok": each.is_sound, "detail": each.detail} for each in checked],
            }
        )
        return
    whose = "which you named" if is_trusted else "compare it with the one that you were told"
    click.echo(f"Account {found.account_id}, packed {found.made_at}. {len(found.parts)} parts are as they were signed.")
    click.echo(output.printable(f"The key is {found.key}: {whose}."))
    rows = [(each.part, "sound" if each.is_sound else "NOT SOUND", each.detail) for each in checked]
    output.print_table(("Part", "State", "What it is"), rows)


def _read(file: Path) -> bytes:
    from crownkeep.advisor import evidence_pack

    try:
        with file.open("rb") as stream:
            content = stream.read(evidence_pack.LARGEST + 1)
    except OSError as error:
        raise WrongCall(output.printable(f"`{file}` can't be read: {error.strerror}")) from error
    if len(content) > evidence_pack.LARGEST:
        raise WrongCall(
            output.printable(f"`{file}` is larger than {evidence_pack.LARGEST // 2**20} MiB, the most that a pack holds")
        )
    return content
