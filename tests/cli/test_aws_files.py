"""AWS's own files: profiles are changed where they must be and nowhere else, and the cache is where AWS's tools look."""

from __future__ import annotations

import configparser
import hashlib
import stat
from pathlib import Path

import pytest

from crownkeep.cli import aws_files
from crownkeep.cli.aws_files import UnusableFile

SESSION = "arn:aws:iam::123456789012:user/ann"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of the test's own."""
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE", "AWS_LOGIN_CACHE_DIRECTORY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


def test_a_profile_is_made_where_there_is_no_file(home: Path):
    aws_files.write_profile("dev", {"region": "us-east-1", "login_session": SESSION})

    assert f"[profile dev]\nregion = us-east-1\nlogin_session = {SESSION}\n" == (home / ".aws/config").read_text()


def test_a_profile_is_changed_and_everything_else_stays_as_it_was(home: Path):
    before = "# mine\n[default]\nregion = eu-west-1 ; near\n\n[profile dev]\noutput = json\nregion=x\n[profile devil]\na = b\n"
    (home / ".aws").mkdir()
    (home / ".aws/config").write_text(before)

    aws_files.write_profile("dev", {"region": "us-east-1", "output": None})

    after = before.replace("output = json\nregion=x\n", "region = us-east-1\n")
    assert after == (home / ".aws/config").read_text()


@pytest.mark.parametrize("value", ["eu\ncredential_process = id", "eu\r[profile x]", "eu\u2028x = 1", "eu\0"])
def test_no_value_writes_another_line_into_the_configuration(home: Path, value: str):
    with pytest.raises(UnusableFile, match="nothing was written"):
        aws_files.write_profile("dev", {"region": value})

    assert not (home / ".aws" / "config").exists()


def test_the_default_profile_has_a_section_of_its_own_name(home: Path):
    aws_files.write_profile("default", {"region": "us-east-1"})

    parser = configparser.ConfigParser(default_section="")
    parser.read(home / ".aws/config")
    assert ["default"] == parser.sections()
    assert "us-east-1" == aws_files.profile("default")["region"]


@pytest.mark.parametrize(
    ("file", "section", "key"),
    [
        (".aws/config", "profile dev", "role_arn"),
        (".aws/config", "profile dev", "sso_session"),
        (".aws/config", "profile dev", "aws_access_key_id"),
        (".aws/credentials", "dev", "aws_access_key_id"),
    ],
)
def test_a_profile_with_other_credentials_is_left_alone(home: Path, file: str, section: str, key: str):
    (home / ".aws").mkdir()
    (home / file).write_text(f"[{section}]\n{key} = x\n")

    with pytest.raises(UnusableFile, match="dev"):
        aws_files.check_free("dev")


def test_the_cache_is_where_aws_looks_and_for_its_owner_alone(home: Path):
    path = aws_files.cache(SESSION, {"a": 1})

    assert home / ".aws/login/cache" / f"{hashlib.sha256(SESSION.encode()).hexdigest()}.json" == path
    assert 0o600 == stat.S_IMODE(path.stat().st_mode)
    assert 0o700 == stat.S_IMODE(path.parent.stat().st_mode)
    assert {"a": 1} == aws_files.cached(SESSION)


def test_the_cache_can_be_put_elsewhere(home: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("AWS_LOGIN_CACHE_DIRECTORY", "$HOME/elsewhere")

    assert home / "elsewhere" == aws_files.cache(SESSION, {}).parent


@pytest.mark.parametrize("content", ["{", "[]", "\0"])
def test_a_damaged_cache_holds_nothing(content: str):
    aws_files.cache(SESSION, {}).write_text(content)

    assert None is aws_files.cached(SESSION)


def test_a_file_that_is_no_configuration_is_named(home: Path):
    (home / ".aws").mkdir()
    (home / ".aws/config").write_text("no section\n")

    with pytest.raises(UnusableFile, match="config"):
        aws_files.write_profile("dev", {})
