"""AWS's own files in a home directory: the cache of `aws login`, and the profiles of the configuration file.

What `aws login` writes is written here, letter for letter, so that AWS's tools find it (botocore, `LoginProvider`).
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import tempfile
from collections.abc import Mapping
from configparser import Error as UnreadableFile
from configparser import RawConfigParser
from pathlib import Path
from typing import Any

from crownkeep import untrusted_json

PROFILE_NAME = re.compile(r"[A-Za-z0-9_.@+=,:/-]{1,128}")

_SECTION = re.compile(r"\s*\[\s*(?P<name>[^\]]*?)\s*\]\s*(?:[#;].*)?")
_OTHER_CREDENTIALS = {
    "aws_access_key_id": "an access key",
    "role_arn": "a role to take on",
    "sso_session": "a session of IAM Identity Center",
    "sso_account_id": "a session of IAM Identity Center",
    "web_identity_token_file": "a web identity",
}


class UnusableFile(Exception):
    """One of the files can't be used as it is; the message says which and why."""


def profile(name: str) -> Mapping[str, str]:
    """Return what the configuration file says of a profile; nothing where it has no such profile. Raises UnusableFile."""
    return _read(_config_file(), _section(name))


def check_free(name: str) -> None:
    """Raise UnusableFile where a profile has credentials of another kind, which would go before these."""
    # Sections of the credentials file have the bare name, those of the configuration `profile NAME`.
    for path, section in ((_config_file(), _section(name)), (_credentials_file(), name)):
        found = _read(path, section)
        for key, kind in _OTHER_CREDENTIALS.items():
            if key in found:
                raise UnusableFile(f"profile `{name}` in `{path}` has {kind} already: take it out there or name another profile")


def write_profile(name: str, values: Mapping[str, str | None]) -> Path:
    """Set keys of a profile, or take them out where they are None, and leave the rest of the file as it is.

    Raises UnusableFile.
    """
    path = _config_file()
    # A line break in a value would begin a line of its own, which may name a program to run.
    if not all(each is None or each.isprintable() for each in values.values()):
        raise UnusableFile(f"a value for profile `{name}` holds what is no part of a line: nothing was written into `{path}`")
    # Read before it is written: a file that can't be read is left alone, whatever is in it.
    profile(name)
    lines = path.read_text().splitlines() if path.exists() else []
    _write(path, "\n".join(_changed(lines, _section(name), values)) + "\n")
    return path


def cached(session: str) -> dict[str, Any] | None:
    """Return what the cache holds of a session, named by the ARN of whoever signed in; None where it holds nothing usable."""
    try:
        found = untrusted_json.read(_cache_file(session).read_text())
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def cache(session: str, token: Mapping[str, object]) -> Path:
    """Put a session's tokens and key into the cache, for its owner's eyes only."""
    path = _cache_file(session)
    _write(path, json.dumps(token))
    return path


def _cache_file(session: str) -> Path:
    directory = os.environ.get("AWS_LOGIN_CACHE_DIRECTORY") or "~/.aws/login/cache"
    return Path(os.path.expandvars(directory)).expanduser() / f"{hashlib.sha256(session.encode()).hexdigest()}.json"


def _config_file() -> Path:
    return Path(os.environ.get("AWS_CONFIG_FILE") or "~/.aws/config").expanduser()


def _credentials_file() -> Path:
    return Path(os.environ.get("AWS_SHARED_CREDENTIALS_FILE") or "~/.aws/credentials").expanduser()


def _section(name: str) -> str:
    return "default" if name == "default" else f"profile {name}"


def _read(path: Path, section: str) -> Mapping[str, str]:
    # As botocore reads it: no interpolation of `%`, no section that others inherit from, and the later of two keys holds.
    parser = RawConfigParser(default_section="", strict=False)
    try:
        parser.read(path, encoding="utf-8")
    except (UnreadableFile, UnicodeDecodeError, OSError) as error:
        raise UnusableFile(f"`{path}` can't be read: correct it or move it away") from error
    return dict(parser[section]) if parser.has_section(section) else {}


def _changed(lines: list[str], section: str, values: Mapping[str, str | None]) -> list[str]:
    spans = [(number, match["name"]) for number, line in enumerate(lines) if (match := _SECTION.fullmatch(line))]
    starts = [number for number, name in spans if name.split() == section.split()]
    wanted = [f"{key} = {value}" for key, value in values.items() if value is not None]
    if not starts:
        return [*lines, *([""] if lines and lines[-1].strip() else []), f"[{section}]", *wanted]
    # Of two sections with one name the later one's keys hold, so that is where they are set.
    start = starts[-1]
    end = next((number for number, _ in spans if number > start), len(lines))
    kept = [line for line in lines[start + 1 : end] if line.partition("=")[0].strip().lower() not in values]
    return [*lines[: start + 1], *wanted, *kept, *lines[end:]]


def _write(path: Path, text: str) -> None:
    """Replace a file at once, readable for its owner alone: others must never see half of it, nor any of it."""
    # A link to a file elsewhere stays a link; what it leads to is replaced.
    target = path.resolve()
    try:
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor, temporary = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
        with os.fdopen(descriptor, "w") as file:
            file.write(text)
            file.flush()
            # Before it is renamed, or a crash could leave an empty file in the place of the one before.
            os.fsync(file.fileno())
        Path(temporary).replace(target)
    except OSError as error:
        raise UnusableFile(f"`{path}` can't be written: {error.strerror}") from error
