"""Server certificates: really read, matched and chained, named without regard to case, and their keys kept nowhere."""

from __future__ import annotations

import pytest
from tests.services.iam.asking import allow, refusal
from tests.services.iam.making_certificates import Pair, authority, certificate

ROOT = authority("root authority")
MIDDLE = certificate("middle authority", by=ROOT)
SITE = certificate("site.test.example", by=MIDDLE)
CHAIN_ERROR = (
    "MalformedCertificate: Unable to validate certificate chain. The certificate chain must start with the immediate signing "
    "certificate, followed by any intermediaries in order. The index within the chain of the invalid certificate is: {}"
)


def upload(iam, name: str = "site", pair: Pair = SITE, **options):
    return iam.upload_server_certificate(
        ServerCertificateName=name, CertificateBody=pair.certificate, PrivateKey=pair.private_key, **options
    )


def test_a_certificate_is_kept_with_its_chain_and_expires_when_it_says(account):
    iam = account.client("iam")
    chain = MIDDLE.certificate + ROOT.certificate

    made = upload(iam, "Site", Path="/cdn/", CertificateChain=chain, Tags=[{"Key": "team", "Value": "web"}])
    found = iam.get_server_certificate(ServerCertificateName="sITE")["ServerCertificate"]

    metadata = made["ServerCertificateMetadata"]
    assert f"arn:aws:iam::{account.id}:server-certificate/cdn/Site" == metadata["Arn"]
    assert SITE.parsed.not_valid_after_utc == metadata["Expiration"]
    assert metadata["ServerCertificateId"].startswith("ASCA")
    assert (metadata, SITE.certificate.strip(), chain.strip()) == (
        found["ServerCertificateMetadata"],
        found["CertificateBody"],
        found["CertificateChain"],
    )
    assert [{"Key": "team", "Value": "web"}] == found["Tags"] == made["Tags"]


def test_a_certificate_without_chain_and_tags_has_neither_member(account):
    iam = account.client("iam")

    made = upload(iam)
    found = iam.get_server_certificate(ServerCertificateName="site")["ServerCertificate"]

    assert "Tags" not in made
    assert {"ServerCertificateMetadata", "CertificateBody"} == found.keys()


def test_names_are_taken_without_regard_to_case(account):
    iam = account.client("iam")
    upload(iam, "site")

    answer = refusal(upload, iam=iam, name="SITE")

    assert "EntityAlreadyExists: The Server Certificate with name SITE already exists." == answer


def test_certificates_are_listed_by_name_and_path_page_by_page(account):
    iam = account.client("iam")
    for name, path in (("b", "/"), ("A", "/in/"), ("c", "/in/")):
        upload(iam, name, Path=path)

    pages = iam.get_paginator("list_server_certificates").paginate(PaginationConfig={"PageSize": 1})
    names = [each["ServerCertificateName"] for page in pages for each in page["ServerCertificateMetadataList"]]
    inside = iam.list_server_certificates(PathPrefix="/in/")["ServerCertificateMetadataList"]

    assert (["A", "b", "c"], ["A", "c"]) == (names, [each["ServerCertificateName"] for each in inside])


def test_a_certificate_moves_keeps_its_id_and_tags_and_goes(account):
    iam = account.client("iam")
    before = upload(iam, Tags=[{"Key": "k", "Value": "v"}])["ServerCertificateMetadata"]

    iam.update_server_certificate(ServerCertificateName="site", NewServerCertificateName="moved", NewPath="/new/")
    iam.untag_server_certificate(ServerCertificateName="moved", TagKeys=["k"])
    iam.tag_server_certificate(ServerCertificateName="moved", Tags=[{"Key": "other", "Value": ""}])
    after = iam.get_server_certificate(ServerCertificateName="moved")["ServerCertificate"]["ServerCertificateMetadata"]
    tags = iam.list_server_certificate_tags(ServerCertificateName="moved")
    iam.delete_server_certificate(ServerCertificateName="moved")

    assert (before["ServerCertificateId"], "/new/") == (after["ServerCertificateId"], after["Path"])
    assert ([{"Key": "other", "Value": ""}], False) == (tags["Tags"], tags["IsTruncated"])
    answer = refusal(iam.get_server_certificate, ServerCertificateName="moved")
    assert "NoSuchEntity: The Server Certificate with name moved cannot be found." == answer


def test_a_private_key_of_another_certificate_is_refused(account):
    other = certificate("other.test.example", by=None)
    answer = refusal(upload, iam=account.client("iam"), pair=Pair(SITE.certificate, other.private_key, SITE.parsed, SITE.key))

    assert "KeyPairMismatch: Public key certificate and private key doesn't match." == answer


@pytest.mark.parametrize(
    "body",
    [
        "no certificate",
        SITE.certificate * 2,
        "text above\n" + SITE.certificate,
        SITE.certificate.replace("MII", "MIA", 1),
        "\u00e4",
    ],
)
def test_what_is_not_one_pem_certificate_is_refused(account, body):
    answer = refusal(upload, iam=account.client("iam"), pair=Pair(body, SITE.private_key, SITE.parsed, SITE.key))

    assert "MalformedCertificate: Unable to parse certificate. Please ensure the certificate is in PEM format." == answer


@pytest.mark.parametrize("key", ["no key", SITE.certificate, SITE.private_key[:80], "\u00e4"])
def test_what_is_not_a_private_key_is_refused(account, key):
    answer = refusal(upload, iam=account.client("iam"), pair=Pair(SITE.certificate, key, SITE.parsed, SITE.key))

    assert "MalformedCertificate: Invalid Private Key." == answer


@pytest.mark.parametrize(
    ("chain", "index"),
    [(ROOT.certificate, -1), (MIDDLE.certificate + MIDDLE.certificate, 0), ("Certificate:\n" + MIDDLE.certificate, 0)],
)
def test_a_chain_that_does_not_lead_away_from_the_certificate_is_refused_with_the_place(account, chain, index):
    answer = refusal(upload, iam=account.client("iam"), CertificateChain=chain)

    assert CHAIN_ERROR.format(index) == answer


@pytest.mark.parametrize("days", [(-20, -10), (10, 20)])
def test_a_certificate_whose_time_has_passed_or_not_come_is_refused(account, days):
    answer = refusal(upload, iam=account.client("iam"), pair=certificate("late.test.example", by=None, days=days))

    assert answer.startswith("MalformedCertificate: The certificate is not valid at this time")


def test_the_private_key_is_in_no_answer_no_record_and_no_database(account, crown):
    upload(account.client("iam"))

    secret = SITE.private_key.splitlines()[1]
    everything = [*crown.settings.data_directory.rglob("*.db*"), *crown.settings.data_directory.rglob("*.sqlite*")]

    assert secret not in str(account.records())
    assert [] == [path for path in everything if secret.encode() in path.read_bytes()]


def test_a_caller_without_permission_uploads_nothing_and_path_policies_hold(account):
    bob = account.user("bob", policy=allow("iam:*ServerCertificate", on=f"arn:aws:iam::{account.id}:server-certificate/bob/*"))

    answer = refusal(upload, iam=bob.client("iam"))
    upload(bob.client("iam"), "mine", Path="/bob/")
    moved = refusal(bob.client("iam").update_server_certificate, ServerCertificateName="mine", NewPath="/")

    assert answer.startswith(
        f"AccessDenied: User: {bob.arn} is not authorized to perform: iam:UploadServerCertificate on resource: "
    )
    assert "server-certificate/mine" in moved
    assert ["mine"] == [
        each["ServerCertificateName"]
        for each in account.client("iam").list_server_certificates()["ServerCertificateMetadataList"]
    ]


def test_the_account_summary_counts_certificates(account):
    upload(account.client("iam"))

    assert 1 == account.client("iam").get_account_summary()["SummaryMap"]["ServerCertificates"]
