"""Sealing keys: the beginning of their rotation, who holds them, and every secret at rest sealed anew in bounded steps."""

from __future__ import annotations

from crownkeep import data_directory, errors
from crownkeep.credentials import sealing
from crownkeep.credentials.sealing import Keyring
from crownkeep.domain import page_tokens
from crownkeep.operations import registry, sealed
from crownkeep.operations.call import NOTHING, Call, Result
from crownkeep.operations.registry import Effect
from crownkeep.services.operator.service import operator
from crownkeep.storage import sealed_values
from crownkeep.storage.sealed_values import SealedColumn

_STEP = 500


@operator.operation("BeginKeyRotation", resource=registry.everything, effect=Effect.STATE)
def begin_key_rotation(call: Call, *, sealing_key_id: str | None = None) -> Result:
    """Record that secrets are to be sealed with a new key, or with one that the key file holds; the file is changed afterwards.

    A seal is asked here, before anything is changed. Whoever has the file changes it: no answer of this server holds a key.
    """
    if sealing_key_id is not None and sealing_key_id not in {key.id for key in _key_file(call).keys}:
        raise errors.Conflict(f"the key file holds no key `{sealing_key_id}`")
    call.notes.additional["sealingKeyId"] = sealing_key_id or "a new one"
    return NOTHING


@operator.operation("SplitSealingKey", resource=registry.everything, effect=Effect.STATE)
def split_sealing_key(call: Call, *, needed: int) -> Result:
    """Record that the sealing key leaves the disk, and how many shares are needed from now on; the command moves it."""
    return NOTHING


@operator.operation("OpenSealingKey", resource=registry.everything, effect=Effect.STATE)
def open_sealing_key(call: Call, *, shares: list[int]) -> Result:
    """Record by which shares the sealing key was opened."""
    return NOTHING


@operator.operation("JoinSealingKey", resource=registry.everything, effect=Effect.STATE)
def join_sealing_key(call: Call) -> Result:
    """Record that the sealing key is put on the disk again, where it opens without shares; the command does that afterwards."""
    return NOTHING


@operator.operation("WrapSealingKey", resource=registry.everything, effect=Effect.STATE)
def wrap_sealing_key(call: Call, *, by: str) -> Result:
    """Record that the sealing key is to be wrapped by a key that is elsewhere; the command does that afterwards."""
    return NOTHING


@operator.operation("UnwrapSealingKey", resource=registry.everything, effect=Effect.STATE)
def unwrap_sealing_key(call: Call) -> Result:
    """Record that the sealing key is to lie open on the disk again; the command does that afterwards."""
    return NOTHING


@operator.operation("ResealSecrets", resource=registry.everything, effect=Effect.STATE)
def reseal_secrets(call: Call, *, max_results: int = _STEP, next_token: str | None = None) -> Result:
    """Look at some sealed values and seal those anew that the newest key did not seal; the token leads to the next ones.

    The secrets stay what they are, so nobody's standing changes. What no key of the file opens is counted and left alone.
    """
    _require_key_in_file(call)
    index, after = _position(call, next_token)
    column = sealed_values.COLUMNS[index]
    values = sealed_values.page(call.db, column, after=after, limit=max_results)
    resealed = unopenable = 0
    for value in values:
        if sealing.is_current(call.keyring, value.blob):
            continue
        try:
            blob = sealed.reseal(call.keyring, value.blob, purpose=column.purpose, place=value.place)
        except sealing.Unsealable:
            unopenable += 1
            continue
        # Only where it still is what was read: a secret that was set meanwhile must not get its former value back.
        resealed += sealed_values.replace(call.db, column, value, blob)
    call.notes.additional |= {"sealingKeyId": call.keyring.newest.id, "column": _name(column)}
    result: dict[str, object] = {"resealed": resealed, "unopenable": unopenable}
    # A full page may be the last one of its column; the next step finds nothing there and goes on.
    if len(values) == max_results:
        result["next_token"] = _token(call, index, values[-1].key)
    elif index + 1 < len(sealed_values.COLUMNS):
        result["next_token"] = _token(call, index + 1, "")
    return result


def _require_key_in_file(call: Call) -> None:
    """Refuse to seal anything with a key that the key file doesn't hold: without it, nothing would open after a restart."""
    directory, keyring = call.wiring.settings.data_directory, call.keyring
    try:
        # Steps are many: a token or a service that wraps the keys is asked only where the file isn't the one that they are of.
        if data_directory.has_keys_of(directory, keyring):
            return
    except (OSError, data_directory.UnusableDataDirectory) as error:
        raise errors.Conflict("the key file can't be read; nothing was sealed") from error
    if keyring.newest not in _key_file(call).keys:
        raise errors.Conflict(f"the key file lacks the key `{keyring.newest.id}`; nothing was sealed")


def _key_file(call: Call) -> Keyring:
    try:
        return data_directory.load_keyring(call.wiring.settings.data_directory)
    except (OSError, data_directory.UnusableDataDirectory) as error:
        raise errors.Conflict("the key file can't be read; nothing was sealed") from error


def _name(column: SealedColumn) -> str:
    return f"{column.column.table.name}.{column.column.name}"


def _position(call: Call, token: str | None) -> tuple[int, str]:
    if token is None:
        return 0, ""
    index, _, after = page_tokens.read(call, token, list_name="ResealSecrets", filters=()).partition(":")
    # The token is one of ours, but may come from a version that sealed other columns.
    if int(index) >= len(sealed_values.COLUMNS):
        raise errors.ValidationError("Invalid Marker.")
    return int(index), after


def _token(call: Call, index: int, after: str) -> str:
    return page_tokens.write(call, f"{index}:{after}", list_name="ResealSecrets", filters=())
