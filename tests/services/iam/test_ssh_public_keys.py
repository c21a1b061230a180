"""SSH public keys: taken in both encodings, answered in either, five at most."""

from __future__ import annotations

import hashlib
from base64 import b64decode

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from tests.services.iam.asking import allow, refusal
from tests.services.iam.making_certificates import pem, rsa_key, ssh_line

ED25519 = ed25519.Ed25519PrivateKey.generate().public_key()


@pytest.fixture
def iam(account):
    client = account.client("iam")
    client.create_user(UserName="bob")
    return client


@pytest.mark.parametrize("write", [ssh_line, pem])
def test_a_key_is_answered_in_the_encoding_that_is_asked_for(iam, write):
    key = rsa_key()

    made = iam.upload_ssh_public_key(UserName="bob", SSHPublicKeyBody=write(key))["SSHPublicKey"]
    found = {
        encoding: iam.get_ssh_public_key(UserName="bob", SSHPublicKeyId=made["SSHPublicKeyId"], Encoding=encoding)["SSHPublicKey"]
        for encoding in ("SSH", "PEM")
    }

    assert write(key).strip() == made["SSHPublicKeyBody"]
    assert {"SSH": ssh_line(key), "PEM": pem(key).strip()} == {name: each["SSHPublicKeyBody"] for name, each in found.items()}
    assert ("bob", "Active", True) == (made["UserName"], made["Status"], made["SSHPublicKeyId"].startswith("APKA"))


def test_the_fingerprint_is_the_md5_that_ssh_keygen_shows(iam):
    line = ssh_line(rsa_key())

    made = iam.upload_ssh_public_key(UserName="bob", SSHPublicKeyBody=line + " bob@laptop")["SSHPublicKey"]

    digest = hashlib.md5(b64decode(line.split()[1])).hexdigest()
    assert digest == made["Fingerprint"].replace(":", "")
    assert (47, 15) == (len(made["Fingerprint"]), made["Fingerprint"].count(":"))


def test_the_same_key_is_refused_a_second_time_in_the_other_encoding_too(iam):
    iam.upload_ssh_public_key(UserName="bob", SSHPublicKeyBody=ssh_line(rsa_key()))

    answer = refusal(iam.upload_ssh_public_key, UserName="bob", SSHPublicKeyBody=pem(rsa_key()))

    assert "DuplicateSSHPublicKey: The SSH public key is already associated with this user." == answer


def test_five_keys_are_the_limit_and_the_list_tells_no_bodies(iam):
    made = [
        iam.upload_ssh_public_key(UserName="bob", SSHPublicKeyBody=ssh_line(rsa_key(number=number)))["SSHPublicKey"]
        for number in range(5)
    ]

    answer = refusal(iam.upload_ssh_public_key, UserName="bob", SSHPublicKeyBody=ssh_line(rsa_key(number=5)))
    pages = iam.get_paginator("list_ssh_public_keys").paginate(UserName="bob", PaginationConfig={"PageSize": 2})
    listed = [each for page in pages for each in page["SSHPublicKeys"]]

    assert "LimitExceeded: Cannot exceed quota for SSHPublicKeysPerUser: 5" == answer
    assert {each["SSHPublicKeyId"] for each in made} == {each["SSHPublicKeyId"] for each in listed}
    assert {"UserName", "SSHPublicKeyId", "Status", "UploadDate"} == listed[0].keys()


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("no key", "UnrecognizedPublicKeyEncoding"),
        ("-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----", "UnrecognizedPublicKeyEncoding"),
        ("ssh-rsa not-base64!", "InvalidPublicKey"),
        ("ssh-rsa AAAAB3NzaC1yc2EAAAADAQAB", "InvalidPublicKey"),
        ("-----BEGIN PUBLIC KEY-----\nMIIB\n-----END PUBLIC KEY-----", "InvalidPublicKey"),
        (ED25519.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode(), "InvalidPublicKey"),
        (ED25519.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode(), "InvalidPublicKey"),
        (ssh_line(rsa_key(1024)), "InvalidPublicKey"),
        ("ssh-rsa \u00e4\u00f6\u00fc", "InvalidPublicKey"),
    ],
)
def test_what_is_no_rsa_key_of_2048_bits_or_more_is_refused(iam, body, code):
    answer = refusal(iam.upload_ssh_public_key, UserName="bob", SSHPublicKeyBody=body)

    assert code == answer.partition(":")[0]


def test_a_key_is_deactivated_and_deleted_and_keeps_its_user_until_then(iam):
    made = iam.upload_ssh_public_key(UserName="bob", SSHPublicKeyBody=ssh_line(rsa_key()))["SSHPublicKey"]
    which = {"UserName": "bob", "SSHPublicKeyId": made["SSHPublicKeyId"]}

    iam.update_ssh_public_key(**which, Status="Inactive")
    (listed,) = iam.list_ssh_public_keys(UserName="bob")["SSHPublicKeys"]
    kept = refusal(iam.delete_user, UserName="bob")
    iam.delete_ssh_public_key(**which)

    assert "Inactive" == listed["Status"]
    assert "DeleteConflict: Cannot delete entity, must remove referenced objects first." == kept
    answer = refusal(iam.delete_ssh_public_key, **which)
    assert f"NoSuchEntity: The Public Key with id {made['SSHPublicKeyId']} cannot be found." == answer
    iam.delete_user(UserName="bob")


def test_a_user_sees_its_own_keys_without_naming_itself_and_may_not_touch_others(account, iam):
    eve = account.user("eve", policy=allow("iam:*SSHPublicKey*", on=f"arn:aws:iam::{account.id}:user/eve")).client("iam")
    eve.upload_ssh_public_key(UserName="eve", SSHPublicKeyBody=ssh_line(rsa_key()))

    (listed,) = eve.list_ssh_public_keys()["SSHPublicKeys"]
    answer = refusal(eve.upload_ssh_public_key, UserName="bob", SSHPublicKeyBody=ssh_line(rsa_key()))

    assert "eve" == listed["UserName"]
    assert answer.startswith("AccessDenied: ")
    assert "iam:UploadSSHPublicKey on resource: user bob because" in answer
