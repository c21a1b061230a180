"""Alerts to the services that apprise knows, such as chats and telephones: each message by a process of its own.

An URL of apprise's is a secret as a whole: it is kept sealed, and only its scheme is shown. The extra `apprise` has the package.
"""

from __future__ import annotations

import importlib.util
import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import crownkeep
from crownkeep.alerts.apprise_process import AppriseOutcome
from crownkeep.alerts.undelivered import Undelivered
from crownkeep.credentials.secret import Secret

MISSING = "the package for it is not installed; install it with `pip install 'crownkeep[apprise]'`"
SECONDS = 30.0
"""Within which a message must have left, with the start of its process."""

_URL = re.compile(r"([a-z][a-z0-9]{0,31})s?://[\x21-\x7e]+")
_KINDS = {"critical": "failure", "high": "warning"}
# As the command of the Debian package starts: where our packages are is said by nothing but this.
_START = """\
import runpy, sys
sys.path.insert(0, sys.argv[1])
runpy.run_module("crownkeep.alerts.apprise_process", run_name="__main__")
"""
_FAULTS: Mapping[int, str] = {
    AppriseOutcome.MISSING: MISSING,
    AppriseOutcome.UNKNOWN_SERVICE: "apprise knows no service by that URL, or the URL is incomplete",
    AppriseOutcome.REFUSED: "the service is at an address inside; the operator can allow its network with `alert_networks`",
}


def fault_of(url: str) -> str:
    """Say why an URL can't be a receiver's, empty where it can; which service it is shows when something is sent."""
    if importlib.util.find_spec("apprise") is None:
        return MISSING
    return "" if _URL.fullmatch(url) else "it is no URL of apprise's, such as `slack://...`"


def shown(url: str) -> str:
    """Return the part of an URL that is no secret."""
    return f"{url.partition('://')[0]}://"


def send(url: Secret, title: str, body: str, severity: str, networks: Sequence[str]) -> None:
    """Send a message; raises Undelivered."""
    kind = _KINDS.get(severity, "info")
    request = {"url": url.reveal(), "title": title, "body": body, "kind": kind, "networks": list(networks)}
    try:
        ended = subprocess.run(  # noqa: S603 - our own module, and nothing of what is sent is an argument
            [sys.executable, *_flags(), "-c", _START, str(Path(crownkeep.__file__).parents[1])],
            input=json.dumps(request).encode(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
            env=_environment(),
            timeout=SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise Undelivered("apprise does not come to an end in time") from error
    except OSError as error:
        raise Undelivered(f"apprise can't be started: {error.strerror}") from error
    if ended.returncode != AppriseOutcome.SENT:
        raise Undelivered(_FAULTS.get(ended.returncode, "the service does not take the message"))


def _flags() -> list[str]:
    """Return the interpreter's options: the process takes nothing from the environment, and packages from where ours are."""
    flags = ["-I"] if not sys.flags.no_site else ["-I", "-S"]
    return [*flags, "-X", f"pycache_prefix={sys.pycache_prefix}"] if sys.pycache_prefix else flags


def _environment() -> dict[str, str]:
    """Return the environment: nothing of the server's but the certificates that it trusts, and no proxy."""
    trusted = os.environ.get("SSL_CERT_FILE")
    kept = {"HOME": "/nonexistent", "LANG": "C.UTF-8"}
    return kept | ({"SSL_CERT_FILE": trusted, "REQUESTS_CA_BUNDLE": trusted} if trusted else {})
