"""Evidence packs: what an auditor is handed, in one zip file whose every part is hashed, and whose list of parts is signed.

Reading one trusts nothing that it says: parts are read within limits and never unpacked to disk, each must be in the signed
list with its digest, and nothing may be beside the list.
"""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from hashlib import sha256
from types import MappingProxyType
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from crownkeep import untrusted_json
from crownkeep.advisor import evidence, findings, journal, plans, signing
from crownkeep.advisor.plans import UnreadablePlan
from crownkeep.audit import credential_evidence
from crownkeep.audit.credential_evidence import Altered

FORMAT = "crownkeep-evidence-pack/1"
MANIFEST = "manifest.json"
EVIDENCE, REPORT, PAGE, BASELINE = "evidence.json", "report.json", "report.html", "baseline.json"
PLAN, JOURNAL, PROOF = "plan.json", "plan.json.journal", "plan.json.proof"
EVENTS, CREDENTIAL_AUDIT = "events.json", "credential-audit.json"
TRAIL_PROOFS = "trail-proofs/"

MOST_PARTS = 1_000
LARGEST = 256 * 1024 * 1024
"""Bytes of all parts together, unpacked."""
_COMPRESSIONS = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
_MADE = (1980, 1, 1, 0, 0, 0)  # the earliest that the format has: the same parts make the same file

Records = Mapping[str, Mapping[str, Any]]
"""Records of a trail by their ids."""
NO_RECORDS: Records = MappingProxyType({})


class UnsoundPack(ValueError):
    """A file is no evidence pack, or not the one that was signed; the text says what is wrong."""


@dataclass(frozen=True, slots=True)
class EvidencePack:
    """A pack whose signature and digests were found to be right."""

    account_id: str
    made_at: str
    key: str
    """The public key that signed it, as text: whose it is, the reader must know."""
    parts: Mapping[str, bytes]
    proven: Records = field(default_factory=dict)
    """Records that its proofs show to be in a log."""


@dataclass(frozen=True, slots=True)
class PartCheck:
    """What was found out of a part beyond its digest."""

    part: str
    is_sound: bool
    detail: str


def pack(parts: Mapping[str, bytes], *, account_id: str, made_at: str, key: Ed25519PrivateKey) -> bytes:
    """Return the zip file of these parts."""
    listed = [{"name": name, "sha256": sha256(content).hexdigest(), "size": len(content)} for name, content in parts.items()]
    manifest = signing.sign({"format": FORMAT, "account_id": account_id, "made_at": made_at, "parts": listed}, key)
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in {MANIFEST: manifest.encode(), **parts}.items():
            about = zipfile.ZipInfo(name, _MADE)
            about.compress_type = zipfile.ZIP_DEFLATED
            about.external_attr = 0o600 << 16
            archive.writestr(about, content)
    return file.getvalue()


def read(content: bytes, *, trusted: str | None = None) -> EvidencePack:
    """Read a pack; raises UnsoundPack. Without a trusted key, the one that signed it is told, and proves nothing by itself."""
    parts = _unpacked(content)
    manifest = parts.pop(MANIFEST, b"")
    try:
        signer = str(untrusted_json.read(manifest)["signature"]["key"])
        answer = signing.read(manifest.decode(), trusted or signer)
        if answer["format"] != FORMAT:
            raise UnsoundPack(f"the pack is not of the format `{FORMAT}`")
        listed = {str(each["name"]): str(each["sha256"]) for each in answer["parts"]}
        account_id, made_at = str(answer["account_id"]), str(answer["made_at"])
    except UnreadablePlan as error:
        raise UnsoundPack(f"the list of parts ({MANIFEST}) is not what was signed: {error}") from error
    except UnsoundPack:
        raise
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UnsoundPack(f"this is no evidence pack: it has no signed list of parts ({MANIFEST})") from error
    # In both directions: a part beside the list was signed by nobody, and one that is missing may be the one that matters.
    if listed.keys() != parts.keys():
        names = ", ".join(sorted(listed.keys() ^ parts.keys()))
        raise UnsoundPack(f"the parts are not those of the signed list: {names}")
    altered = sorted(name for name, found in parts.items() if sha256(found).hexdigest() != listed[name])
    if altered:
        raise UnsoundPack(f"changed since it was signed: {', '.join(altered)}")
    return EvidencePack(account_id, made_at, signer, parts)


def _unpacked(content: bytes) -> dict[str, bytes]:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = archive.infolist()
            names = {each.filename for each in entries}
            # A name twice is read differently by different tools: one shows the part that was signed, another the other one.
            if len(entries) > MOST_PARTS or len(names) != len(entries):
                raise UnsoundPack("the pack has too many parts, or one of them twice")
            if any(each.compress_type not in _COMPRESSIONS for each in entries):
                raise UnsoundPack("a part is compressed in another way than packs are")
            left, parts = LARGEST, {}
            for each in entries:
                with archive.open(each) as part:
                    parts[each.filename] = part.read(left + 1)  # what the directory says of sizes is not believed
                left -= len(parts[each.filename])
                if left < 0:
                    raise UnsoundPack(f"the pack holds more than {LARGEST} bytes")
            return parts
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError, ValueError) as error:
        if isinstance(error, UnsoundPack):
            raise
        raise UnsoundPack("this is no zip file that can be read") from error


def checks(found: EvidencePack, proven: Records = NO_RECORDS) -> Iterator[PartCheck]:
    """Hold parts against one another: the report against the evidence, what was applied against the plan, and so on.

    `proven` are records that the pack's proofs show to be in a log, by their ids: they are believed before the pack's events.
    """
    found = replace(found, proven=proven)
    for part, check in _CHECKS.items():
        if part in found.parts:
            try:
                yield PartCheck(part, True, check(found))
            except (UnsoundPack, UnreadablePlan, Altered, evidence.UnreadableEvidence, findings.UnreadableBaseline) as error:
                yield PartCheck(part, False, str(error))
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                yield PartCheck(part, False, f"it can't be read: {type(error).__name__}")


def _evidence(found: EvidencePack) -> str:
    answer = evidence.load(found.parts[EVIDENCE].decode())
    if answer.account_id != found.account_id:
        raise UnsoundPack(f"it is of account {answer.account_id}")
    return f"{len(answer.answers)} answers of the AWS API, gathered {evidence.stamp(answer.at)}"


def _report(found: EvidencePack) -> str:
    answer = evidence.load(found.parts[EVIDENCE].decode())
    accepted = findings.read_baseline(found.parts[BASELINE].decode()) if BASELINE in found.parts else ()
    anew, said = findings.as_object(findings.audit(answer, accepted)), untrusted_json.read(found.parts[REPORT])
    if anew == said:
        return f"{len(said['findings'])} findings, the same as the evidence gives now"
    names = {each["check"] for each in anew["findings"]} ^ {each["check"] for each in said["findings"]}
    # The same evidence may be judged by more checks, or fewer, where the pack is of another version: that is no forgery.
    if names:
        return f"{len(said['findings'])} findings of another version's checks: {len(names)} checks differ"
    raise UnsoundPack("the evidence gives other findings than the report")


def _plan(found: EvidencePack) -> str:
    text = found.parts[PLAN].decode()
    made = plans.of(signing.read(text, str(untrusted_json.read(text)["signature"]["key"])))
    if made.account_id != found.account_id:
        raise UnsoundPack(f"it is for account {made.account_id}")
    return f"{len(made.steps)} steps, and {len(made.people)} things for people"


def _journal(found: EvidencePack) -> str:
    digest = sha256(found.parts[PLAN]).hexdigest()
    text = found.parts[JOURNAL].decode()
    lines = list(journal.entries(text))
    events = list({line["step"]: line["event"] for line in lines if line["plan"] == digest}.values())
    # Whole lines of another plan, or none at all: neither says anything of this one.
    if text.strip() and not any(line["plan"] == digest for line in lines):
        raise UnsoundPack("it is of another plan")
    undone = events.count(journal.UNDONE)
    return f"{events.count(journal.DONE)} steps were done" + (f", and {undone} taken back" if undone else "")


def _proof(found: EvidencePack) -> str:
    text = found.parts[PROOF].decode()
    answer = signing.read(text, str(untrusted_json.read(text)["signature"]["key"]))
    if answer["plan_sha256"] != sha256(found.parts[PLAN]).hexdigest():
        raise UnsoundPack("it is of another plan")
    holding = sum(each["state"] == "holds" for each in answer["steps"])
    return f"{holding} of {len(answer['steps'])} applied steps hold"


def _events(found: EvidencePack) -> str:
    records = _records(found)
    altered = sorted(each for each, record in records.items() if each in found.proven and found.proven[each] != record)
    if altered:
        raise UnsoundPack(f"not as the log has them: {', '.join(altered)}")
    strangers = {each.get("recipientAccountId") for each in records.values()} - {found.account_id}
    return f"{len(records)} events" + (f", of {len(strangers)} other accounts, too" if strangers else "")


def _credential_audit(found: EvidencePack) -> str:
    claims = credential_evidence.read(found.parts[CREDENTIAL_AUDIT])
    if claims.account_id != found.account_id:
        raise UnsoundPack(f"it is of account {claims.account_id}")
    named = (claims.start_event_id, claims.sign_off_event_id)
    # Proven ones last, so that they stand in the place of what the pack itself says of the same event.
    records = {**(_records(found) if EVENTS in found.parts else {}), **found.proven}
    credential_evidence.hold(claims, started=records.get(named[0]), signed=records.get(named[1]))
    proof = "by records that are proven to be in the log" if set(named) <= found.proven.keys() else "by the pack's own events"
    return f"{claims.credentials} credentials, signed off by {claims.signed_by} at {claims.signed_at}, {proof}"


def _records(found: EvidencePack) -> Records:
    return {str(each["eventID"]): each for each in untrusted_json.read(found.parts[EVENTS])["Records"]}


_CHECKS = {
    EVIDENCE: _evidence,
    REPORT: _report,
    PLAN: _plan,
    JOURNAL: _journal,
    PROOF: _proof,
    EVENTS: _events,
    CREDENTIAL_AUDIT: _credential_audit,
}
