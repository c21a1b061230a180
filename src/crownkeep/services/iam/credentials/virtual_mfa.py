"""Virtual MFA devices: made unassigned, their seed shown once, listed with whoever has them, and tagged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from crownkeep import arn, clock, errors
from crownkeep.credentials import totp
from crownkeep.credentials.secret import Secret
from crownkeep.domain import page_tokens
from crownkeep.domain.credentials import own_mfa
from crownkeep.operations import sealed
from crownkeep.operations.call import NOTHING, Call, Result
from crownkeep.operations.registry import Effect, Tagging, Target
from crownkeep.principals import PrincipalKind
from crownkeep.services.iam import quotas
from crownkeep.services.iam.identities import reserved, users
from crownkeep.services.iam.identities import tags as tagging
from crownkeep.services.iam.service import iam
from crownkeep.storage.credentials import mfa_devices
from crownkeep.storage.credentials.mfa_devices import Assignment, DeviceKind, MfaDeviceRow
from crownkeep.storage.identities import tags
from crownkeep.storage.identities.users import UserRow

Tags = Sequence[Mapping[str, str]]
RESOURCE_TYPE = own_mfa.DEVICE_TYPE
ISSUER = "Crownkeep"
"""How authenticator apps group what they show."""
_LONGEST_SERIAL = 256


@dataclass(frozen=True, slots=True)
class Seed:
    """A fresh seed and its QR code, which takes too long to draw inside a transaction."""

    text: Secret
    qr_png: bytes


def new_device(call: Call, *, virtual_mfa_device_name: str, path: str = "/", **_: object) -> Target:
    """The device to be made."""
    return Target(arn.mfa_device(call.account_id, path, virtual_mfa_device_name))


def named_device(call: Call, *, serial_number: str, **_: object) -> Target:
    """The device with this serial number, which is its ARN."""
    row = mfa_devices.with_serial(call.db, call.account_id, serial_number)
    # Devices of people of single sign-on are in the same table. Permissions of IAM must not reach them.
    if row is None or own_mfa.is_of_person(row.serial):
        return Target(serial_number, row=None)
    return Target(row.serial, tags=lambda: tagging.of(call, row.device_id), shown=serial_number, row=row)


def all_devices(call: Call, **_: object) -> Target:
    """The devices that a list may name, as AWS's refusals write it."""
    return Target(arn.mfa_device(call.account_id, "/", ""))


def prepare_seed(call: Call, *, virtual_mfa_device_name: str, path: str = "/", tags: Tags = ()) -> Seed:
    """Draw a seed, and the QR code that carries it into an authenticator app."""
    caller = call.principal
    owner = caller.name if caller.kind is PrincipalKind.USER else call.account_id
    seed = clock.token_bytes(totp.SEED_SIZE)
    uri = totp.provisioning_uri(seed, device_name=virtual_mfa_device_name, owner=owner, issuer=ISSUER)
    return Seed(totp.seed_text(seed), totp.qr_png(uri))


@iam.operation(
    "CreateVirtualMFADevice", resource=new_device, effect=Effect.STATE, prepare=prepare_seed, tagging=Tagging("iam:TagMFADevice")
)
def create_virtual_mfa_device(call: Call, *, virtual_mfa_device_name: str, path: str = "/", tags: Tags = ()) -> Result:
    """Make a device that belongs to nobody yet; the answer is the only place where its seed is shown."""
    reserved.require_free_path(path)
    seed = call.prepared
    assert isinstance(seed, Seed)  # noqa: S101 - what prepare_seed answered, for the type checker
    serial = _new_serial(call, path, virtual_mfa_device_name)
    count = mfa_devices.counts(call.db, call.account_id).all
    quotas.require_below(count, quotas.mfa_devices(call), name="MFADevices")
    row = MfaDeviceRow(
        device_id=clock.token_bytes(16).hex(),
        account_id=call.account_id,
        kind=DeviceKind.VIRTUAL,
        serial=serial,
        name=virtual_mfa_device_name,
        path=path,
        created_at=call.now,
        sealed_seed=sealed.seal_totp_seed(call.keyring, seed.text, account_id=call.account_id, serial=serial),
    )
    mfa_devices.add(call.db, row)
    tagged = tagging.put(call, row.device_id, tags)
    call.notes.resources.append((RESOURCE_TYPE, serial))
    device = {
        "SerialNumber": serial,
        "Base32StringSeed": seed.text.reveal().encode(),
        "QRCodePNG": seed.qr_png,
        **tagging.members(tagged),
    }
    return {"VirtualMFADevice": device}


@iam.operation("DeleteVirtualMFADevice", resource=named_device, effect=Effect.STATE)
def delete_virtual_mfa_device(call: Call, *, serial_number: str) -> Result:
    """Delete a device that nobody has any more, and its seed with it."""
    row = _targeted(call, serial_number)
    if row.owner_id is not None:
        raise errors.DeleteConflict("MFA VirtualDevice in use. Must deactivate first.")
    # No foreign key takes the tags along: their table knows whatever is tagged by its id alone.
    tags.remove_all(call.db, call.account_id, row.device_id)
    mfa_devices.remove(call.db, call.account_id, row.device_id)
    call.notes.resources.append((RESOURCE_TYPE, row.serial))
    return NOTHING


@iam.operation("ListVirtualMFADevices", resource=all_devices)
def list_virtual_mfa_devices(
    call: Call, *, assignment_status: str = "Any", marker: str | None = None, max_items: int | None = None
) -> Result:
    """List virtual devices and who has them, root included; never their seeds, nor their tags (API_ListVirtualMFADevices)."""
    found, more = page_tokens.page(
        call,
        list_name="ListVirtualMFADevices",
        filters=(assignment_status,),
        marker=marker,
        max_items=max_items,
        fetch=lambda after, limit: mfa_devices.virtual_page(
            call.db, call.account_id, assignment=Assignment(assignment_status), after=after, limit=limit
        ),
        key=lambda pair: pair[0].serial.lower(),
    )
    return {"VirtualMFADevices": [_describe(call, device, user) for device, user in found], **more}


@iam.operation("TagMFADevice", resource=named_device, effect=Effect.STATE)
def tag_mfa_device(call: Call, *, serial_number: str, tags: Tags) -> Result:
    """Add tags to a virtual device, or change them."""
    row = _targeted(call, serial_number)
    tagging.put(call, row.device_id, tags)
    call.notes.resources.append((RESOURCE_TYPE, row.serial))
    return NOTHING


@iam.operation("UntagMFADevice", resource=named_device, effect=Effect.STATE)
def untag_mfa_device(call: Call, *, serial_number: str, tag_keys: Sequence[str]) -> Result:
    """Take tags from a virtual device."""
    row = _targeted(call, serial_number)
    tagging.take(call, row.device_id, tag_keys)
    call.notes.resources.append((RESOURCE_TYPE, row.serial))
    return NOTHING


@iam.operation("ListMFADeviceTags", resource=named_device)
def list_mfa_device_tags(call: Call, *, serial_number: str, marker: str | None = None, max_items: int | None = None) -> Result:
    """List a virtual device's tags by key."""
    row = _targeted(call, serial_number)
    return tagging.page(call, row.device_id, list_name="ListMFADeviceTags", marker=marker, max_items=max_items)


def _targeted(call: Call, serial_number: str) -> MfaDeviceRow:
    row = call.target_row(MfaDeviceRow)
    if row is None or row.kind is not DeviceKind.VIRTUAL:
        raise missing(serial_number)
    return row


def missing(serial_number: str) -> errors.NoSuchEntity:
    """Return the refusal of a call about a device that doesn't exist."""
    return errors.NoSuchEntity(f"MFA Device with serial number {serial_number} does not exist.")


def _new_serial(call: Call, path: str, name: str) -> str:
    serial = arn.mfa_device(call.account_id, path, name)
    if len(serial) > _LONGEST_SERIAL:
        raise errors.ValidationError(
            "1 validation error detected: Value at 'serialNumber' failed to satisfy constraint: "
            f"Member must have length less than or equal to {_LONGEST_SERIAL}"
        )
    if mfa_devices.with_serial(call.db, call.account_id, serial) is not None:
        raise errors.EntityAlreadyExists("MFADevice entity at the same path and name already exists.")
    return serial


def _describe(call: Call, device: MfaDeviceRow, user: UserRow | None) -> dict[str, object]:
    described: dict[str, object] = {"SerialNumber": device.serial}
    if device.owner_id is not None:
        described["User"] = users.describe_root(call) if user is None else users.describe(user)
        described["EnableDate"] = device.enabled_at
    return described
