"""The sealing key wrapped by a key management service: one that speaks AWS's API here, and knows nothing but to wrap."""

from __future__ import annotations

import json
import sys
from base64 import b64decode, b64encode
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, ClassVar

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from tests.cli.conftest import Terminal

from crownkeep import data_directory, sealing_key_file
from crownkeep.credentials.secret import Secret
from crownkeep.data_directory import UnusableDataDirectory
from crownkeep.settings import SEALING_KEY_VARIABLE, Settings
from crownkeep.wrapping import key_files
from crownkeep.wrapping.faults import UnusableKeyHolder
from crownkeep.wrapping.services import ServiceKey
from crownkeep.wrapping.tokens import TokenKey

_NONCE = bytes(12)


class Service(BaseHTTPRequestHandler):
    """Encrypt and Decrypt as KMS has them: the context must be the same, and a key is known by its name."""

    cipher = AESGCM(bytes(32))
    asked_for: ClassVar[list[str]] = []

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.asked_for.append(self.headers["X-Amz-Target"].rpartition(".")[2])
        context = json.dumps([asked["KeyId"], asked["EncryptionContext"]]).encode()
        try:
            if self.headers["X-Amz-Target"] == "TrentService.Encrypt":
                blob = self.cipher.encrypt(_NONCE, b64decode(asked["Plaintext"]), context)
                self._reply(200, {"CiphertextBlob": b64encode(blob).decode()})
            else:
                plain = self.cipher.decrypt(_NONCE, b64decode(asked["CiphertextBlob"]), context)
                self._reply(200, {"Plaintext": b64encode(plain).decode()})
        except InvalidTag:
            self._reply(400, {"__type": "InvalidCiphertextException"})

    def _reply(self, status: int, answer: dict[str, Any]) -> None:
        content = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def holder(monkeypatch: pytest.MonkeyPatch) -> Iterator[ServiceKey]:
    """A key of a service that runs."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    with HTTPServer(("127.0.0.1", 0), Service) as server:
        thread = Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield ServiceKey(key="alias/crownkeep", region="eu-central-1", endpoint=f"http://127.0.0.1:{server.server_port}")
        server.shutdown()
        thread.join()


def test_a_sealing_key_that_a_service_wraps_opens_and_is_rotated(holder: ServiceKey, tmp_path: Path) -> None:
    data = tmp_path / "data"
    before = data_directory.prepare(Settings(data=str(data))).keyring

    sealing_key_file.hold_key(data, holder)
    lies_open = data_directory.key_holder(data) is None
    opened = data_directory.load_keyring(data)
    sealing_key_file.hold_key(data, None)

    assert (False, before.keys) == (lies_open, opened.keys)
    assert (None, before.keys) == (data_directory.key_holder(data), data_directory.load_keyring(data).keys)


def test_a_rotation_asks_the_holder_once_and_not_in_each_of_its_steps(holder: ServiceKey, tmp_path: Path) -> None:
    data = tmp_path / "data"
    data_directory.prepare(Settings(data=str(data)))
    sealing_key_file.hold_key(data, holder)
    Service.asked_for.clear()

    ended = Terminal({"CROWNKEEP_DATA": str(data)})("keys", "rotate", "--wait", "0", "--json")

    # The command opens the keys; then they are opened again, wrapped with the new one, and what was wrapped is tried.
    assert (0, ["Decrypt", "Decrypt", "Encrypt", "Decrypt"]) == (ended.code, Service.asked_for)
    assert data_directory.load_keyring(data).newest.id == ended.json()["sealing_key_id"]


def test_what_was_wrapped_opens_with_that_key_alone_and_unchanged(holder: ServiceKey, tmp_path: Path) -> None:
    data = tmp_path / "data"
    data_directory.prepare(Settings(data=str(data)))
    sealing_key_file.hold_key(data, holder)
    text = (data / "sealing.key").read_text()

    for changed, says in (
        (text.replace("alias/crownkeep", "alias/another"), "was refused: InvalidCiphertextException"),
        (text.replace("http://127.0.0.1:", "http://127.0.0.1:1"), "can't be used"),
        (text[:-20], "it is a damaged wrapped key"),
        (text.replace("wrapped-key/1", "wrapped-key/2"), "it was wrapped by a newer version"),
    ):
        (data / "sealing.key").write_text(changed)
        with pytest.raises(UnusableDataDirectory, match=says):
            data_directory.load_keyring(data)


def test_a_key_that_cannot_be_wrapped_stays_as_it_is(holder: ServiceKey, tmp_path: Path) -> None:
    data = tmp_path / "data"
    data_directory.prepare(Settings(data=str(data)))
    before = (data / "sealing.key").read_text()

    with pytest.raises(UnusableKeyHolder, match="can't be used"):
        sealing_key_file.hold_key(data, ServiceKey(key="k", region="eu-central-1", endpoint="http://127.0.0.1:9"))
    with pytest.raises(UnusableKeyHolder, match="too long"):
        key_files.wrap("x" * 5000, holder, lambda: Secret(""))

    assert before == (data / "sealing.key").read_text()


def test_a_key_that_is_handed_in_is_not_wrapped_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = tmp_path / "data"
    data_directory.prepare(Settings(data=str(data)))
    monkeypatch.setenv(SEALING_KEY_VARIABLE, (data / "sealing.key").read_text())
    (data / "sealing.key").unlink()

    ended = Terminal({"CROWNKEEP_DATA": str(data)})("keys", "wrap", "--kms", "alias/crownkeep")

    assert (1, True) == (ended.code, "wrap it where it is a file" in ended.err), ended.err


def test_a_backup_is_restored_with_the_wrapped_key_file(holder: ServiceKey, tmp_path: Path) -> None:
    data, crownkeep = tmp_path / "data", Terminal({"CROWNKEEP_DATA": str(tmp_path / "data")})
    assert 0 == crownkeep("backup", "create", "--to", str(tmp_path / "shelf")).code
    sealing_key_file.hold_key(data, holder)

    key = str(data / "sealing.key")
    ended = crownkeep("backup", "restore", str(tmp_path / "shelf"), "--data", str(tmp_path / "new"), "--sealing-key", key)

    assert (0, "") == (ended.code, ended.err)
    assert data_directory.load_keyring(data).keys == data_directory.load_keyring(tmp_path / "new").keys


def test_a_token_without_its_driver_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pkcs11", None)

    with pytest.raises(UnusableKeyHolder, match=r"tokens need their driver: run .* 'crownkeep\[pkcs11\]'"):
        key_files.wrap("", TokenKey(module="m", token="t", key="k"), lambda: Secret("1"))
