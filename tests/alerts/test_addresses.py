"""Addresses: what mail may be sent to, and what could be read as something else."""

from __future__ import annotations

from email import policy
from email.headerregistry import Address
from email.message import EmailMessage

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crownkeep.alerts import addresses

GOOD = ["root@acme.example", "a@b.co", "first.last+tag@sub.acme.example", "x_y-z@a-b.example", f"{'l' * 64}@acme.example"]

HOSTILE = [
    "",
    "root",
    "root@",
    "@acme.example",
    "root@localhost",
    "root@acme.example\r\nBcc: eve@evil.example",
    "root@acme.example\n",
    "root@acme.example,eve@evil.example",
    "root@acme.example;eve@evil.example",
    "root@acme.example eve@evil.example",
    "<root@acme.example>",
    "Root <root@acme.example>",
    '"quoted"@acme.example',
    "(comment)root@acme.example",
    "@relay.example:root@acme.example",
    "root@evil@acme.example",
    "root%evil.example@[127.0.0.1]",
    "root@[127.0.0.1]",
    "root@127.0.0.1",
    ".root@acme.example",
    "root.@acme.example",
    "ro..ot@acme.example",
    "root@-acme.example",
    "root@acme..example",
    "root@acme.example.",
    "rööt@acme.example",
    "root@äcme.example",
    "root\x00@acme.example",
    f"{'l' * 65}@acme.example",
    f"root@{'a.' * 130}example",
]


@pytest.mark.parametrize("address", GOOD)
def test_mail_is_sent_to_a_plain_address(address: str):
    assert addresses.is_deliverable(address)


@pytest.mark.parametrize("address", HOSTILE)
def test_mail_is_not_sent_to_what_can_be_misread(address: str):
    assert not addresses.is_deliverable(address)


@given(st.text(max_size=80) | st.from_regex(r"\A[!-~]{1,20}@[!-~]{1,20}\.[!-~]{1,5}\Z"))
def test_whatever_is_deliverable_is_one_recipient_in_a_header_and_stays_what_it_is(address: str):
    if not addresses.is_deliverable(address):
        return

    message = EmailMessage(policy=policy.SMTP)
    message["To"] = Address(addr_spec=address)

    assert [address] == [each.addr_spec for each in message["To"].addresses]
    assert 1 == message.as_bytes().count(b"\n", 0, message.as_bytes().index(b"\r\n\r\n") + 2)
