"""Secrets stay out of reprs, logs, encoders and pickles."""

import copy
import json
import pickle
from dataclasses import asdict, dataclass

import msgspec
import pytest

from crownkeep.credentials.secret import Secret


@dataclass(frozen=True)
class _Holder:
    secret: Secret


def test_a_secret_shows_only_a_mask() -> None:
    secret = Secret("hunter2")

    shown = f"{secret} {secret!r} {[secret]} {_Holder(secret)} %s" % secret

    assert "hunter2" not in shown
    assert "********" in shown


def test_a_secret_reveals_itself_when_asked() -> None:
    assert Secret("hunter2").reveal() == "hunter2"


def test_secrets_compare_by_value_and_only_with_secrets() -> None:
    assert Secret("a") == Secret("a")
    assert Secret("a") != Secret("b")
    assert Secret("é") == Secret("é")
    assert Secret("a") != "a"


@pytest.mark.parametrize("write", [pickle.dumps, copy.copy, copy.deepcopy, json.dumps, msgspec.json.encode])
def test_no_encoder_writes_a_secret_down(write: object) -> None:
    with pytest.raises(TypeError):
        write(Secret("hunter2"))  # type: ignore[operator]  # The parameters are plain functions of one argument.


def test_asdict_does_not_spell_a_secret_out() -> None:
    with pytest.raises(TypeError):
        asdict(_Holder(Secret("hunter2")))


def test_a_secret_is_no_dictionary_key() -> None:
    with pytest.raises(TypeError):
        hash(Secret("hunter2"))
