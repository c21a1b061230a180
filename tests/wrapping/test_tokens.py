"""The sealing key wrapped by a key in a PKCS#11 token, which is SoftHSM's here: a server starts with it, and not without."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pkcs11
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.cli.conftest import Terminal
from tests.credentials.hostile import edited

from crownkeep import data_directory
from crownkeep.credentials.secret import Secret
from crownkeep.data_directory import UnusableDataDirectory
from crownkeep.settings import PIN_VARIABLE
from crownkeep.wrapping import key_files, pins
from crownkeep.wrapping.faults import UnusableKeyHolder
from crownkeep.wrapping.key_files import WrappedKeyFile
from crownkeep.wrapping.tokens import TokenKey

pytestmark = pytest.mark.nightly

MODULE = "/usr/lib/softhsm/libsofthsm2.so"
PIN = "31415926"
KEY_FILE = "a key file\n"
LABELS = {"token": "vault", "key": "edited"}
WRITTEN = WrappedKeyFile(format="crownkeep-wrapped-key/1", holder=TokenKey(module=MODULE, **LABELS), wrapped=bytes(40)).encode()


@pytest.fixture(scope="module", autouse=True)
def token(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A token `vault`, of this module's own."""
    folder = tmp_path_factory.mktemp("softhsm")
    (folder / "tokens").mkdir()
    (folder / "softhsm2.conf").write_text(f"directories.tokendir = {folder}/tokens\nlog.level = ERROR\n")
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("SOFTHSM2_CONF", str(folder / "softhsm2.conf"))
        command = ["softhsm2-util", "--init-token", "--free", "--label", "vault", "--pin", PIN, "--so-pin", "27182818"]
        subprocess.run(command, check=True, capture_output=True)
        yield


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Where the data directory is, or will be."""
    return tmp_path / "data"


@pytest.fixture
def crownkeep(data: Path, monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """Run commands in this test's data directory."""
    monkeypatch.setenv(PIN_VARIABLE, PIN)
    return Terminal({"CROWNKEEP_DATA": str(data), "CROWNKEEP_ARGON2_MEMORY_KIB": "8", "CROWNKEEP_ARGON2_ITERATIONS": "1"})


def wrapped(crownkeep: Terminal, label: str) -> None:
    """Wrap the sealing key by a key of that label."""
    ended = crownkeep("keys", "wrap", "--pkcs11", MODULE, "--token", "vault", "--key", label)
    assert (0, "") == (ended.code, ended.err)


def test_a_wrapped_sealing_key_opens_with_the_token_and_is_on_no_disk(crownkeep: Terminal, data: Path) -> None:
    crownkeep("account", "create", "--email", "root@acme.example", "--name", "acme")
    before = data_directory.load_keyring(data)
    secret = (data / "sealing.key").read_text().splitlines()[-1].rpartition(" ")[2]

    wrapped(crownkeep, "first")

    assert before.keys == data_directory.load_keyring(data).keys
    assert secret not in "".join(file.read_text(errors="replace") for file in data.iterdir() if file.is_file())
    assert (0, 0) == (crownkeep("account", "list").code, crownkeep("doctor").code)


def test_a_rotated_key_is_wrapped_again_and_unwrapping_puts_it_on_the_disk(crownkeep: Terminal, data: Path) -> None:
    crownkeep("account", "list")
    wrapped(crownkeep, "second")

    assert 0 == crownkeep("keys", "rotate", "--wait", "0").code
    rotated = data_directory.load_keyring(data)
    holder = data_directory.key_holder(data)
    assert 0 == crownkeep("keys", "unwrap").code

    assert (2, "second") == (len(rotated.keys), getattr(holder, "key", ""))
    assert (rotated.keys, None) == (data_directory.load_keyring(data).keys, data_directory.key_holder(data))


def test_a_rotation_asks_for_the_pin_once_beyond_the_start_of_its_command(
    crownkeep: Terminal, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    crownkeep("account", "create", "--email", "root@acme.example", "--name", "acme")
    wrapped(crownkeep, "asked")
    asked, real = list[object](), pins.find
    monkeypatch.setattr(pins, "find", lambda *given, **rest: asked.append(given) or real(*given, **rest))

    ended = crownkeep("keys", "rotate", "--wait", "0", "--json")

    assert (2, 0) == (len(asked), ended.json()["unopenable"])
    assert data_directory.load_keyring(data).newest.id == ended.json()["sealing_key_id"]


def test_a_pin_comes_from_a_file_that_nobody_else_reads(crownkeep: Terminal, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    crownkeep("account", "list")
    wrapped(crownkeep, "third")
    monkeypatch.delenv(PIN_VARIABLE)

    with pytest.raises(UnusableDataDirectory, match="the token's PIN is nowhere"):
        data_directory.load_keyring(data)
    (data / "sealing.pin").write_text(f"{PIN}\n")
    (data / "sealing.pin").chmod(0o644)
    with pytest.raises(UnusableDataDirectory, match="others than its owner"):
        data_directory.load_keyring(data)
    (data / "sealing.pin").chmod(0o600)

    assert data_directory.load_keyring(data).keys


def test_each_thing_that_is_wrong_with_a_token_is_one_sentence(crownkeep: Terminal, data: Path, tmp_path: Path) -> None:
    crownkeep("account", "list")
    wrapped(crownkeep, "fourth")
    text = (data / "sealing.key").read_text()

    def says(changed: str, pin: str = PIN) -> str:
        (data / "sealing.pin").write_text(pin)
        (data / "sealing.pin").chmod(0o600)
        (data / "sealing.key").write_text(changed)
        ended = crownkeep("account", "list")
        assert (1, 1) == (ended.code, len(ended.err.splitlines())), ended.err
        return ended.err

    assert "the PIN is not that of the token `vault`" in says(text, "00000000")
    assert "there is no token `elsewhere`" in says(text.replace('"vault"', '"elsewhere"'))
    assert "has no key `gone`" in says(text.replace('"fourth"', '"gone"'))
    assert "can't be loaded as a PKCS#11 module" in says(text.replace(MODULE, str(tmp_path / "none.so")))
    wrapped_by_another = TokenKey(module=MODULE, token="vault", key="another")
    other = key_files.wrap("another key file\n", wrapped_by_another, lambda: data_directory.load_pin(data)).encode()
    assert "doesn't open the sealing key" in says(other.replace('"another"', '"fourth"'))
    (data / "sealing.key").write_text(text)
    assert 0 == crownkeep("account", "list").code


def test_the_wrapping_key_cannot_leave_the_token() -> None:
    holder = TokenKey(module=MODULE, token="vault", key="kept")
    with holder.opened(lambda: Secret(PIN)) as held:
        blob = held.wrap(b"text", b"context")

    with pkcs11.lib(MODULE).get_token(token_label="vault").open(user_pin=PIN) as session:
        key = next(iter(session.get_objects({pkcs11.Attribute.LABEL: "kept"})))
        assert (True, False) == (key[pkcs11.Attribute.SENSITIVE], key[pkcs11.Attribute.EXTRACTABLE])
        with pytest.raises(pkcs11.AttributeSensitive):
            key[pkcs11.Attribute.VALUE]
    with holder.opened(lambda: Secret(PIN)) as held:
        assert b"text" == held.unwrap(blob, b"context")
        with pytest.raises(UnusableKeyHolder, match="doesn't open"):
            held.unwrap(blob, b"another context")


def test_a_server_starts_with_the_token_alone(crownkeep: Terminal, data: Path) -> None:
    crownkeep("account", "create", "--email", "root@acme.example", "--name", "acme")
    wrapped(crownkeep, "served")
    command = [str(Path(sys.executable).with_name("crownkeep")), "account", "list", "--json"]
    environment = os.environ | {"CROWNKEEP_DATA": str(data), PIN_VARIABLE: PIN}

    with_pin = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    without = subprocess.run(command, env=environment | {PIN_VARIABLE: ""}, capture_output=True, text=True, check=False)

    assert (0, 1) == (with_pin.returncode, without.returncode), with_pin.stderr
    assert ("root@acme.example" in with_pin.stdout, "the token's PIN is nowhere" in without.stderr) == (True, True)


@given(data=st.data())
def test_a_wrapped_key_file_that_was_changed_opens_as_it_was_or_says_so(data: st.DataObject) -> None:
    made = key_files.wrap(KEY_FILE, TokenKey(module=MODULE, token="vault", key="edited"), lambda: Secret(PIN))
    blob = data.draw(st.one_of(edited(made.wrapped), st.binary(max_size=40)))
    labels = {each: data.draw(st.one_of(st.just(value), st.text(max_size=40))) for each, value in LABELS.items()}
    changed = WrappedKeyFile(format=made.format, holder=TokenKey(module=MODULE, **labels), wrapped=blob)
    found = KEY_FILE

    with suppress(UnusableKeyHolder):
        found = changed.open(lambda: Secret(data.draw(st.one_of(st.just(PIN), st.text(min_size=1, max_size=5)))))

    assert found == KEY_FILE


@given(text=st.one_of(edited(WRITTEN.encode()).map(lambda each: each.decode("utf-8", "replace")), st.text(max_size=60)))
def test_a_text_that_is_no_wrapped_key_file_is_an_open_one_or_damaged(text: str) -> None:
    with suppress(UnusableKeyHolder):
        found = key_files.read(text)
        assert found is None or found.format == "crownkeep-wrapped-key/1"
