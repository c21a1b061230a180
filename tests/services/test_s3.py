"""S3, read-only: the buckets of trails, listed and read by policies, by path and by host, whatever a bucket is called."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as Signer
from botocore.exceptions import ClientError
from tests.fixtures.trails import bucket, place

KEYS = ("AWSLogs/1/a.json.gz", "AWSLogs/1/b.json.gz", "AWSLogs/2/c.json.gz", "AWSLogs-more", "z (1)!'/x*y")


@pytest.fixture
def filled(account: Any) -> tuple[Any, str, Path]:
    """An account with a bucket, its name and its directory, in which there are some objects."""
    name = bucket(account.crown, account)
    root = place(account.crown, name)
    for key in KEYS:
        (root / key).parent.mkdir(parents=True, exist_ok=True)
        (root / key).write_bytes(key.encode())
    return account, name, root


def refused(call: Any, **parameters: Any) -> tuple[int, str]:
    with pytest.raises(ClientError) as refusal:
        call(**parameters)
    response = refusal.value.response
    return response["ResponseMetadata"]["HTTPStatusCode"], response["Error"]["Code"]


def keys(answer: Mapping[str, Any]) -> list[str]:
    return [each["Key"] for each in answer.get("Contents", [])]


def test_objects_are_listed_in_the_order_of_their_keys_page_by_page(filled):
    account, name, _ = filled
    s3 = account.client("s3")

    whole, first = s3.list_objects(Bucket=name), s3.list_objects_v2(Bucket=name, MaxKeys=2)
    second = s3.list_objects_v2(Bucket=name, MaxKeys=9, ContinuationToken=first["NextContinuationToken"])

    assert sorted(KEYS) == keys(whole)
    assert sorted(KEYS) == keys(first) + keys(second)
    assert (True, False, 2, 3) == (first["IsTruncated"], second["IsTruncated"], first["KeyCount"], second["KeyCount"])
    assert sorted(KEYS)[2:] == keys(s3.list_objects(Bucket=name, Marker=sorted(KEYS)[1]))
    assert sorted(KEYS)[2:] == keys(s3.list_objects_v2(Bucket=name, StartAfter=sorted(KEYS)[1]))
    assert list(KEYS[:2]) == keys(s3.list_objects(Bucket=name, Prefix="AWSLogs/1"))
    assert [] == keys(s3.list_objects(Bucket=name, Prefix="nothing"))


def test_keys_that_share_a_folder_are_listed_once_for_a_delimiter(filled):
    account, name, _ = filled
    s3 = account.client("s3")

    listed = s3.list_objects_v2(Bucket=name, Delimiter="/")
    first = s3.list_objects(Bucket=name, Delimiter="/", MaxKeys=1)
    next_one = s3.list_objects(Bucket=name, Delimiter="/", MaxKeys=1, Marker=first["NextMarker"])
    inner = s3.list_objects_v2(Bucket=name, Delimiter="/", Prefix="AWSLogs/")

    assert (["AWSLogs-more"], ["AWSLogs/", "z (1)!'/"]) == (keys(listed), [each["Prefix"] for each in listed["CommonPrefixes"]])
    assert (["AWSLogs-more"], ["AWSLogs/"]) == (keys(first), [each["Prefix"] for each in next_one["CommonPrefixes"]])
    assert ["AWSLogs/1/", "AWSLogs/2/"] == [each["Prefix"] for each in inner["CommonPrefixes"]]


@pytest.mark.parametrize("key", KEYS)
def test_an_object_is_read_whole_and_described_alike(filled, key):
    account, name, _ = filled
    s3 = account.client("s3")

    got, described = s3.get_object(Bucket=name, Key=key), s3.head_object(Bucket=name, Key=key)

    assert key.encode() == got["Body"].read()
    for each in ("ETag", "LastModified", "ContentType", "ContentLength", "Metadata"):
        assert got[each] == described[each]


def test_what_is_not_there_is_refused_by_s3s_own_codes(filled):
    account, name, _ = filled
    s3 = account.client("s3")

    assert (404, "NoSuchKey") == refused(s3.get_object, Bucket=name, Key="AWSLogs/none")
    assert (404, "404") == refused(s3.head_object, Bucket=name, Key="AWSLogs/none")
    assert (404, "NoSuchBucket") == refused(s3.list_objects, Bucket="no-such-bucket")
    assert (404, "NoSuchBucket") == refused(s3.get_bucket_location, Bucket="no-such-bucket")
    assert (404, "404") == refused(s3.head_bucket, Bucket="no-such-bucket")
    assert (403, "AccessDenied") == refused(s3.list_objects, Bucket=name, ExpectedBucketOwner="999999999999")
    assert (400, "InvalidArgument") == refused(s3.get_object, Bucket=name, Key=KEYS[0], Range="bytes=0-1")
    assert (405, "MethodNotAllowed") == refused(s3.put_object, Bucket=name, Key="new", Body=b"")
    assert (405, "MethodNotAllowed") == refused(s3.delete_object, Bucket=name, Key=KEYS[0])
    assert (400, "InvalidArgument") == refused(s3.list_objects_v2, Bucket=name, ContinuationToken="x")


def test_a_bucket_is_in_us_east_1_which_is_said_by_saying_nothing(filled):
    account, name, _ = filled
    s3 = account.client("s3")

    assert s3.get_bucket_location(Bucket=name)["LocationConstraint"] is None
    assert "us-east-1" == s3.head_bucket(Bucket=name)["BucketRegion"]
    assert [name] == [each["Name"] for each in s3.list_buckets()["Buckets"]]


def test_others_buckets_are_as_if_there_were_none(crown, filled):
    _, name, _ = filled
    s3 = crown.account().client("s3")

    assert (404, "NoSuchBucket") == refused(s3.list_objects, Bucket=name)
    assert (404, "NoSuchBucket") == refused(s3.get_object, Bucket=name, Key=KEYS[0])
    assert [] == s3.list_buckets()["Buckets"]


def allow(action: str, resource: str, **condition: Any) -> dict[str, Any]:
    statement = {"Effect": "Allow", "Action": action, "Resource": resource}
    return {"Version": "2012-10-17", "Statement": [statement | ({"Condition": condition} if condition else {})]}


def test_a_policy_decides_on_the_bucket_and_on_each_object(filled):
    account, name, _ = filled
    reader = account.user("reader", policy=allow("s3:GetObject", f"arn:aws:s3:::{name}/AWSLogs/1/*")).client("s3")
    lister = account.user(
        "lister", policy=allow("s3:ListBucket", f"arn:aws:s3:::{name}", StringLike={"s3:prefix": "AWSLogs/*"})
    ).client("s3")

    assert KEYS[0].encode() == reader.get_object(Bucket=name, Key=KEYS[0])["Body"].read()
    assert (403, "AccessDenied") == refused(reader.get_object, Bucket=name, Key=KEYS[2])
    assert (403, "403") == refused(reader.head_object, Bucket=name, Key=KEYS[2])
    assert (403, "AccessDenied") == refused(reader.list_objects_v2, Bucket=name)
    assert 3 == len(keys(lister.list_objects_v2(Bucket=name, Prefix="AWSLogs/")))
    assert (403, "AccessDenied") == refused(lister.list_objects_v2, Bucket=name)
    assert (403, "AccessDenied") == refused(lister.get_object, Bucket=name, Key=KEYS[0])


@pytest.mark.parametrize(
    "key",
    [
        "../../sealing.key",
        "../outside",
        "AWSLogs/../../outside",
        "/etc/passwd",
        "AWSLogs//1/a.json.gz",
        "./AWSLogs-more",
        ".hidden",
        "AWSLogs/.hidden",
        "link",
        "linked/outside",
        "AWSLogs/1",
        "AWSLogs/1/",
        "pipe",
        "x" * 300,
    ],
)
def test_a_key_that_leads_out_of_its_bucket_names_no_object(filled, key):
    import os

    account, name, root = filled
    (root.parent / "outside").write_text("secret")
    (root / "link").symlink_to(root.parent / "outside")
    (root / "linked").symlink_to(root.parent)
    (root / ".hidden").write_text("secret")
    (root / "AWSLogs/.hidden").write_text("secret")
    os.mkfifo(root / "pipe")

    signed = signed_request(account, "GET", f"/{name}/{quoted(key)}")

    assert (404, True) == (signed.status, b"NoSuchKey" in signed.body), signed.body
    assert sorted(KEYS) == keys(account.client("s3").list_objects(Bucket=name))


def quoted(key: str) -> str:
    from urllib.parse import quote

    return quote(key, safe="/")


def signed_request(account: Any, method: str, path: str, *, host: str | None = None, **headers: str) -> Any:
    """Send a request that is signed for S3, with a path that no client would normalise."""
    answer = account.created["admin"]
    base = account.crown.settings.url if host is None else f"http://{host}"
    request = AWSRequest(method=method, url=f"{base}{path}", headers=headers)
    S3SigV4Auth(Signer(answer["access_key_id"], answer["secret_access_key"]), "s3", "us-east-1").add_auth(request)
    pairs = {**dict(request.headers.items()), "Host": base.partition("//")[2]}
    return account.crown.request(method, f"{base}{path}", headers=pairs)


@pytest.mark.parametrize("name", ["console", "signin", "health", "metrics", "static", "operator", "federation"])
def test_a_bucket_may_be_called_as_a_page_is(crown, name):
    account = crown.account()
    crown.operator("DELETE", f"/trail-buckets/{name}")
    bucket(crown, account, name=name)
    root = place(crown, name)
    (root / "AWSLogs").mkdir(parents=True)
    (root / "AWSLogs/x").write_bytes(b"found")

    assert b"found" == account.client("s3").get_object(Bucket=name, Key="AWSLogs/x")["Body"].read()
    assert ["AWSLogs/x"] == keys(account.client("s3").list_objects(Bucket=name))
    assert b"<Key>AWSLogs/x</Key>" in signed_request(account, "GET", f"/{name}", Accept="text/html").body


@pytest.mark.parametrize("host", ["{bucket}.localhost:4747", "{bucket}.s3.us-east-1.amazonaws.com", "{bucket}.s3.localhost"])
def test_a_bucket_is_named_by_the_host_as_well(filled, host):
    account, name, _ = filled
    at = host.format(bucket=name)

    listed = signed_request(account, "GET", "/?list-type=2&prefix=AWSLogs-", host=at)
    found = signed_request(account, "GET", "/AWSLogs-more", host=at)

    assert (200, True) == (listed.status, b"<Key>AWSLogs-more</Key>" in listed.body)
    assert (200, b"AWSLogs-more") == (found.status, found.body)


def test_the_object_that_a_policy_decides_on_is_the_one_that_the_host_names(filled):
    account, name, _ = filled
    user = account.user("reader", policy=allow("s3:GetObject", f"arn:aws:s3:::other/{name}/AWSLogs-more"))
    account.created["admin"] = {
        "access_key_id": user.credentials.access_key_id,
        "secret_access_key": user.credentials.secret_access_key,
    }

    assert 403 == signed_request(account, "GET", "/AWSLogs-more", host=f"{name}.localhost").status
    assert 403 == signed_request(account, "GET", f"/{name}/AWSLogs-more").status


def test_without_a_signature_there_is_no_bucket(crown, filled):
    _, name, _ = filled

    for path in (f"/{name}", f"/{name}/{KEYS[0]}", f"/{name}?list-type=2"):
        answer = crown.request("GET", path)
        assert (404, False) == (answer.status, b"AWSLogs" in answer.body.replace(path.encode(), b""))


def test_the_whole_of_an_object_is_what_its_length_says(filled):
    account, name, root = filled
    body = hashlib.sha256(b"seed").digest() * 40_000
    (root / "large").write_bytes(body)

    described = account.client("s3").head_object(Bucket=name, Key="large")

    assert len(body) == described["ContentLength"]
    assert body == account.client("s3").get_object(Bucket=name, Key="large")["Body"].read()
