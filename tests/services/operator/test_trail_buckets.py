"""Buckets as the operator gives them to accounts, over HTTP."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.fixtures.trails import bucket, trail


def add(crown: Any, account: Any, **options: Any) -> Any:
    wanted = {"name": f"logs-{account.id}", "account_id": account.id} | options
    return crown.operator("POST", "/trail-buckets", wanted)


def listed(crown: Any) -> dict[str, Any]:
    return {each["name"]: each for each in crown.operator("GET", "/trail-buckets?max_results=1000").json()["buckets"]}


def test_a_bucket_is_shown_with_its_place_and_the_trails_that_deliver_there(crown, account):
    name = bucket(crown, account)
    arn = trail(account, S3BucketName=name)["TrailARN"]

    shown = listed(crown)[name]

    assert (account.id, "directory", [arn]) == (shown["account_id"], shown["kind"], shown["trails"])
    assert crown.settings.data_directory / "trail-buckets" == Path(shown["place"]).parent


def test_a_bucket_that_is_removed_is_gone_and_its_name_free(crown, account):
    name = bucket(crown, account)

    removed = crown.operator("DELETE", f"/trail-buckets/{name}")

    assert (200, name) == (removed.status, removed.json()["name"])
    assert name not in listed(crown)
    assert 404 == crown.operator("DELETE", f"/trail-buckets/{name}").status
    assert 201 == add(crown, crown.account(), name=name).status


@pytest.mark.parametrize("name", ["Upper", "ab", "a" * 64, "-abc", "a..b", "a_b", "../x", "a/b", "192.168.5.4"])
def test_what_can_be_no_buckets_name_is_refused(crown, account, name):
    assert 400 == add(crown, account, name=name).status


def test_a_bucket_belongs_to_one_account_that_there_is(crown, account):
    name = bucket(crown, account)

    assert 409 == add(crown, crown.account(), name=name).status
    assert 404 == add(crown, account, account_id="000000000001", name="nobodys-bucket").status


def test_a_bucket_in_a_directory_that_an_account_must_not_read_is_refused(crown, account, tmp_path):
    data = crown.settings.data_directory
    linked = tmp_path / "linked"
    linked.symlink_to(data)
    missing, relative = tmp_path / "missing", "logs"

    for directory in (data, data.parent, data / "trail-buckets", linked, "/", missing, relative):
        answer = add(crown, account, directory=str(directory))
        assert 400 == answer.status, (directory, answer.text)
    assert 201 == add(crown, account, directory=str(tmp_path)).status


@pytest.mark.parametrize(
    "options",
    [
        {"endpoint": "https://minio.example"},
        {"endpoint": "ftp://minio.example", "access_key_id": "x", "secret_access_key": "y"},
        {"endpoint": "https://user@minio.example", "access_key_id": "x", "secret_access_key": "y"},
        {"endpoint": "https://minio.example?x", "access_key_id": "x", "secret_access_key": "y"},
        {"endpoint": "https://minio.example:x", "access_key_id": "x", "secret_access_key": "y"},
        {"endpoint": "https://minio.example", "access_key_id": "x", "secret_access_key": "y", "directory": "/srv/logs"},
        {"access_key_id": "x", "secret_access_key": "y"},
    ],
)
def test_half_an_endpoint_is_refused(crown, account, options):
    assert 400 == add(crown, account, **options).status


def test_the_secret_of_an_endpoint_is_sealed_and_in_no_record(crown, account):
    secret = "an-endpoints-secret-key"
    made = add(crown, account, endpoint="https://minio.example/", access_key_id="writer", secret_access_key=secret)

    assert ("s3", f"https://minio.example/logs-{account.id}") == (made.json()["kind"], made.json()["place"])
    assert secret not in made.text
    assert secret not in json.dumps(account.records())
    [kept] = [each for each in account.records() if each["eventName"] == "AddTrailBucket"]
    assert "HIDDEN_DUE_TO_SECURITY_REASONS" == kept["requestParameters"]["secret_access_key"]
    assert secret not in json.dumps(crown.operator("GET", "/trail-buckets").json())
