"""Signatures of botocore's own signers verify, and no change to a signed request does."""

import hmac
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote, urlsplit

import pytest
from botocore.auth import S3SigV4Auth, S3SigV4QueryAuth, SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hypothesis import assume, given
from hypothesis import strategies as st

from crownkeep import errors
from crownkeep.credentials.secret import Secret
from crownkeep.gateway import signature, sigv4
from crownkeep.gateway.signature import SignableRequest, Signature

KEY_ID = "AKIAQNZGKIQY56JQ7WML"
SECRET = Secret("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")
BODY = b"Action=GetUser&Version=2010-05-08&UserName=alice"

methods = st.sampled_from(["GET", "POST", "PUT", "DELETE", "HEAD"])
segments = st.one_of(st.text(max_size=8), st.sampled_from([".", "..", "", "a b", "%", "~user", "é", "a+b", "*"]))
paths = st.lists(segments, max_size=5).map(lambda parts: "/" + "/".join(quote(part, safe="~") for part in parts))
words = st.text(max_size=10)
queries = st.lists(st.tuples(words, words), max_size=5).map(
    lambda pairs: "&".join(f"{quote(name, safe='~')}={quote(value, safe='~')}" for name, value in pairs)
)
values = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=30)
header_names = st.sampled_from(["content-type", "x-amz-target", "x-amz-meta-note", "my-header", "accept"])
headers = st.dictionaries(header_names, values, max_size=4)
regions = st.sampled_from(["us-east-1", "eu-central-2", "aws-global", "sa-east-1"])
services = st.sampled_from(["iam", "sts", "account", "sso-admin"])
tokens = st.none() | st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=50)


def as_it_came(signed: AWSRequest) -> SignableRequest:
    """What a server sees of a request that botocore signed."""
    url = urlsplit(signed.url)
    came = [(name.lower().encode(), _bytes(value)) for name, value in signed.headers.items()]
    came.append((b"host", url.netloc.encode()))
    return SignableRequest(signed.method, url.path.encode(), url.query.encode(), signature.fold(came), _bytes(signed.data or b""))


def _bytes(value: str | bytes) -> bytes:
    return value.encode() if isinstance(value, str) else value


def sign(
    url: str = "http://127.0.0.1:4747/",
    *,
    method: str = "POST",
    body: bytes = BODY,
    headers: dict[str, str] | None = None,
    region: str = "us-east-1",
    service: str = "iam",
    token: str | None = None,
    signer: Any = SigV4Auth,
    **options: Any,
) -> SignableRequest:
    request = AWSRequest(method, url, data=body, headers=headers or {})
    signer(Credentials(KEY_ID, SECRET.reveal(), token), service, region, **options).add_auth(request)
    return as_it_came(request)


def verify(request: SignableRequest, *, secret: Secret = SECRET, now: datetime | None = None) -> Signature:
    claimed = signature.parse(request)
    sigv4.verify(request, claimed, secret, now=now or claimed.signed_at)
    return claimed


@given(methods, paths, queries, headers, st.binary(max_size=60), regions, services, tokens)
def test_what_botocore_signs_in_a_header_verifies(
    method: str,
    path: str,
    query: str,
    given_headers: dict[str, str],
    body: bytes,
    region: str,
    service: str,
    token: str | None,
) -> None:
    url = f"https://aws.crownkeep.example{path}" + (f"?{query}" if query else "")

    claimed = verify(sign(url, method=method, body=body, headers=given_headers, region=region, service=service, token=token))

    assert (claimed.access_key_id, claimed.region, claimed.service) == (KEY_ID, region, service)
    assert claimed.session_token == token
    assert claimed.expires is None


@given(paths, queries, regions, services, tokens, st.integers(min_value=1, max_value=604_800))
def test_what_botocore_presigns_verifies(
    path: str, query: str, region: str, service: str, token: str | None, expires: int
) -> None:
    # botocore builds a presigned query from a dictionary, which holds a name once.
    assume(len({pair.partition("=")[0] for pair in query.split("&")}) == len(query.split("&")))
    url = f"https://aws.crownkeep.example{path}" + (f"?{query}" if query else "")

    claimed = verify(
        sign(
            url,
            method="GET",
            body=b"",
            region=region,
            service=service,
            token=token,
            signer=SigV4QueryAuth,
            expires=expires,
        )
    )

    assert (claimed.access_key_id, claimed.region, claimed.service) == (KEY_ID, region, service)
    assert claimed.session_token == token
    assert claimed.expires == timedelta(seconds=expires)


@given(paths, queries, st.binary(max_size=30))
def test_s3s_own_encoding_verifies(path: str, query: str, body: bytes) -> None:
    assume("//" not in path)
    url = f"https://aws.crownkeep.example{path}" + (f"?{query}" if query else "")

    verify(sign(url, body=body, service="s3", signer=S3SigV4Auth))
    verify(sign(url, method="GET", body=b"", service="s3", signer=S3SigV4QueryAuth))


@pytest.mark.parametrize(
    "change",
    [
        {"method": "GET"},
        {"path": b"/other"},
        {"query": b"Action=DeleteUser"},
        {"body": BODY.replace(b"alice", b"mallory")},
        {"body": b""},
    ],
    ids=["method", "path", "query", "body", "no body"],
)
def test_a_tampered_request_does_not_verify(change: dict[str, Any]) -> None:
    with pytest.raises(errors.SignatureDoesNotMatch, match="The request signature we calculated does not match"):
        verify(replace(sign(), **change))


@pytest.mark.parametrize("name", [b"host", b"content-type", b"x-amz-date", b"x-amz-target"])
def test_a_tampered_header_does_not_verify(name: bytes) -> None:
    request = sign(headers={"content-type": "application/x-amz-json-1.1", "x-amz-target": "A.ListUsers"})
    value = b"20990101T000000Z" if name == b"x-amz-date" else b"tampered"

    with pytest.raises(errors.SignatureDoesNotMatch):
        verify(replace(request, headers={**request.headers, name: value}))


def test_a_removed_signed_header_does_not_verify() -> None:
    request = sign(headers={"content-type": "text/plain"})
    rest = {name: value for name, value in request.headers.items() if name != b"content-type"}

    with pytest.raises(errors.SignatureDoesNotMatch):
        verify(replace(request, headers=rest))


def test_operation_smuggling_by_an_unsigned_target_header_is_refused() -> None:
    request = sign()

    with pytest.raises(errors.SignatureDoesNotMatch, match="'x-amz-target' must be a 'SignedHeader'"):
        verify(replace(request, headers={**request.headers, b"x-amz-target": b"A.DeleteEverything"}))


@pytest.mark.parametrize("name", [b"x-amz-cf-id", b"x-amzn-trace-id", b"x-forwarded-for", b"user-agent"])
def test_headers_that_proxies_add_do_not_hurt(name: bytes) -> None:
    request = sign()

    verify(replace(request, headers={**request.headers, name: b"added underway"}))


def test_another_secret_does_not_verify_even_after_the_right_one_did() -> None:
    request = sign()
    verify(request)

    with pytest.raises(errors.SignatureDoesNotMatch):
        verify(request, secret=Secret("x" * 40))


@pytest.mark.parametrize("service", ["iam", "sts", "account"])
def test_an_unsigned_payload_is_refused_outside_s3(service: str) -> None:
    request = sign(service=service, headers={"x-amz-content-sha256": "UNSIGNED-PAYLOAD"})
    tampered = replace(request, body=b"Action=DeleteUser&Version=2010-05-08")

    with pytest.raises(errors.SignatureDoesNotMatch):
        verify(tampered)


def test_an_s3_body_that_is_not_its_declared_hash_is_refused() -> None:
    request = sign(service="s3", signer=S3SigV4Auth)

    with pytest.raises(errors.SignatureDoesNotMatch):
        verify(replace(request, body=b"tampered"))


@pytest.mark.parametrize("seconds", [-300, -1, 0, 1, 300])
def test_clocks_may_differ_by_five_minutes(seconds: int) -> None:
    request = sign()
    signed_at = signature.parse(request).signed_at

    verify(request, now=signed_at + timedelta(seconds=seconds))


def test_a_replayed_request_has_expired_in_awss_words() -> None:
    request = _signed_at("20260101T000000Z")

    with pytest.raises(errors.SignatureDoesNotMatch) as caught:
        verify(request, now=datetime(2026, 1, 1, 0, 15, tzinfo=UTC))

    assert caught.value.message == (
        "Signature expired: 20260101T000000Z is now earlier than 20260101T001000Z (20260101T001500Z - 5 min.)"
    )


def test_a_request_from_the_future_is_not_yet_current_in_awss_words() -> None:
    request = _signed_at("20260101T001000Z")

    with pytest.raises(errors.SignatureDoesNotMatch) as caught:
        verify(request, now=datetime(2026, 1, 1, tzinfo=UTC))

    assert caught.value.message == (
        "Signature not yet current: 20260101T001000Z is still later than 20260101T000500Z (20260101T000000Z + 5 min.)"
    )


def _signed_at(moment: str) -> SignableRequest:
    """A request whose time is judged before its signature, which is therefore arbitrary."""
    authorization = (
        f"AWS4-HMAC-SHA256 Credential={KEY_ID}/{moment[:8]}/us-east-1/iam/aws4_request, "
        f"SignedHeaders=host;x-amz-date, Signature={'0' * 64}"
    )
    came = {b"host": b"h", b"x-amz-date": moment.encode(), b"authorization": authorization.encode()}
    return SignableRequest("POST", b"/", b"", came, b"")


def presign(*, expires: int, headers: dict[str, str] | None = None, service: str = "sts") -> SignableRequest:
    url = "http://127.0.0.1:4747/?Action=GetCallerIdentity&Version=2011-06-15"
    options = {"method": "GET", "body": b"", "service": service, "headers": headers}
    return sign(url, signer=SigV4QueryAuth, expires=expires, **options)  # type: ignore[arg-type]  # By their names.


def test_a_replayed_presigned_url_past_its_expiry_is_refused() -> None:
    request = presign(expires=60, service="iam")
    signed_at = signature.parse(request).signed_at

    verify(request, now=signed_at + timedelta(seconds=60))
    with pytest.raises(errors.RequestExpired, match="Request has expired"):
        verify(request, now=signed_at + timedelta(seconds=61))


def test_a_presigned_url_lives_as_long_as_it_asked_for() -> None:
    request = presign(expires=604_800, service="iam")

    verify(request, now=signature.parse(request).signed_at + timedelta(days=7))


@pytest.mark.parametrize("expires", [60, 900, 604_800])
def test_a_presigned_url_of_sts_lives_a_quarter_of_an_hour_whatever_it_asks_for(expires: int) -> None:
    request = presign(expires=expires)
    signed_at = signature.parse(request).signed_at

    verify(request, now=signed_at + timedelta(minutes=15))
    with pytest.raises(errors.SignatureDoesNotMatch, match=r"Signature expired: .* - 15 min\.\)"):
        verify(request, now=signed_at + timedelta(minutes=15, seconds=1))


def test_a_presigned_change_is_good_for_a_quarter_of_an_hour_whatever_it_asks_for() -> None:
    claimed = signature.parse(presign(expires=604_800, service="iam"))

    sigv4.check_change(claimed, now=claimed.signed_at + timedelta(minutes=15))
    with pytest.raises(errors.RequestExpired):
        sigv4.check_change(claimed, now=claimed.signed_at + timedelta(minutes=15, seconds=1))


@pytest.mark.parametrize("region", ["nowhere-9", "us-gov-west-1", "eu-west-99"])
def test_a_region_that_is_none_is_refused(region: str) -> None:
    authorization = (
        f"AWS4-HMAC-SHA256 Credential={KEY_ID}/20260101/{region}/iam/aws4_request, "
        f"SignedHeaders=host;x-amz-date, Signature={'0' * 64}"
    )
    came = {b"host": b"h", b"x-amz-date": b"20260101T000000Z", b"authorization": authorization.encode()}

    with pytest.raises(errors.SignatureDoesNotMatch, match="Credential should be scoped to a valid region"):
        signature.parse(SignableRequest("POST", b"/", b"", came, b""))


def test_a_presigned_url_from_the_future_is_not_yet_current() -> None:
    request = presign(expires=3600)

    with pytest.raises(errors.SignatureDoesNotMatch, match="Signature not yet current"):
        verify(request, now=signature.parse(request).signed_at - timedelta(minutes=6))


@pytest.mark.parametrize("parameter", ["X-Amz-Date", "X-Amz-Expires", "X-Amz-Credential", "X-Amz-SignedHeaders"])
def test_a_tampered_presigned_parameter_does_not_verify(parameter: str) -> None:
    request = presign(expires=60)
    replacement = {
        "X-Amz-Date": f"{signature.parse(request).date}T010203Z",
        "X-Amz-Expires": "61",
        "X-Amz-Credential": quote(f"{KEY_ID}/{signature.parse(request).date}/us-east-2/sts/aws4_request", safe=""),
        "X-Amz-SignedHeaders": "host%3Bx-other",
    }[parameter]
    pairs = [pair for pair in request.query.decode().split("&") if not pair.startswith(parameter)]
    tampered = replace(request, query="&".join((*pairs, f"{parameter}={replacement}")).encode())
    now = datetime.fromisoformat(signature.parse(tampered).amz_date)

    with pytest.raises(errors.SignatureDoesNotMatch, match="The request signature we calculated"):
        verify(tampered, now=now)


def test_a_space_written_as_plus_means_the_same() -> None:
    request = sign("http://127.0.0.1:4747/?name=a%20b", method="GET", body=b"")

    verify(replace(request, query=b"name=a+b"))


def test_the_date_header_serves_where_x_amz_date_is_absent() -> None:
    request = sign()
    signed_at = signature.parse(request).signed_at
    rest = {name: value for name, value in request.headers.items() if name not in {b"x-amz-date", b"authorization"}}
    claimed = Signature(
        signature.Algorithm.HMAC,
        KEY_ID,
        f"{signed_at:%Y%m%d}",
        "us-east-1",
        "iam",
        ("date", "host"),
        "",
        f"{signed_at:%Y%m%dT%H%M%SZ}",
        signed_at,
    )
    dated = replace(request, headers={**rest, b"date": f"{signed_at:%a, %d %b %Y %H:%M:%S GMT}".encode()})
    message = sigv4._string_to_sign(claimed, sigv4.canonical_request(dated, claimed))
    signing_key = sigv4._signing_key(SECRET.reveal(), claimed.date, "us-east-1", "iam")
    hexadecimal = hmac.digest(signing_key, message, "sha256").hex()
    authorization = (
        f"AWS4-HMAC-SHA256 Credential={KEY_ID}/{claimed.date}/us-east-1/iam/aws4_request, SignedHeaders=date;host, "
        f"Signature={hexadecimal}"
    )

    verify(replace(dated, headers={**dated.headers, b"authorization": authorization.encode()}))


def test_the_scope_must_name_the_service_addressed() -> None:
    claimed = signature.parse(sign(service="sts"))

    sigv4.check_service(claimed, service="sts")
    with pytest.raises(errors.SignatureDoesNotMatch, match="Credential should be scoped to correct service: 'iam'"):
        sigv4.check_service(claimed, service="iam")


def test_the_memory_of_signing_keys_is_bounded() -> None:
    assert sigv4._begun_hmac.cache_info().maxsize is not None
