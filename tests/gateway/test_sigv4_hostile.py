"""Malformed and hostile signatures are refused in AWS's words and never crash the reader."""

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crownkeep import errors
from crownkeep.gateway import signature
from crownkeep.gateway.signature import SignableRequest

MOMENT = "20261124T120000Z"
CREDENTIAL = "AKIAQNZGKIQY56JQ7WML/20261124/us-east-1/iam/aws4_request"
GOOD = f"AWS4-HMAC-SHA256 Credential={CREDENTIAL}, SignedHeaders=host;x-amz-date, Signature={'a' * 64}"


def request(authorization: str | None = GOOD, **headers: str) -> SignableRequest:
    came = {b"host": b"localhost", b"x-amz-date": MOMENT.encode()}
    came |= {name.replace("_", "-").encode(): value.encode("latin-1") for name, value in headers.items()}
    if authorization is not None:
        came[b"authorization"] = authorization.encode("latin-1")
    return SignableRequest("POST", b"/", b"", came, b"")


def presigned(**changes: str | None) -> SignableRequest:
    parameters: dict[str, str | None] = {
        "Algorithm": "AWS4-HMAC-SHA256",
        "Credential": CREDENTIAL.replace("/", "%2F"),
        "Date": MOMENT,
        "Expires": "60",
        "SignedHeaders": "host",
        "Signature": "a" * 64,
    }
    parameters |= changes
    query = "&".join(f"X-Amz-{name}={value}" for name, value in parameters.items() if value is not None)
    return SignableRequest("GET", b"/", query.encode("latin-1"), {b"host": b"localhost"}, b"")


def refusal(came: SignableRequest, kind: type[errors.AwsError]) -> str:
    with pytest.raises(kind) as caught:
        signature.parse(came)
    assert type(caught.value) is kind
    return caught.value.message


@pytest.mark.parametrize("authorization", [None, "", "Bearer abc", "Basic YWJj", "AWS AKIA:sig", "aws4-hmac-sha256 x"])
def test_no_signature_is_a_missing_token(authorization: str | None) -> None:
    message = refusal(request(authorization), errors.MissingAuthenticationToken)

    assert message == "Request is missing Authentication Token"


@pytest.mark.parametrize(
    "authorization",
    [
        GOOD.replace(", ", ","),
        GOOD.replace(", ", " "),
        GOOD.replace(", ", " ,  "),
        f"AWS4-HMAC-SHA256 Signature={'a' * 64},SignedHeaders=x-amz-date;host,Credential={CREDENTIAL}",
        GOOD.replace("host;x-amz-date", "Host;X-Amz-Date"),
    ],
    ids=["no spaces", "no commas", "many spaces", "another order", "upper case"],
)
def test_every_way_to_write_the_header_that_aws_reads_is_read(authorization: str) -> None:
    assert signature.parse(request(authorization)) == signature.parse(request())


@pytest.mark.parametrize(
    ("authorization", "message"),
    [
        (
            "AWS4-HMAC-SHA256",
            (
                "Authorization header requires 'Credential' parameter. Authorization header requires 'Signature' "
                "parameter. Authorization header requires 'SignedHeaders' parameter. Authorization=AWS4-HMAC-SHA256"
            ),
        ),
        (
            f"AWS4-HMAC-SHA256 Credential={CREDENTIAL}, SignedHeaders=host;x-amz-date",
            "Authorization header requires 'Signature' parameter. Authorization=AWS4-HMAC-SHA256",
        ),
        (
            "AWS4-HMAC-SHA256 Signature=b, Credential, SignedHeaders",
            (
                "'Credential' not a valid key=value pair (missing equal-sign) in Authorization header: "
                "'AWS4-HMAC-SHA256 Signature=b, Credential, SignedHeaders'."
            ),
        ),
        (f"{GOOD}, Signature=b", "'Signature' occurs more than once in Authorization header."),
        (GOOD.replace("SHA256", "SHA512"), "Unsupported AWS 'algorithm': 'AWS4-HMAC-SHA512'."),
        (
            GOOD.replace(CREDENTIAL, "a/b/c/d"),
            "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got 'a/b/c/d'",
        ),
        (
            GOOD.replace(CREDENTIAL, f"{CREDENTIAL}/x"),
            f"Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got '{CREDENTIAL}/x'",
        ),
    ],
)
def test_an_incomplete_header_is_refused_in_awss_words(authorization: str, message: str) -> None:
    assert refusal(request(authorization), errors.IncompleteSignature) == message


def test_a_header_without_any_date_is_incomplete() -> None:
    came = request("AWS4-HMAC-SHA256 Credential=a")
    undated = SignableRequest("POST", b"/", b"", {k: v for k, v in came.headers.items() if k != b"x-amz-date"}, b"")

    assert refusal(undated, errors.IncompleteSignature) == (
        "Authorization header requires 'Signature' parameter. Authorization header requires 'SignedHeaders' "
        "parameter. Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. "
        "Authorization=AWS4-HMAC-SHA256"
    )


@pytest.mark.parametrize(
    "date", ["201", "20261324T120000Z", "20261124T250000Z", "00000000T000000Z", "2026-11-24T12:00:00Z", f"{MOMENT},x"]
)
def test_a_malformed_date_is_incomplete(date: str) -> None:
    authorization = GOOD.replace("20261124", date[:8])

    message = refusal(request(authorization, x_amz_date=date), errors.IncompleteSignature)

    assert message == (f"Date must be in ISO-8601 'basic format'. Got '{date}'. See http://en.wikipedia.org/wiki/ISO_8601")


@pytest.mark.parametrize(
    ("date", "moment"),
    [
        ("Tue, 24 Nov 2026 12:00:00 GMT", MOMENT),
        ("Tue, 24 Nov 2026 12:00:00 -0000", MOMENT),
        ("Tue, 24 Nov 2026 14:00:00 +0200", MOMENT),
        (MOMENT, MOMENT),
    ],
)
def test_a_date_header_is_read_in_whatever_zone_it_is_written(date: str, moment: str) -> None:
    came = SignableRequest("POST", b"/", b"", {b"host": b"h", b"date": date.encode(), b"authorization": GOOD.encode()}, b"")

    assert signature.parse(came).amz_date == moment


@pytest.mark.parametrize("date", ["yesterday", "Fri, 31 Dec 9999 23:59:59 -2300", "Fri, 99 Dec 2026 23:59:59 GMT"])
def test_a_date_header_that_is_no_date_is_incomplete(date: str) -> None:
    came = SignableRequest("POST", b"/", b"", {b"host": b"h", b"date": date.encode(), b"authorization": GOOD.encode()}, b"")

    refusal(came, errors.IncompleteSignature)


def test_a_request_and_its_signature_do_not_show_tokens_and_passwords() -> None:
    came = request(x_amz_security_token="t0ken")
    came = SignableRequest("POST", b"/", b"Password=hunter2", came.headers, b"NewPassword=hunter2")

    shown = repr(came) + repr(signature.parse(came))

    assert "hunter2" not in shown
    assert "t0ken" not in shown


@pytest.mark.parametrize(
    ("scope", "message"),
    [
        ("AKID/20261124//iam/aws4_request", "Credential should be scoped to a valid region. "),
        ("AKID/20261124/US EAST/iam/aws4_request".replace(" ", "_"), "Credential should be scoped to a valid region. "),
        ("AKID/20261124/us-east-1//aws4_request", "Credential should be scoped to a valid service. "),
        (
            "AKID/20261124/us-east-1/iam/aws5_request",
            "Credential should be scoped with a valid terminator: 'aws4_request', not 'aws5_request'. ",
        ),
        (
            "AKID/20261123/us-east-1/iam/aws4_request",
            (
                "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: "
                "'20261123' != '20261124', from '20261124T120000Z'."
            ),
        ),
        (
            "AKID/x//iam/e",
            (
                "Credential should be scoped to a valid region. Credential should be scoped with a valid terminator: "
                "'aws4_request', not 'e'. Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date "
                "from HTTP: 'x' != '20261124', from '20261124T120000Z'."
            ),
        ),
    ],
)
def test_a_faulty_scope_is_refused_in_awss_words(scope: str, message: str) -> None:
    authorization = GOOD.replace(CREDENTIAL, scope)

    assert refusal(request(authorization), errors.SignatureDoesNotMatch) == message


def test_the_host_must_be_signed() -> None:
    message = refusal(request(GOOD.replace("host;", "")), errors.SignatureDoesNotMatch)

    assert message == "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization."


def test_signing_twice_over_is_refused() -> None:
    both = presigned()
    both = SignableRequest("GET", b"/", both.query, {**both.headers, b"authorization": GOOD.encode()}, b"")

    assert refusal(both, errors.SignatureDoesNotMatch) == (
        "Found both 'X-Amz-Algorithm' as a query-string param and 'Authorization' as HTTP header."
    )


def test_an_incomplete_query_is_refused_in_awss_words() -> None:
    message = refusal(SignableRequest("GET", b"/", b"X-Amz-Algorithm", {b"host": b"h"}, b""), errors.IncompleteSignature)

    assert message == (
        "AWS query-string parameters must include 'X-Amz-Algorithm'. AWS query-string parameters must include "
        "'X-Amz-Credential'. AWS query-string parameters must include 'X-Amz-Signature'. AWS query-string parameters "
        "must include 'X-Amz-SignedHeaders'. AWS query-string parameters must include 'X-Amz-Date'. Re-examine the "
        "query-string parameters."
    )


@pytest.mark.parametrize("expires", ["0", "-1", "604801", "1e3", "", " 60", "６０", "9" * 30])
def test_an_expiry_outside_a_second_and_a_week_is_refused(expires: str) -> None:
    query = presigned().query.replace(b"X-Amz-Expires=60", f"X-Amz-Expires={expires}".encode())

    refusal(SignableRequest("GET", b"/", query, {b"host": b"h"}, b""), errors.IncompleteSignature)


@pytest.mark.parametrize("name", ["Credential", "Date", "Signature", "Security-Token", "Expires"])
def test_parameter_pollution_by_a_second_value_is_refused(name: str) -> None:
    came = presigned(**{"Security-Token": "a"})
    doubled = SignableRequest("GET", b"/", came.query + f"&X-Amz-{name}=other".encode(), came.headers, b"")

    message = refusal(doubled, errors.IncompleteSignature)

    assert message == f"AWS query-string parameters must include 'X-Amz-{name}' only once."


def test_two_authorization_headers_are_refused() -> None:
    came = [(b"host", b"h"), (b"x-amz-date", MOMENT.encode()), *[(b"authorization", GOOD.encode())] * 2]
    doubled = SignableRequest("POST", b"/", b"", signature.fold(came), b"")

    refusal(doubled, errors.IncompleteSignature)


def test_two_dates_are_refused() -> None:
    came = [(b"host", b"h"), *[(b"x-amz-date", MOMENT.encode())] * 2, (b"authorization", GOOD.encode())]

    refusal(SignableRequest("POST", b"/", b"", signature.fold(came), b""), errors.IncompleteSignature)


hostile = st.one_of(
    st.text(st.characters(max_codepoint=255), max_size=80),
    st.sampled_from(GOOD.split(" ")),
    st.integers(min_value=0, max_value=len(GOOD)).map(lambda cut: GOOD[:cut]),
)


@given(hostile, hostile, st.binary(max_size=60))
def test_no_header_makes_the_reader_fail(authorization: str, date: str, extra: bytes) -> None:
    came = request(authorization, x_amz_date=date, date=date)
    with_extra = SignableRequest("POST", b"/", b"", {**came.headers, b"x-amz-" + extra: extra}, b"")

    _parse(came)
    _parse(with_extra)


@given(st.dictionaries(st.sampled_from(["Credential", "Date", "Expires", "SignedHeaders", "Algorithm"]), hostile))
def test_no_query_makes_the_reader_fail(changes: dict[str, Any]) -> None:
    _parse(presigned(**changes))


@given(st.binary(max_size=100))
def test_no_raw_query_makes_the_reader_fail(query: bytes) -> None:
    _parse(SignableRequest("GET", b"/", b"X-Amz-Algorithm=" + query, {b"host": b"h"}, b""))


def _parse(came: SignableRequest) -> None:
    with suppress(errors.MissingAuthenticationToken, errors.IncompleteSignature, errors.SignatureDoesNotMatch):
        signature.parse(came)
