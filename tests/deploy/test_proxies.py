"""The proxies' examples, run as they stand but for addresses: signatures hold, and what is inside stays inside."""

from __future__ import annotations

import shutil
import signal
import socket
import ssl
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import boto3
import pytest
from botocore.awsrequest import AWSPreparedRequest
from botocore.config import Config
from tests.fixtures.patience import until
from tests.fixtures.process import ROOT, Process
from tests.services.iam import making_certificates

pytestmark = pytest.mark.nightly
_INSIDE = ("/operator/v1/accounts", "/operator", "/metrics", "/health", "/ready")
PROXIES = ROOT / "deploy" / "proxies"
HOST = "crownkeep.example"


@contextmanager
def running(name: str, directory: Path, upstream: int) -> Iterator[int]:
    """Run a proxy by its example before a server on a port, and yield its own port."""
    port = _free_port()
    made = making_certificates.certificate("localhost", by=None)
    (directory / "chain.pem").write_text(made.certificate)
    (directory / "key.pem").write_text(made.private_key)
    (directory / "both.pem").write_text(made.certificate + made.private_key)
    command = {"nginx": _nginx, "haproxy": _haproxy, "caddy": _caddy}[name](directory, port, upstream)
    with (directory / "proxy.log").open("wb") as log:
        process = subprocess.Popen(
            command, cwd=directory, stdout=log, stderr=log, env={"HOME": str(directory), "PATH": "/usr/bin:/bin"}
        )
        try:
            until(lambda: _listens(port) or process.poll() is not None)
            assert process.poll() is None, (directory / "proxy.log").read_text()
            yield port
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=60)


def _changed(name: str, **parts: tuple[str, str]) -> str:
    """Return an example with other words in the place of those that a machine has of its own; each must be there."""
    text = (PROXIES / name).read_text()
    for old, new in parts.values():
        assert old in text, f"{name} has no `{old}`"
        text = text.replace(old, new)
    return text


def _nginx(directory: Path, port: int, upstream: int) -> list[str]:
    text = _changed(
        "nginx.conf",
        listen=("listen 443 ", f"listen 127.0.0.1:{port} "),
        chain=("/etc/ssl/crownkeep.pem", f"{directory}/chain.pem"),
        key=("/etc/ssl/private/crownkeep.key", f"{directory}/key.pem"),
        upstream=("127.0.0.1:4747", f"127.0.0.1:{upstream}"),
    )
    temporary = "".join(f"{each}_temp_path {directory}/{each};" for each in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    (directory / "nginx.conf").write_text(
        f"daemon off; master_process off; pid {directory}/pid; events {{}}\nhttp {{ access_log off; {temporary}\n{text}\n}}\n"
    )
    return [_program("nginx"), "-e", "stderr", "-c", str(directory / "nginx.conf")]


def _haproxy(directory: Path, port: int, upstream: int) -> list[str]:
    text = _changed(
        "haproxy.cfg",
        limit=("maxconn 20000", "maxconn 200"),
        bind=("bind :443 ", f"bind 127.0.0.1:{port} "),
        certificate=("/etc/haproxy/crownkeep.pem", f"{directory}/both.pem"),
        one=("10.0.0.11:4747", f"127.0.0.1:{upstream}"),
        two=("10.0.0.12:4747", f"127.0.0.1:{upstream}"),
    )
    (directory / "haproxy.cfg").write_text(text)
    return [_program("haproxy"), "-db", "-f", str(directory / "haproxy.cfg")]


def _caddy(directory: Path, port: int, upstream: int) -> list[str]:
    text = _changed(
        "Caddyfile",
        site=(f"{HOST} {{", f"https://{HOST}:{port} {{\n\ttls {directory}/chain.pem {directory}/key.pem"),
        upstream=("127.0.0.1:4747", f"127.0.0.1:{upstream}"),
    )
    (directory / "Caddyfile").write_text(f"{{\n\tadmin off\n\tauto_https off\n\tdefault_bind 127.0.0.1\n}}\n{text}")
    return [_program("caddy"), "run", "--config", str(directory / "Caddyfile"), "--adapter", "caddyfile"]


def _program(name: str) -> str:
    beside = f"{Path(sys.executable).parent}:/usr/sbin:/usr/bin:/usr/local/bin"
    found = shutil.which(name, path=beside)
    assert found is not None, f"{name} is not installed; `make nightly` installs it"
    return found


@pytest.mark.parametrize("name", ["nginx", "haproxy", "caddy"])
def test_signatures_hold_behind_a_proxy_and_nobody_outside_gets_to_the_operator(
    serve: Callable[..., Process], tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
):
    server = serve(public_url=f"https://{HOST}", trusted_proxies="127.0.0.1/32")
    account = server.account(admin_user="admin")
    with running(name, tmp_path, server.port) as port, _resolved(monkeypatch):
        endpoint = f"https://{HOST}:{port}"
        iam = boto3.client(
            "iam",
            region_name="us-east-1",
            endpoint_url=endpoint,
            verify=False,
            aws_access_key_id=account["admin"]["access_key_id"],
            aws_secret_access_key=account["admin"]["secret_access_key"],
            config=Config(retries={"total_max_attempts": 1}),
        )
        iam.create_user(UserName="alice", Path="/a+b/c=d/")
        # Beside the signature, as anybody can.
        iam.meta.events.register("before-send.iam", _claim_to_be_elsewhere)
        iam.tag_user(UserName="alice", Tags=[{"Key": "a", "Value": "b"}])
        inside = {path: _status(endpoint, path) for path in _INSIDE}

    sources = {each["eventName"]: each["sourceIPAddress"] for each in server.records(account["account_id"])}
    assert {404} == set(inside.values()), inside
    assert ("127.0.0.1", "127.0.0.1") == (sources["CreateUser"], sources["TagUser"])


def _claim_to_be_elsewhere(request: AWSPreparedRequest, **_: object) -> None:
    request.headers["X-Forwarded-For"] = "203.0.113.9"


def _status(endpoint: str, path: str) -> int:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        with urllib.request.urlopen(endpoint + path, timeout=60, context=context) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


@contextmanager
def _resolved(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let the examples' host lead to this machine."""
    asked = socket.getaddrinfo

    def answer(host: str, *rest: object, **more: object) -> object:
        return asked("127.0.0.1" if host == HOST else host, *rest, **more)  # type: ignore[arg-type]  # as it came

    with monkeypatch.context() as patch:
        patch.setattr(socket, "getaddrinfo", answer)
        yield


def _listens(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def test_prometheus_takes_the_alert_rules():
    command: list[str | Path] = [_program("promtool"), "check", "rules", ROOT / "deploy" / "monitoring" / "alerts.yaml"]

    ended = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)

    assert 0 == ended.returncode, ended.stdout + ended.stderr
