"""What is trimmed, folded and said on the way in, so that tools see no difference between what they sent and what is kept."""

from __future__ import annotations

import pytest
from tests.fixtures.crown import Account
from tests.services.iam.asking import refusal
from tests.services.iam.making_certificates import authority, certificate, rsa_key, ssh_line


@pytest.mark.parametrize("around", ["\n", "\n\n", " \r\n"])
def test_a_server_certificate_comes_back_trimmed(account: Account, around: str):
    iam, by = account.client("iam"), authority("trimmed")
    pair = certificate("trimmed.test.example", by=by)
    body, chain = pair.certificate.strip(), by.certificate.strip()

    iam.upload_server_certificate(
        ServerCertificateName="c",
        CertificateBody=body + around,
        PrivateKey=pair.private_key,
        CertificateChain=chain + around,
    )

    kept = iam.get_server_certificate(ServerCertificateName="c")["ServerCertificate"]
    assert (body, chain) == (kept["CertificateBody"], kept["CertificateChain"])


def test_a_signing_certificate_comes_back_trimmed(account: Account):
    iam, body = account.client("iam"), authority("signing").certificate.strip()

    uploaded = iam.upload_signing_certificate(UserName="admin", CertificateBody=f"{body}\n")["Certificate"]

    (kept,) = iam.list_signing_certificates(UserName="admin")["Certificates"]
    assert (body, body) == (uploaded["CertificateBody"], kept["CertificateBody"])


def test_an_ssh_key_comes_back_trimmed(account: Account):
    iam, line = account.client("iam"), ssh_line(rsa_key())

    key = iam.upload_ssh_public_key(UserName="admin", SSHPublicKeyBody=f"{line}\n")["SSHPublicKey"]

    named = {"UserName": "admin", "SSHPublicKeyId": key["SSHPublicKeyId"], "Encoding": "SSH"}
    kept = iam.get_ssh_public_key(**named)["SSHPublicKey"]["SSHPublicKeyBody"]
    assert key["SSHPublicKeyBody"] == line
    assert kept.split()[:2] == line.split()[:2]


def test_thumbprints_come_back_in_lower_case_and_once(account: Account):
    iam = account.client("iam")
    made = iam.create_open_id_connect_provider(Url="https://id.test.example", ThumbprintList=["AB" * 20, "ab" * 20])
    named = {"OpenIDConnectProviderArn": made["OpenIDConnectProviderArn"]}

    before = iam.get_open_id_connect_provider(**named)["ThumbprintList"]
    iam.update_open_id_connect_provider_thumbprint(ThumbprintList=["CD" * 20], **named)

    assert ["ab" * 20] == before
    assert ["cd" * 20] == iam.get_open_id_connect_provider(**named)["ThumbprintList"]


def test_attaching_what_is_no_arn_is_refused_in_aws_s_words(account: Account):
    iam = account.client("iam")
    iam.create_group(GroupName="g")

    text = "ValidationError: Invalid ARN:  Could not be parsed!"
    no_arn = "longer-than-twenty-characters"
    assert text == refusal(iam.attach_user_policy, UserName="admin", PolicyArn=no_arn)
    assert text == refusal(iam.attach_group_policy, GroupName="g", PolicyArn=no_arn)


def test_an_unknown_status_of_a_service_credential_is_refused_without_the_known_ones(account: Account):
    iam = account.client("iam")
    made = iam.create_service_specific_credential(UserName="admin", ServiceName="codecommit.amazonaws.com")
    credential_id = made["ServiceSpecificCredential"]["ServiceSpecificCredentialId"]

    said = refusal(
        iam.update_service_specific_credential, ServiceSpecificCredentialId=credential_id, Status="Sleepy", UserName="admin"
    )

    assert said.startswith("ValidationError: 1 validation error detected: ")
    assert said.endswith("'status' failed to satisfy constraint: Member must satisfy enum value set")
