"""Certificates are read for real; what is not exactly one is refused, whatever it holds."""

from datetime import UTC, datetime, timedelta
from math import gcd, lcm

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
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


def test_denial_of_service_no_primes_are_looked_for_in_a_private_key():
    # Their product is no RSA key of anybody's, which only a search for primes would tell.
    p, q, e = (1 << 1024) - 8_205, (1 << 1024) - 34_557, 65_537
    p, q = (next(n for n in range(start, 0, -2) if gcd(e, n - 1) == 1) for start in (p, q))
    d = pow(e, -1, lcm(p - 1, q - 1))
    made = rsa.RSAPrivateNumbers(p, q, d, d % (p - 1), d % (q - 1), pow(q, -1, p), rsa.RSAPublicNumbers(e, p * q))
    key = made.private_key(unsafe_skip_rsa_key_validation=True)
    other = rsa.RSAPrivateNumbers(p, q, d + 2, d % (p - 1), d % (q - 1), pow(q, -1, p), rsa.RSAPublicNumbers(e, p * q))
    broken = other.private_key(unsafe_skip_rsa_key_validation=True)
    read = certificates.read(_certified(key.public_key()))

    assert certificates.is_key_of(read, Secret(_pem(key)))
    with pytest.raises(certificates.UnreadableKey):
        certificates.is_key_of(read, Secret(_pem(broken)))


def test_denial_of_service_a_certificate_whose_key_is_slow_to_verify_with_is_refused():
    slow = rsa.RSAPublicNumbers((1 << 3071) + 1, (1 << 3072) - 1).public_key()

    with pytest.raises(certificates.UnreadableCertificate):
        certificates.read(_certified(slow))


def _certified(key: rsa.RSAPublicKey) -> str:
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "somebody")])
    begun = datetime(2026, 1, 1, tzinfo=UTC)
    built = x509.CertificateBuilder(name, name, key, 1, begun, begun + timedelta(days=3650))
    return built.sign(ec.generate_private_key(ec.SECP256R1()), hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()


def _pem(key: rsa.RSAPrivateKey) -> str:
    plain = serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, plain).decode()


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
