"""Signing certificates of users and of root: read for real, two at most, none twice in an account."""

from __future__ import annotations

import csv
import io

import pytest
from tests.services.iam.asking import allow, refusal
from tests.services.iam.making_certificates import certificate

FIRST, SECOND, THIRD = (certificate(f"signer {number}", by=None) for number in range(3))


def test_a_certificate_of_a_user_is_active_listed_deactivated_and_deleted(account):
    iam = account.client("iam")
    iam.create_user(UserName="bob")

    made = iam.upload_signing_certificate(UserName="bob", CertificateBody=FIRST.certificate)["Certificate"]
    iam.update_signing_certificate(UserName="bob", CertificateId=made["CertificateId"], Status="Inactive")
    (listed,) = iam.list_signing_certificates(UserName="bob")["Certificates"]
    iam.delete_signing_certificate(UserName="bob", CertificateId=made["CertificateId"])

    assert {"UserName", "CertificateId", "CertificateBody", "Status", "UploadDate"} == made.keys()
    assert made | {"Status": "Inactive"} == listed
    assert [] == iam.list_signing_certificates(UserName="bob")["Certificates"]


def test_roots_certificate_shows_in_the_summary_and_names_nobody(account):
    root = account.root("iam")

    made = root.upload_signing_certificate(CertificateBody=FIRST.certificate)["Certificate"]

    assert "UserName" not in made
    assert 1 == root.get_account_summary()["SummaryMap"]["AccountSigningCertificatesPresent"]


def test_a_user_without_a_name_given_means_itself(account):
    bob = account.user("bob", policy=allow("iam:*SigningCertificate*"))

    made = bob.client("iam").upload_signing_certificate(CertificateBody=FIRST.certificate)["Certificate"]

    assert "bob" == made["UserName"]


def test_two_certificates_are_the_limit_and_the_list_is_paged_the_oldest_first(account):
    iam = account.client("iam")
    ids = [iam.upload_signing_certificate(CertificateBody=each.certificate)["Certificate"] for each in (FIRST, SECOND)]

    answer = refusal(iam.upload_signing_certificate, CertificateBody=THIRD.certificate)
    pages = iam.get_paginator("list_signing_certificates").paginate(PaginationConfig={"PageSize": 1})

    assert "LimitExceeded: Cannot exceed quota for CertificatesPerUser: 2" == answer
    assert [each["CertificateId"] for each in ids] == [each["CertificateId"] for page in pages for each in page["Certificates"]]


def test_the_same_certificate_is_refused_a_second_time_in_the_account_however_it_is_written(account, crown):
    account.client("iam").upload_signing_certificate(CertificateBody=FIRST.certificate)

    answer = refusal(account.root("iam").upload_signing_certificate, CertificateBody="\n" + FIRST.certificate + "\n\n")
    elsewhere = crown.account().client("iam").upload_signing_certificate(CertificateBody=FIRST.certificate)

    assert "DuplicateCertificate: The same certificate is already associated with an IAM user in the account." == answer
    assert "Active" == elsewhere["Certificate"]["Status"]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("no certificate", "MalformedCertificate"),
        (FIRST.private_key, "MalformedCertificate"),
        (certificate("past", by=None, days=(-9, -1)).certificate, "InvalidCertificate"),
        (certificate("to come", by=None, days=(1, 9)).certificate, "InvalidCertificate"),
    ],
)
def test_a_certificate_that_cannot_be_used_is_refused(account, body, code):
    answer = refusal(account.client("iam").upload_signing_certificate, CertificateBody=body)

    assert code == answer.partition(":")[0]


def test_a_certificate_of_another_user_or_account_is_not_found(account, crown):
    iam = account.client("iam")
    iam.create_user(UserName="bob")
    foreign = crown.account().client("iam").upload_signing_certificate(CertificateBody=FIRST.certificate)["Certificate"]
    own = iam.upload_signing_certificate(CertificateBody=FIRST.certificate)["Certificate"]["CertificateId"]

    for key in (foreign["CertificateId"], own):
        answer = refusal(iam.delete_signing_certificate, UserName="bob", CertificateId=key)
        assert f"NoSuchEntity: The Certificate with id {key} cannot be found." == answer


def test_a_caller_without_permission_uploads_nothing(account):
    answer = refusal(account.user("bob").client("iam").upload_signing_certificate, CertificateBody=FIRST.certificate)

    assert answer.startswith("AccessDenied: ")
    assert "iam:UploadSigningCertificate on resource: " in answer


def test_nobody_can_make_a_certificate_expired(account):
    iam = account.client("iam")
    made = iam.upload_signing_certificate(CertificateBody=FIRST.certificate)["Certificate"]

    answer = refusal(iam.update_signing_certificate, CertificateId=made["CertificateId"], Status="Expired")

    assert answer.startswith("InvalidInput: ")


def test_a_user_with_a_certificate_cannot_be_deleted_and_the_report_shows_it(account):
    iam = account.client("iam")
    iam.create_user(UserName="bob")
    iam.upload_signing_certificate(UserName="bob", CertificateBody=FIRST.certificate)
    iam.generate_credential_report()
    rows = csv.DictReader(io.StringIO(iam.get_credential_report()["Content"].decode()))

    answer = refusal(iam.delete_user, UserName="bob")

    assert "DeleteConflict: Cannot delete entity, must delete signing certificates first." == answer
    (row,) = [row for row in rows if row["user"] == "bob"]
    assert ("true", "N/A", "false") == (row["cert_1_active"], row["cert_2_last_rotated"], row["cert_2_active"])
    assert row["cert_1_last_rotated"].endswith("Z")
