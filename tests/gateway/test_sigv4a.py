"""SigV4a: the published key derivation, signatures of AWS's own library, and what is signed in every region."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from crownkeep import errors
from crownkeep.credentials.secret import Secret
from crownkeep.gateway import signature, sigv4, sigv4a
from crownkeep.gateway.signature import Algorithm, SignableRequest

KEY_ID = "AKIDEXAMPLE"
SECRET = Secret("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")
NOW = datetime(2015, 8, 30, 12, 36, tzinfo=UTC)


def request(signed: str, *, region_set: str = "us-east-1", credential: str = "AKIDEXAMPLE/20150830/service") -> SignableRequest:
    authorization = (
        f"AWS4-ECDSA-P256-SHA256 Credential={credential}/aws4_request, "
        f"SignedHeaders=host;x-amz-date;x-amz-region-set, Signature={signed}"
    )
    came = {
        b"host": b"example.amazonaws.com",
        b"x-amz-date": b"20150830T123600Z",
        b"x-amz-region-set": region_set.encode(),
        b"authorization": authorization.encode(),
    }
    return SignableRequest("GET", b"/", b"", came, b"")


def sign(came: SignableRequest) -> SignableRequest:
    claimed = signature.parse(came)
    message = sigv4._string_to_sign(claimed, sigv4.canonical_request(came, claimed))
    made = sigv4a.private_key(KEY_ID, SECRET.reveal()).sign(message, ec.ECDSA(hashes.SHA256()))
    authorization = came.headers[b"authorization"].replace(b"Signature=00", b"Signature=" + made.hex().encode())
    return replace(came, headers={**came.headers, b"authorization": authorization})


def verify(came: SignableRequest) -> signature.Signature:
    claimed = signature.parse(came)
    sigv4.verify(came, claimed, SECRET, now=NOW)
    return claimed


def test_the_key_pair_is_the_one_that_aws_publishes_for_its_example_secret() -> None:
    numbers = sigv4a.private_key(KEY_ID, SECRET.reveal()).private_numbers()

    assert numbers.private_value == 0x7EFC8C0E65A324242818C5A50C891C6060B6A00717B7BA3CBE3C5D765BE9259C
    assert numbers.public_numbers.x == 0xB6618F6A65740A99E650B33B6B4B5BD0D43B176D721A3EDFEA7E7D2D56D936B1
    assert numbers.public_numbers.y == 0x865ED22A7EADC9C5CB9D2CBACA1B3699139FEDC5043DC6661864218330C8E518


def test_what_awss_own_client_library_signs_in_a_header_verifies() -> None:
    """Signed once by awscrt 0.38.1, AWS's Common Runtime."""
    made = (
        "304402207c7941d056fac3c93093837dbf37e178c197b35987b617e73b4b9f6fa1fadb3a022057a1cc37c2611ffc0e38d361659ded7042e9"
        "cb3a5cc4758e83ebf76e58569414"
    )

    claimed = verify(replace(request(made), path=b"/a%20b/../c", query=b"x=1&a=%20"))

    assert (claimed.algorithm, claimed.region, claimed.service) == (Algorithm.ECDSA, "us-east-1", "service")


def test_what_awss_own_client_library_presigns_verifies() -> None:
    """Signed once by awscrt 0.38.1, AWS's Common Runtime."""
    query = (
        b"x=1&a=%20&X-Amz-Algorithm=AWS4-ECDSA-P256-SHA256&X-Amz-Credential=AKIDEXAMPLE%2F20150830%2Fservice"
        b"%2Faws4_request&X-Amz-Date=20150830T123600Z&X-Amz-SignedHeaders=host&X-Amz-Expires=3600"
        b"&X-Amz-Region-Set=us-east-1&X-Amz-Signature=30450220421e47f78c4101d5d6600b8fff362c19569e9b3923a264a7f7aeeed4"
        b"da5d5e7e022100bf99171e90689af1892f992ebb6d87ccf38e414aa25dc224b2250b6d6d63f975"
    )

    claimed = verify(SignableRequest("GET", b"/a%20b/../c", query, {b"host": b"example.amazonaws.com"}, b""))

    assert claimed.expires == timedelta(hours=1)


@pytest.mark.parametrize(("region_set", "region"), [("eu-west-1,us-east-2", "eu-west-1"), ("*", "us-east-1")])
def test_the_region_set_is_signed_and_its_first_region_counts(region_set: str, region: str) -> None:
    came = sign(request("00", region_set=region_set))

    assert verify(came).region == region
    with pytest.raises(errors.SignatureDoesNotMatch):
        verify(replace(came, headers={**came.headers, b"x-amz-region-set": b"us-gov-west-1"}))


@pytest.mark.parametrize("forged", ["00", "zz", "", "é", "30" * 200])
def test_a_forged_signature_does_not_verify(forged: str) -> None:
    with pytest.raises((errors.SignatureDoesNotMatch, errors.IncompleteSignature)):
        verify(request(forged))


def test_a_signature_over_another_path_does_not_verify() -> None:
    came = sign(request("00"))

    with pytest.raises(errors.SignatureDoesNotMatch):
        verify(replace(came, path=b"/other"))


def test_a_scope_with_a_region_is_refused() -> None:
    with pytest.raises(errors.IncompleteSignature, match="exactly 4 slash-delimited elements"):
        verify(request("00", credential="AKIDEXAMPLE/20150830/us-east-1/service"))
