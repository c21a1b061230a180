"""`make bench-what-if`: what replaying recorded events through a change takes, beside unpacking and reading the same files.

The events are CloudTrail's log files as an account of 500 users leaves them in 90 days: ARGS="--events 1000000" is a million.
What is aimed at is 10 seconds of computing for a million. Times are of computing, so a busy machine changes them little.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

AIM_SECONDS_A_MILLION = 10
USERS = 500
IN_A_FILE = 5_000
ACCOUNT = "111122223333"
_RESULTS = Path(__file__).parent / "results" / "what_if.json"
_BOUNDARY = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Action": ["s3:*", "ec2:Describe*", "sts:*", "dynamodb:*"], "Resource": "*"},
        {"Effect": "Deny", "Action": "s3:Delete*", "Resource": "arn:aws:s3:::records-*"},
    ],
}
_CALLS = (
    ("s3", "ListBuckets", True),
    ("s3", "DeleteBucketPolicy", False),
    ("ec2", "DescribeInstances", True),
    ("ec2", "RunInstances", False),
    ("iam", "GetUser", True),
    ("iam", "CreateUser", False),
    ("sts", "GetCallerIdentity", True),
    ("dynamodb", "DescribeTable", True),
    ("lambda", "ListFunctions", True),
    ("kms", "DescribeKey", True),
)


def main() -> None:
    """Write the files, measure each question, print, and keep the figures in bench/results."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--events", type=int, default=200_000)
    count = options.parse_args().events
    with tempfile.TemporaryDirectory(prefix="crownkeep-bench-") as name:
        directory = Path(name)
        _write(directory / "events", count)
        boundary = directory / "boundary.json"
        boundary.write_text(json.dumps(_BOUNDARY))
        floor = _floor(directory / "events")
        user = f"arn:aws:iam::{ACCOUNT}:user/user-7"
        questions = {
            "require-mfa": ["require-mfa"],
            "set-boundary of one user": ["set-boundary", user, str(boundary)],
            "root-off": ["root-off"],
        }
        found = {"events": count, "unpacking and reading": floor}
        print(f"{count:,} events in {IN_A_FILE:,} a file{'CPU s':>24}{'to reading':>12}{'s a million':>13}{'aim':>6}")
        _row("unpacking and reading them", floor, floor, count)
        for title, question in questions.items():
            took = _asked([*question, "--events", str(directory / "events")], directory)
            found[title] = took
            _row(title, took, floor, count, aim=str(AIM_SECONDS_A_MILLION))
        print(f"most memory of one question: {resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024:.0f} MiB")
    _RESULTS.parent.mkdir(exist_ok=True)
    _RESULTS.write_text(json.dumps(found, indent=1))


def _write(directory: Path, count: int) -> None:
    directory.mkdir()
    events = _events(count)
    for number in range(0, count, IN_A_FILE):
        records = [next(events) for _ in range(min(IN_A_FILE, count - number))]
        content = gzip.compress(json.dumps({"Records": records}).encode(), compresslevel=1)
        (directory / f"{ACCOUNT}_CloudTrail_us-east-1_{number:09}.json.gz").write_bytes(content)


def _events(count: int) -> Iterator[dict[str, Any]]:
    chance = random.Random(7)
    began = datetime.now(UTC) - timedelta(days=80)
    for number in range(count):
        service, name, read_only = chance.choice(_CALLS)
        user = f"user-{chance.randrange(USERS)}"
        yield {
            "eventVersion": "1.11",
            "userIdentity": {
                "type": "IAMUser",
                "principalId": f"AIDA{user}",
                "arn": f"arn:aws:iam::{ACCOUNT}:user/{user}",
                "accountId": ACCOUNT,
                "accessKeyId": "AKIAIOSFODNN7EXAMPLE",
                "userName": user,
            },
            "eventTime": (began + timedelta(seconds=number * 6)).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "eventSource": f"{service}.amazonaws.com",
            "eventName": name,
            "awsRegion": "us-east-1",
            "sourceIPAddress": f"203.0.113.{chance.randrange(250)}",
            "userAgent": "aws-cli/2.38.1 md/awscrt#0.31 ua/2.1 os/linux#6.8 md/arch#x86_64 lang/python#3.13",
            "requestParameters": {"userName": user, "bucketName": f"records-{chance.randrange(40)}"},
            "responseElements": None,
            "requestID": f"00000000-0000-0000-0000-{number:012}",
            "eventID": f"00000000-0000-0000-0001-{number:012}",
            "readOnly": read_only,
            "eventType": "AwsApiCall",
            "managementEvent": True,
            "recipientAccountId": ACCOUNT,
            "eventCategory": "Management",
        }


def _floor(directory: Path) -> float:
    began = time.process_time()
    for file in sorted(directory.iterdir()):
        msgspec.json.decode(gzip.decompress(file.read_bytes()))
    return time.process_time() - began


def _asked(question: list[str], directory: Path) -> float:
    command = [str(Path(sys.executable).with_name("crownkeep")), "what-if", *question, "--json"]
    variables = os.environ | {"HOME": str(directory), "CROWNKEEP_DATA": str(directory / "data")}
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, env=variables, check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _row(title: str, seconds: float, floor: float, count: int, *, aim: str = "") -> None:
    print(f"{title:48}{seconds:8.2f}{seconds / floor:11.2f}x{seconds * 1e6 / count:13.1f}{aim:>6}")


if __name__ == "__main__":
    main()
