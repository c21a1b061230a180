"""Delivery to an S3-compatible server: signed as S3 wants it, with metadata; what it refuses is told by its own code."""

from __future__ import annotations

import gzip
import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from tests.fixtures.crown import Crown, Crowns
from tests.fixtures.trails import bucket, eventually, logging_trail

from crownkeep.credentials.secret import Secret
from crownkeep.trail.directories import BucketRefused
from crownkeep.trail.endpoints import EndpointBucket

SECRET = "an-endpoints-secret-key"


class Store:
    """A server that takes objects which are signed with the right key, or answers what it is told to."""

    def __init__(self) -> None:
        self.objects: dict[str, tuple[bytes, dict[str, str]]] = {}
        self.refusal: tuple[int, bytes] | None = None
        store = self

        class Handler(BaseHTTPRequestHandler):
            def do_PUT(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status, said = store.refusal or store.taken(self, body)
                self.send_response(status)
                self.send_header("Content-Length", str(len(said)))
                self.end_headers()
                self.wfile.write(said)

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def taken(self, asked: BaseHTTPRequestHandler, body: bytes) -> tuple[int, bytes]:
        """Keep an object whose signature botocore makes as well, from what was sent."""
        given = asked.headers["Authorization"]
        signed = given.partition("SignedHeaders=")[2].partition(",")[0].split(";")
        request = AWSRequest(
            method="PUT",
            url=f"{self.url}{asked.path}",
            data=body,
            headers={name: asked.headers[name] for name in signed if name != "host"},
        )
        request.context["timestamp"] = asked.headers["x-amz-date"]
        signer = S3SigV4Auth(Credentials("writer", SECRET), "s3", "eu-central-1")
        canonical = signer.canonical_request(request)
        if signer.signature(signer.string_to_sign(request, canonical), request) != given.rpartition("Signature=")[2]:
            return 403, b"<Error><Code>SignatureDoesNotMatch</Code></Error>"
        metadata = {name: value for name, value in asked.headers.items() if name.lower().startswith("x-amz-meta-")}
        self.objects[asked.path] = body, metadata
        return 200, b""


@pytest.fixture
def store() -> Iterator[Store]:
    """A store on a free port."""
    made = Store()
    yield made
    made.server.shutdown()
    made.server.server_close()


@pytest.fixture
def crown(crowns: Crowns) -> Iterator[Crown]:
    """A server that delivers each second."""
    made = crowns.fresh("sqlite", trail_delivery_seconds=1, trail_digest_seconds=2)
    yield made
    made.close()


def test_log_files_and_digests_are_put_with_a_signature_and_metadata(crown: Crown, store: Store):
    account = crown.account()
    endpoint = {"endpoint": store.url, "endpoint_region": "eu-central-1", "endpoint_bucket": "real-name"}
    name = bucket(crown, account, **endpoint, access_key_id="writer", secret_access_key=SECRET)
    made = logging_trail(account, S3BucketName=name, EnableLogFileValidation=True, S3KeyPrefix="a(b)")

    account.client("cloudtrail").stop_logging(Name=made["Name"])

    path, (body, metadata) = eventually(
        lambda: next(((path, kept) for path, kept in store.objects.items() if "CloudTrail-Digest" in path), None)
    )
    assert path.startswith("/real-name/a%28b%29/AWSLogs/")
    assert {"x-amz-meta-signature", "x-amz-meta-signature-algorithm"} == {key.lower() for key in metadata}
    listed = json.loads(gzip.decompress(body))["logFiles"]
    assert listed
    assert {f"/real-name/{each['s3Object']}".replace("(", "%28").replace(")", "%29") for each in listed} <= store.objects.keys()
    with pytest.raises(account.client("s3").exceptions.NoSuchBucket, match="AWS_ENDPOINT_URL_S3"):
        account.client("s3").list_objects(Bucket=name)


def refused(store: Store, answer: Callable[[Store], None]) -> str:
    answer(store)
    held = EndpointBucket(store.url, "eu-central-1", "logs", "writer", Secret(SECRET))
    with pytest.raises(BucketRefused) as refusal:
        held.put("AWSLogs/x", b"body", {})
    return str(refusal.value)


def test_what_a_server_refuses_is_told_by_its_code_and_no_more(store: Store):
    def say(status: int, body: bytes) -> Callable[[Store], None]:
        return lambda store: setattr(store, "refusal", (status, body))

    assert refused(store, say(403, b"<Error><Code>AccessDenied</Code></Error>")).startswith("AccessDenied: ")
    assert refused(store, say(500, b"\x00" * 9000)).startswith("Status500: ")
    assert refused(store, say(301, b"<Code>" + b"x" * 500 + b"</Code>")).startswith("Status301: ")
    assert refused(store, lambda store: store.server.server_close()).startswith("RequestTimeout: ")


def test_a_wrong_secret_is_told_as_the_server_tells_it(store: Store):
    held = EndpointBucket(store.url, "eu-central-1", "logs", "writer", Secret("another"))

    with pytest.raises(BucketRefused, match="SignatureDoesNotMatch"):
        held.put("AWSLogs/x", b"body", {"signature": "ab"})
