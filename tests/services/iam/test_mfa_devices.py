"""MFA devices: enrolled with codes that are really checked, good for STS, and guarded against stolen keys."""

from __future__ import annotations

import time
from base64 import b32decode
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from tests.services.iam.asking import Authenticator, allow, enable, enrol, refusal, status

from crownkeep.storage.credentials import mfa_devices, passkeys
from crownkeep.storage.credentials.mfa_devices import DeviceKind, MfaDeviceRow
from crownkeep.storage.credentials.passkeys import PasskeyRow
from crownkeep.storage.database import Database

NEEDS_MFA = (
    "AccessDenied: To complete this action, please ensure that you are authenticated with an MFA device "
    "that is enabled for this user."
)
INVALID = "InvalidAuthenticationCode: Authentication code for device is not valid."
WRONG_CODE = "AccessDenied: MultiFactorAuthentication failed with invalid MFA one time pass code. "
START = datetime(2026, 11, 24, 12, 0, 1, tzinfo=UTC)


@pytest.fixture(autouse=True)
def clock():
    """Time that stands still until a test moves it."""
    with time_machine.travel(START, tick=False) as traveller:
        yield traveller


@pytest.fixture
def bob(account):
    """A user who may do anything in IAM and with a session."""
    return account.user("bob", policy=allow("iam:*", "sts:*"))


def with_mfa(account, user, serial, app, steps=0):
    """Return an IAM client of the user's session with a second factor."""
    answer = user.client("sts").get_session_token(SerialNumber=serial, TokenCode=app.code(steps))
    return account.crown.session(answer["Credentials"], "iam")


# Virtual devices.


def test_a_new_device_tells_its_seed_as_text_and_as_a_picture_once(account):
    iam = account.client("iam")

    device = iam.create_virtual_mfa_device(VirtualMFADeviceName="phone", Path="/my/")["VirtualMFADevice"]

    assert {"SerialNumber", "Base32StringSeed", "QRCodePNG"} == device.keys()
    assert f"arn:aws:iam::{account.id}:mfa/my/phone" == device["SerialNumber"]
    assert 40 == len(b32decode(device["Base32StringSeed"]))
    assert device["QRCodePNG"].startswith(b"\x89PNG")
    assert [{"SerialNumber": device["SerialNumber"]}] == iam.list_virtual_mfa_devices()["VirtualMFADevices"]
    assert device["Base32StringSeed"].decode() not in str(account.records())


def test_two_devices_of_a_name_need_two_paths(account):
    iam = account.client("iam")
    iam.create_virtual_mfa_device(VirtualMFADeviceName="phone")

    answer = refusal(iam.create_virtual_mfa_device, VirtualMFADeviceName="Phone")

    iam.create_virtual_mfa_device(VirtualMFADeviceName="phone", Path="/other/")
    assert "EntityAlreadyExists: MFADevice entity at the same path and name already exists." == answer


def test_a_serial_number_has_256_characters_at_most(account):
    iam = account.client("iam")
    room = 256 - len(f"arn:aws:iam::{account.id}:mfa/")

    iam.create_virtual_mfa_device(VirtualMFADeviceName="n" * room)

    answer = refusal(iam.create_virtual_mfa_device, VirtualMFADeviceName="n" * (room + 1))
    assert answer.startswith("ValidationError: ")


def test_a_device_is_listed_with_its_user_or_with_root_by_assignment(account, bob):
    root = account.root("iam")
    enrol(account.client("iam"), "bob", "of-bob")
    enrol(root, "root", "of-root")
    account.client("iam").create_virtual_mfa_device(VirtualMFADeviceName="spare", Tags=[{"Key": "a", "Value": "b"}])

    listed = {
        status: [device["SerialNumber"].rpartition("/")[2] for device in answer["VirtualMFADevices"]]
        for status in ("Assigned", "Unassigned", "Any")
        for answer in [root.list_virtual_mfa_devices(AssignmentStatus=status)]
    }

    assert {"Assigned": ["of-bob", "of-root"], "Unassigned": ["spare"], "Any": ["of-bob", "of-root", "spare"]} == listed
    of_bob, of_root, spare = root.list_virtual_mfa_devices()["VirtualMFADevices"]
    assert (bob.arn, "bob") == (of_bob["User"]["Arn"], of_bob["User"]["UserName"])
    assert (f"arn:aws:iam::{account.id}:root", account.id) == (of_root["User"]["Arn"], of_root["User"]["UserId"])
    assert START == of_root["EnableDate"].replace(microsecond=0)
    assert {"SerialNumber"} == spare.keys()


def test_virtual_devices_are_listed_page_by_page(account):
    iam = account.client("iam")
    for name in ("c", "a", "b"):
        iam.create_virtual_mfa_device(VirtualMFADeviceName=name)

    pages = iam.get_paginator("list_virtual_mfa_devices").paginate(PaginationConfig={"PageSize": 2})

    assert [["a", "b"], ["c"]] == [
        [device["SerialNumber"].rpartition("/")[2] for device in page["VirtualMFADevices"]] for page in pages
    ]


def test_an_assigned_device_is_deleted_only_after_it_was_deactivated(account, bob):
    iam = account.client("iam")
    serial, _ = enrol(iam, "bob", "phone")

    in_use = refusal(iam.delete_virtual_mfa_device, SerialNumber=serial)
    iam.deactivate_mfa_device(UserName="bob", SerialNumber=serial)
    iam.delete_virtual_mfa_device(SerialNumber=serial)

    assert "DeleteConflict: MFA VirtualDevice in use. Must deactivate first." == in_use
    assert [] == iam.list_virtual_mfa_devices()["VirtualMFADevices"]
    answer = refusal(iam.delete_virtual_mfa_device, SerialNumber=serial)
    assert f"NoSuchEntity: MFA Device with serial number {serial} does not exist." == answer


# Enrolment.


def test_a_device_is_enabled_with_two_consecutive_codes_only(account, bob):
    iam = account.client("iam")
    device = iam.create_virtual_mfa_device(VirtualMFADeviceName="phone")["VirtualMFADevice"]
    app = Authenticator(device["Base32StringSeed"])
    wrong = [(app.code(), app.code()), (app.code(), app.code(-1)), (app.code(-2), app.code()), ("000000", "000001")]

    for first, second in wrong:
        answer = refusal(
            iam.enable_mfa_device,
            UserName="bob",
            SerialNumber=device["SerialNumber"],
            AuthenticationCode1=first,
            AuthenticationCode2=second,
        )
        assert INVALID == answer

    enable(iam, "bob", device["SerialNumber"], app)
    (listed,) = iam.list_mfa_devices(UserName="bob")["MFADevices"]
    assert {"UserName", "SerialNumber", "EnableDate"} == listed.keys()


def test_a_device_belongs_to_one_owner_at_a_time(account, bob):
    iam = account.client("iam")
    iam.create_user(UserName="carol")
    serial, app = enrol(iam, "bob", "phone")

    taken = refusal(
        iam.enable_mfa_device,
        UserName="carol",
        SerialNumber=serial,
        AuthenticationCode1=app.code(-1),
        AuthenticationCode2=app.code(),
    )
    of_another = refusal(iam.deactivate_mfa_device, UserName="carol", SerialNumber=serial)

    assert taken.startswith("EntityAlreadyExists: ")
    assert "NoSuchEntity: MFA Device invalid for user." == of_another
    iam.deactivate_mfa_device(UserName="bob", SerialNumber=serial)
    enable(iam, "carol", serial, app)


def test_a_user_has_eight_devices_at_most(account, bob):
    iam = account.client("iam")
    for number in range(8):
        enrol(iam, "bob", f"phone-{number}")

    with pytest.raises(Exception, match="Cannot exceed quota for MFADevicesPerUser: 8"):
        enrol(iam, "bob", "phone-8")


def test_a_user_with_a_device_is_deleted_only_without_it(account):
    iam = account.client("iam")
    iam.create_user(UserName="bob")
    serial, _ = enrol(iam, "bob", "phone")

    answer = refusal(iam.delete_user, UserName="bob")

    assert "DeleteConflict: Cannot delete entity, must delete MFA device first." == answer
    iam.deactivate_mfa_device(UserName="bob", SerialNumber=serial)
    iam.delete_user(UserName="bob")


def test_the_codes_of_an_app_whose_clock_is_off_are_understood_from_then_on(account, bob):
    iam = account.client("iam")
    device = iam.create_virtual_mfa_device(VirtualMFADeviceName="phone")["VirtualMFADevice"]
    app = Authenticator(device["Base32StringSeed"])

    iam.enable_mfa_device(
        UserName="bob",
        SerialNumber=device["SerialNumber"],
        AuthenticationCode1=app.code(100),
        AuthenticationCode2=app.code(101),
    )

    with_mfa(account, bob, device["SerialNumber"], app, steps=101)
    assert WRONG_CODE == refusal(bob.client("sts").get_session_token, SerialNumber=device["SerialNumber"], TokenCode=app.code())


def test_a_device_is_found_again_by_resynchronising(account, bob, clock):
    iam = bob.client("iam")
    serial, app = enrol(iam, "bob", "phone")
    own = {"UserName": "bob", "SerialNumber": serial}

    wrong = refusal(iam.resync_mfa_device, AuthenticationCode1=app.code(51), AuthenticationCode2=app.code(50), **own)
    iam.resync_mfa_device(AuthenticationCode1=app.code(50), AuthenticationCode2=app.code(51), **own)

    assert INVALID == wrong
    with_mfa(account, bob, serial, app, steps=52)


# Codes.


def test_a_code_gives_a_session_with_a_second_factor_once(account, bob):
    serial, app = enrol(bob.client("iam"), "bob", "phone")
    code = app.code()

    bob.client("sts").get_session_token(SerialNumber=serial, TokenCode=code)

    assert WRONG_CODE == refusal(bob.client("sts").get_session_token, SerialNumber=serial, TokenCode=code)


def test_a_code_that_was_refused_is_counted_although_the_call_changes_nothing(account, bob, clock):
    sts = bob.client("sts")
    serial, app = enrol(bob.client("iam"), "bob", "phone")

    for _ in range(9):
        assert WRONG_CODE == refusal(sts.get_session_token, SerialNumber=serial, TokenCode="000000")

    assert WRONG_CODE == refusal(sts.get_session_token, SerialNumber=serial, TokenCode=app.code())
    clock.move_to(START + timedelta(minutes=3))
    sts.get_session_token(SerialNumber=serial, TokenCode=app.code())


def test_the_wrong_codes_of_a_thief_are_counted_for_resynchronising_too(account, bob):
    iam = bob.client("iam")
    serial, app = enrol(iam, "bob", "phone")
    own = {"UserName": "bob", "SerialNumber": serial}

    for _ in range(9):
        assert INVALID == refusal(iam.resync_mfa_device, AuthenticationCode1="000000", AuthenticationCode2="000001", **own)

    answer = refusal(bob.client("sts").get_session_token, SerialNumber=serial, TokenCode=app.code())
    assert WRONG_CODE == answer


def test_another_users_device_is_no_factor(account, bob):
    carol = account.user("carol", policy=allow("iam:*"))
    serial, app = enrol(carol.client("iam"), "carol", "phone")

    answer = refusal(bob.client("sts").get_session_token, SerialNumber=serial, TokenCode=app.code())

    assert answer.startswith("AccessDenied: MultiFactorAuthentication failed, unable to validate MFA code.  Please verify")


def test_half_a_factor_is_none(account, bob):
    serial, app = enrol(bob.client("iam"), "bob", "phone")

    for half in ({"SerialNumber": serial}, {"TokenCode": app.code()}):
        answer = refusal(bob.client("sts").get_session_token, **half)
        assert "must provide both MFA serial number and one time pass code." in answer


def test_the_force_mfa_policy_lets_a_user_enrol_and_only_then_do_the_rest(account):
    own = [f"arn:aws:iam::{account.id}:user/${{aws:username}}", f"arn:aws:iam::{account.id}:mfa/*"]
    enrolment = ["iam:CreateVirtualMFADevice", "iam:EnableMFADevice", "iam:ResyncMFADevice", "iam:ListMFADevices"]
    force_mfa = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Action": "iam:*", "Resource": own},
            {
                "Effect": "Deny",
                "NotAction": [*enrolment, "sts:GetSessionToken"],
                "Resource": "*",
                "Condition": {"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}},
            },
        ],
    }
    bob = account.user("bob", policy=force_mfa)

    before = refusal(bob.client("iam").list_access_keys)
    serial, app = enrol(bob.client("iam"), "bob", "phone")
    after = with_mfa(account, bob, serial, app).list_access_keys()

    assert "with an explicit deny in an identity-based policy" in before
    assert [bob.credentials.access_key_id] == [key["AccessKeyId"] for key in after["AccessKeyMetadata"]]
    assert 403 == status(bob.client("iam").list_access_keys)


# AWS-2023-001.


def test_a_stolen_key_cannot_add_a_second_device_of_the_thief(account, bob):
    iam = bob.client("iam")
    serial, app = enrol(iam, "bob", "phone")
    thiefs = iam.create_virtual_mfa_device(VirtualMFADeviceName="thiefs")["VirtualMFADevice"]
    thiefs_app = Authenticator(thiefs["Base32StringSeed"])

    answer = refusal(
        iam.enable_mfa_device,
        UserName="bob",
        SerialNumber=thiefs["SerialNumber"],
        AuthenticationCode1=thiefs_app.code(-1),
        AuthenticationCode2=thiefs_app.code(),
    )

    assert NEEDS_MFA == answer
    enrol(with_mfa(account, bob, serial, app), "bob", "second")
    assert 2 == len(iam.list_mfa_devices()["MFADevices"])


def test_a_stolen_key_cannot_take_the_owners_device_away(account, bob):
    serial, app = enrol(bob.client("iam"), "bob", "phone")

    answer = refusal(bob.client("iam").deactivate_mfa_device, UserName="bob", SerialNumber=serial)

    assert NEEDS_MFA == answer
    with_mfa(account, bob, serial, app).deactivate_mfa_device(UserName="bob", SerialNumber=serial)
    assert [] == bob.client("iam").list_mfa_devices()["MFADevices"]


def test_a_session_from_a_device_that_was_taken_away_proves_nothing(account, bob):
    admin = account.client("iam")
    lost, lost_app = enrol(bob.client("iam"), "bob", "lost")
    session = with_mfa(account, bob, lost, lost_app)
    admin.deactivate_mfa_device(UserName="bob", SerialNumber=lost)
    new, _ = enrol(admin, "bob", "new")

    answer = refusal(session.deactivate_mfa_device, UserName="bob", SerialNumber=new)

    assert NEEDS_MFA == answer


# Root.


def test_root_enrols_its_own_device_and_the_summary_says_so(account):
    root = account.root("iam")

    serial, _ = enrol(root, "root", "root-account-mfa-device")

    (listed,) = root.list_mfa_devices()["MFADevices"]
    assert {"SerialNumber", "EnableDate"} == listed.keys()
    assert serial == listed["SerialNumber"]
    assert 1 == root.get_account_summary()["SummaryMap"]["AccountMFAEnabled"]


def test_a_user_called_root_is_a_user(account):
    account.client("iam").create_user(UserName="root")

    serial, _ = enrol(account.root("iam"), "root", "phone")

    root = account.root("iam")
    assert [] == root.list_mfa_devices()["MFADevices"]
    assert serial == root.list_mfa_devices(UserName="root")["MFADevices"][0]["SerialNumber"]


def test_an_administrator_cannot_reach_roots_device(account):
    admin = account.client("iam")
    serial, _ = enrol(account.root("iam"), "root", "phone")

    assert 404 == status(admin.deactivate_mfa_device, UserName="root", SerialNumber=serial)
    assert 404 == status(admin.deactivate_mfa_device, UserName=account.id, SerialNumber=serial)
    assert "MFA Device invalid for user." in refusal(admin.deactivate_mfa_device, SerialNumber=serial)


def test_one_device_is_answered_with_its_owner(account, bob):
    serial, _ = enrol(bob.client("iam"), "bob", "phone")

    found = account.client("iam").get_mfa_device(SerialNumber=serial, UserName="bob")

    assert ("bob", serial) == (found["UserName"], found["SerialNumber"])
    assert int(time.time()) == int(found["EnableDate"].timestamp())


def test_a_security_key_is_answered_with_its_certifications_and_gone_when_deactivated(account, bob):
    iam = account.client("iam")
    serial = register_key(account, "bob")

    found = iam.get_mfa_device(SerialNumber=serial, UserName="bob")
    listed = iam.list_mfa_devices(UserName="bob")["MFADevices"]
    iam.deactivate_mfa_device(UserName="bob", SerialNumber=serial)

    assert {"FIDO": "L2"} == found["Certifications"]
    assert [serial] == [device["SerialNumber"] for device in listed]
    assert [] == iam.list_virtual_mfa_devices()["VirtualMFADevices"]
    assert 404 == status(iam.get_mfa_device, SerialNumber=serial, UserName="bob")


def test_a_security_key_shows_no_codes(account, bob):
    serial = register_key(account, "bob")

    answer = refusal(bob.client("sts").get_session_token, SerialNumber=serial, TokenCode="123456")

    assert "unable to validate MFA code." in answer


def register_key(account, user_name):
    """Keep a security key as sign-in registers one; no API operation does."""
    user_id = account.client("iam").get_user(UserName=user_name)["User"]["UserId"]
    serial, device_id = f"arn:aws:iam::{account.id}:u2f/user/{user_name}/key-ABCDEF", f"key{account.id}"
    device = MfaDeviceRow(device_id, account.id, DeviceKind.FIDO, serial, "key", "/", START, user_id, START, public_key=b"key")
    database = Database(account.crown.settings.database_url)
    with database.transaction() as db:
        mfa_devices.add(db, device)
        passkeys.add(db, PasskeyRow(device_id, account.id, ("usb",), False, "packed", b"", (("FIDO", "L2"),), None))
    database.close()
    return serial


def test_another_accounts_device_does_not_exist(account, crown, bob):
    serial, _ = enrol(account.client("iam"), "bob", "phone")
    other = crown.account().root("iam")

    for operation in (other.delete_virtual_mfa_device, other.deactivate_mfa_device, other.list_mfa_device_tags):
        assert 404 == status(operation, SerialNumber=serial)
