"""Which addresses beyond this house may be reached, by the rule alone (server-side request forgery)."""

from __future__ import annotations

import pytest

from crownkeep.domain.reach import may_reach


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.0.0.1",
        "169.254.169.254",
        "100.64.0.1",
        "192.0.0.9",
        "192.88.99.1",
        "224.0.0.1",
        "::1",
        "::",
        "fe80::1%eth0",
        "fc00::1",
        "fec0::1",
        "ff0e::1",
        "::ffff:10.0.0.1",
        "::ffff:0:8.8.8.8",
        "::ffff:0:169.254.169.254",
        "::8.8.8.8",
        "::169.254.169.254",
        "64:ff9b::169.254.169.254",
        "64:ff9b::10.0.0.1",
        "64:ff9b::127.0.0.1",
        "64:ff9b:1::808:808",
        "64:ff9b:1:ffff::a00:1",
        "2001::1",
        "2001:0:4136:e378:8000:63bf:3fff:fdd2",
        "2001:db8::1",
        "2002:a00:1::1",
        "2002:808:808::1",
        "3fff::1",
        "5f00::1",
        "100::1",
    ],
)
def test_ssrf_addresses_that_lead_elsewhere_than_to_the_internet_are_refused(address: str):
    assert not may_reach(address, [])


@pytest.mark.parametrize(
    "address", ["8.8.8.8", "1.1.1.1", "2606:4700:4700::1111", "2a00:1450:4001:80b::200e", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8"]
)
def test_addresses_of_the_internet_are_reached_by_whichever_way(address: str):
    assert may_reach(address, [])


@pytest.mark.parametrize(
    ("network", "address"),
    [
        ("10.0.0.0/8", "10.1.2.3"),
        ("10.0.0.0/8", "::ffff:10.1.2.3"),
        ("10.0.0.0/8", "64:ff9b::10.1.2.3"),
        ("64:ff9b:1::/48", "64:ff9b:1::a01:203"),
        ("fc00::/7", "fd12::1"),
    ],
)
def test_a_network_that_the_operator_names_is_reached(network: str, address: str):
    assert may_reach(address, [network])
