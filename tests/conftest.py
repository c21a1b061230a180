"""What all tests share: `crown` and `account` in process, `served` as a process, `postgres`, and hypothesis's profiles.

    def test_a_user_is_found_by_its_name(account):
        account.client("iam").create_user(UserName="bob")

        found = account.client("iam").get_user(UserName="bob")["User"]

        assert f"arn:aws:iam::{account.id}:user/bob" == found["Arn"]

`account.root(service)` and `account.client(service)` are boto3 clients of root and of an administrator; `account.user(name,
policy={...})` makes a user with a key. Every such test runs on SQLite and on PostgreSQL. Time moves with time-machine.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, settings

pytest_plugins = ["tests.fixtures.postgresql", "tests.fixtures.crown", "tests.fixtures.process", "tests.fixtures.nodes"]

settings.register_profile("quick", max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("nightly", max_examples=2000, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))

MEMORY = Path("/dev/shm")
"""Linux's file system in memory."""
_BYTES_NEEDED = 4 << 30


def pytest_configure() -> None:
    """Keep the tests' files in memory where there is room: no test is about the disk that a hundred thousand commits wait for."""
    if "TMPDIR" not in os.environ and MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > _BYTES_NEEDED:
        os.environ["TMPDIR"] = str(MEMORY)
        tempfile.tempdir = None


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Name long texts and bytes by their argument: what is made on the spot would give each worker other test names."""
    return argname if (isinstance(val, str) and len(val) > 60) or (isinstance(val, bytes) and len(val) > 8) else None
