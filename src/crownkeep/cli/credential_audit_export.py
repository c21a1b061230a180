"""`crownkeep credential-audit export`: a credential audit's evidence as a signed pack, asked of the server by its API."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from crownkeep import untrusted_json
from crownkeep.arn import GLOBAL_REGION
from crownkeep.cli import audit, lockdown, output
from crownkeep.cli.failures import WrongCall

_TRIES = 20


def write(audit_id: str, out: Path, profile: str | None, endpoint_url: str | None) -> dict[str, Any]:
    """Write the pack and return what to tell of it; raises WrongCall and ClickException."""
    from botocore.exceptions import ClientError

    from crownkeep import models
    from crownkeep.advisor import private_files, reader, signing

    with audit.botocore_failures():
        clients = reader.clients_of(profile, endpoint_url, models=str(models.OWN_FOLDER))
        try:
            account_id, parts = _parts(clients, audit_id)
        except ClientError as error:
            raise WrongCall(output.printable(f"the evidence can't be exported: {error}")) from error
    key = lockdown.own_key()
    try:
        private_files.write_bytes(out, _packed(account_id, parts, key))
    except private_files.UnsafeFile as error:
        raise click.ClickException(output.printable(str(error))) from error
    return {"file": str(out), "parts": sorted(parts), "key": signing.public_text(key)}


def _parts(clients: Any, audit_id: str) -> tuple[str, dict[str, bytes]]:
    from crownkeep.advisor import evidence_pack, reader
    from crownkeep.audit import credential_evidence
    from crownkeep.audit.credential_evidence import Altered

    service = clients("credential-audit", GLOBAL_REGION)
    answer = reader.invoke(service, "GetCredentialAuditEvidence", {"AuditId": audit_id})
    document = str(answer["Document"]).encode()
    try:
        claims = credential_evidence.read(document)
    except Altered as error:
        raise WrongCall(f"{error}: sign the audit off first") from error
    parts = {evidence_pack.CREDENTIAL_AUDIT: document}
    records = []
    for name, event_id in (("start", claims.start_event_id), ("sign-off", claims.sign_off_event_id)):
        proof = _proof(clients, event_id)
        parts[f"{evidence_pack.TRAIL_PROOFS}{name}.tlog-proof"] = proof.encode()
        records.append(_record(proof))
    parts[evidence_pack.EVENTS] = json.dumps({"Records": records}, ensure_ascii=False).encode()
    return claims.account_id, parts


def _proof(clients: Any, event_id: str) -> str:
    """Return the proof of a record; the one of a sign-off that was just made is there within a second."""
    from botocore.exceptions import ClientError

    from crownkeep import clock
    from crownkeep.advisor import reader

    service = clients("trail", GLOBAL_REGION)
    for _ in range(_TRIES):
        try:
            return str(reader.invoke(service, "GetProof", {"EventId": event_id})["Proof"])
        except ClientError as error:
            if error.response["Error"]["Code"] != "ResourceNotFoundException":
                raise
        clock.sleep(0.5)
    raise click.ClickException(f"event {event_id} is not in the trail: `crownkeep trail verify` says whether that is sound")


def _record(proof: str) -> Any:
    from crownkeep.audit import tlog_proof

    return untrusted_json.read(untrusted_json.read(tlog_proof.read(proof.encode()).extra)["record"])


def _packed(account_id: str, parts: dict[str, bytes], key: Any) -> bytes:
    from crownkeep import clock
    from crownkeep.advisor import evidence, evidence_pack

    return evidence_pack.pack(parts, account_id=account_id, made_at=evidence.stamp(clock.now()), key=key)
