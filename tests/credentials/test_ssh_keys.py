"""SSH public keys come in two encodings and are the same key in both."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.services.iam.making_certificates import pem, rsa_key, ssh_line

from crownkeep.credentials import ssh_keys

CUT = "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQDKFYhB0SHsqc5Uv1zQUtZ3RLNhYv8kQwJ8K9rHJf5BMWq4zGqEvrIkf2sDH3GB8f0kQnWn1xFcZb3F"


def test_both_encodings_are_the_same_key():
    line, text = ssh_line(rsa_key()), pem(rsa_key())

    assert ssh_keys.read(line) == ssh_keys.read(text) == ssh_keys.read(f"\n{line} somebody@somewhere with words\n")
    assert (line, text) == (ssh_keys.read(text).ssh, ssh_keys.read(line).pem)


def test_a_cut_key_is_invalid_and_not_unknown():
    with pytest.raises(ssh_keys.InvalidKey):
        ssh_keys.read(CUT)


@given(st.text() | st.binary().map(lambda some: some.decode("latin-1")))
def test_no_text_whatever_makes_reading_fail_in_another_way(text: str):
    for candidate in (text, f"ssh-rsa {text}", f"-----BEGIN PUBLIC KEY-----\n{text}\n-----END PUBLIC KEY-----"):
        with pytest.raises((ssh_keys.UnknownEncoding, ssh_keys.InvalidKey)):
            ssh_keys.read(candidate)
