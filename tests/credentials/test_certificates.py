"""Certificates are read for real; what is not exactly one is refused, whatever it holds."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.services.iam.making_certificates import authority, certificate

from crownkeep.credentials import certificates
from crownkeep.credentials.secret import Secret

ROOT = authority("pure root")
LEAF = certificate("pure leaf", by=ROOT)


def test_a_certificate_says_when_it_is_valid_and_has_one_fingerprint_however_it_is_written():
    read = certificates.read(LEAF.certificate)

    again = certificates.read("\n " + LEAF.certificate.replace("\n", "\r\n") + "\n")

    assert (LEAF.parsed.not_valid_after_utc, read.fingerprint) == (read.expires_at, again.fingerprint)
    assert read.is_valid_at(read.valid_from)
    assert read.is_valid_at(read.expires_at)


def test_a_key_is_told_from_another_ones():
    read = certificates.read(LEAF.certificate)

    assert certificates.is_key_of(read, Secret(LEAF.private_key))
    assert not certificates.is_key_of(read, Secret(ROOT.private_key))


def test_a_chain_leads_from_issuer_to_issuer():
    leaf, root = certificates.read(LEAF.certificate), certificates.read(ROOT.certificate)

    certificates.check_chain(leaf, [root])
    certificates.check_chain(leaf, certificates.read_chain(ROOT.certificate + "\n\n" + ROOT.certificate))
    with pytest.raises(certificates.BrokenChain) as broken:
        certificates.check_chain(root, [leaf])

    assert -1 == broken.value.index


@given(st.text() | st.binary().map(lambda some: some.decode("latin-1")))
def test_no_text_whatever_makes_reading_fail_in_another_way(text: str):
    body = f"-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----"
    for candidate in (text, body):
        for read in (certificates.read, certificates.read_chain):
            with pytest.raises(certificates.UnreadableCertificate):
                read(candidate)


@given(st.text() | st.binary().map(lambda some: some.decode("latin-1")))
def test_no_text_whatever_makes_matching_a_key_fail_in_another_way(text: str):
    leaf = certificates.read(LEAF.certificate)
    for candidate in (text, f"-----BEGIN PRIVATE KEY-----\n{text}\n-----END PRIVATE KEY-----"):
        with pytest.raises(certificates.UnreadableKey):
            certificates.is_key_of(leaf, Secret(candidate))
