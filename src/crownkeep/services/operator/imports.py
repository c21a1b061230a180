"""What the operator imports: breached passwords and FIDO metadata, staged as files by a command, and seeds of hardware tokens.

A staged file can only be written by whoever has the data directory; the operation looks at it and puts it into its place, so that
the change and its record belong together.
"""

from __future__ import annotations

import mmap
from collections.abc import Mapping, Sequence
from pathlib import Path

from crownkeep import clock, data_directory, errors
from crownkeep.credentials import fido_metadata, totp
from crownkeep.credentials.breached import BreachedPasswords, MalformedIndex
from crownkeep.credentials.fido_metadata import MalformedMetadata, Metadata
from crownkeep.domain.credentials import mfa
from crownkeep.domain.credentials.passkeys import METADATA_FILE, METADATA_ROOT_FILE
from crownkeep.operations import registry, sealed
from crownkeep.operations.call import Call, Result
from crownkeep.operations.registry import Effect
from crownkeep.services.operator import known_accounts
from crownkeep.services.operator.service import operator
from crownkeep.signin.password_rules import BREACHED_FILE
from crownkeep.storage import holds
from crownkeep.storage.credentials import mfa_devices
from crownkeep.storage.credentials.mfa_devices import DeviceKind, MfaDeviceRow
from crownkeep.storage.holds import Hold


@operator.operation("InstallBreachedPasswords", resource=registry.everything, effect=Effect.STATE)
def install_breached_passwords(call: Call) -> Result:
    """Put a staged index of breached passwords into use, in the place of the one before."""
    folder = call.settings.data_directory
    place = data_directory.staged(folder, BREACHED_FILE)
    try:
        # Mapped and not read: the index of all known breached passwords has many gigabytes.
        with place.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
            opened = BreachedPasswords(mapped)
            answer: dict[str, object] = {"entries": opened.count, "kind": opened.kind.name}
    # An empty file can't be mapped, and is told by a ValueError.
    except (FileNotFoundError, MalformedIndex, ValueError) as error:
        raise errors.Conflict("no index is staged: run `crownkeep passwords import-breached`") from error
    data_directory.install(folder, BREACHED_FILE)
    call.notes.additional |= answer
    return answer


def prepare_metadata(call: Call) -> Metadata:
    """Verify the staged metadata, which takes too long inside a transaction; raises Conflict."""
    folder = call.settings.data_directory
    try:
        blob = data_directory.staged(folder, METADATA_FILE).read_bytes()
        root = data_directory.staged(folder, METADATA_ROOT_FILE).read_bytes()
    except FileNotFoundError as error:
        raise errors.Conflict("no metadata is staged: run `crownkeep mfa import-metadata`") from error
    try:
        found = fido_metadata.read_blob(blob, trust_root=root, now=call.now)
    except MalformedMetadata as error:
        raise errors.Conflict(str(error)) from error
    kept = _kept(folder)
    # An older list would trust models again whose keys have been found to be broken since (FIDO Metadata Service, the payload's
    # `no`).
    if kept is not None and found.number < kept.number:
        raise errors.Conflict(f"this is FIDO metadata number {found.number}, older than number {kept.number}, which is in use")
    return found


@operator.operation("InstallFidoMetadata", resource=registry.everything, effect=Effect.STATE, prepare=prepare_metadata)
def install_fido_metadata(call: Call) -> Result:
    """Put staged FIDO metadata into use, once it is verified: newer than what is in use, and signed under the staged root."""
    found = call.prepared
    assert isinstance(found, Metadata)  # noqa: S101 - what prepare_metadata answered, for the type checker
    # The root first: what lies between the two is metadata that can't be read, under which no key is registered.
    data_directory.install(call.settings.data_directory, METADATA_ROOT_FILE)
    data_directory.install(call.settings.data_directory, METADATA_FILE)
    answer: dict[str, object] = {"number": found.number, "models": found.count, "next_update": found.next_update.isoformat()}
    call.notes.additional |= answer
    return answer


@operator.operation("ImportMfaTokens", resource=registry.everything, effect=Effect.STATE)
def import_mfa_tokens(call: Call, *, account_id: str, tokens: Sequence[Mapping[str, str]]) -> Result:
    """Give an account hardware tokens that nobody has yet, all of them or, where one is refused, none.

    A token belongs to one account: in a second one each of its codes could be used again.
    """
    known_accounts.held(call, account_id)
    # The account's row is not enough: another node may give the same token to another account.
    holds.take(call.db, Hold.HARDWARE_TOKENS)
    call.notes.account_id = account_id
    present = {row.serial.lower(): row for row in mfa_devices.hardware_with_serials(call.db, [_serial(each) for each in tokens])}
    imported = 0
    for token in tokens:
        held = present.get(_serial(token).lower())
        if held is None:
            row = _device(call, account_id, token)
            mfa_devices.add(call.db, row)
            present[row.serial.lower()] = row
            imported += 1
        elif held.account_id != account_id or totp.read_seed(token["seed"]) != mfa.seed_of(call.keyring, held):
            raise errors.Conflict(f"the token `{held.serial}` is known already: in another account, or with another seed")
    return {"imported": imported, "unchanged": len(tokens) - imported}


def _device(call: Call, account_id: str, token: Mapping[str, str]) -> MfaDeviceRow:
    serial = _serial(token)
    try:
        seed = totp.seed_text(totp.read_seed(token["seed"]))
    except ValueError as error:
        raise errors.ValidationError(f"the token `{serial}` can't be imported: {error}") from error
    call.notes.resources.append(("AWS::IAM::MFADevice", serial))
    return MfaDeviceRow(
        device_id=clock.token_bytes(16).hex(),
        account_id=account_id,
        kind=DeviceKind.HARDWARE,
        serial=serial,
        name=serial,
        path="/",
        created_at=call.now,
        sealed_seed=sealed.seal_totp_seed(call.keyring, seed, account_id=account_id, serial=serial),
    )


def _serial(token: Mapping[str, str]) -> str:
    return token["serial_number"]


def _kept(folder: Path) -> Metadata | None:
    """Return the metadata in use; None where there is none, or none that can be read."""
    try:
        root = (folder / METADATA_ROOT_FILE).read_bytes()
        # Without `now`: what is in use may have run out by now, and its number counts all the same.
        return fido_metadata.read_blob((folder / METADATA_FILE).read_bytes(), trust_root=root)
    except (FileNotFoundError, MalformedMetadata):
        return None
