"""The threat model is held to the tests: what it names is tried, and what sign-in must withstand is named."""

from __future__ import annotations

import re

import pytest
from tests.house.source import ROOT

PAGE = (ROOT / "docs/threat-model.md").read_text()
TESTS = [
    name
    for path in sorted((ROOT / "tests").rglob("test_*.py"))
    for name in re.findall(r"^def (test_\w+)\(", path.read_text(), re.MULTILINE)
]
NAMED = re.findall(r"`(test_\w+)`", PAGE)

SIGN_IN = (
    "csrf",
    "session_fixation",
    "open_redirect",
    "clickjacking",
    "host_header",
    "cookie_tossing",
    "response_splitting",
    "totp_replay",
    "totp_brute_force",
    "webauthn_forgery",
    "webauthn_wrong_challenge",
    "webauthn_cloned_counter",
    "timing_of_unknown",
    "link_reuse",
    "link_expiry",
    "oversized_forms",
)
"""What a sign-in must withstand, each with tests of its name."""


@pytest.mark.parametrize("prefix", sorted(set(NAMED)))
def test_a_test_that_the_threat_model_names_exists(prefix: str):
    assert any(name.startswith(prefix) for name in TESTS), f"no test begins with `{prefix}`"


@pytest.mark.parametrize("threat", SIGN_IN)
def test_every_threat_to_sign_in_is_tried_and_named(threat: str):
    tried = any(threat in name for name in TESTS)
    named = any(threat in name for name in NAMED) or any(f"test_{threat}".startswith(name) for name in NAMED)

    assert (True, True) == (tried, named)


def test_every_row_of_the_threat_model_names_a_test():
    rows = [line for line in PAGE.partition("## Sign-in")[2].splitlines() if line.startswith("| ")]
    threats = [line for line in rows if not line.startswith("| Threat") and "`test_" not in line]

    assert [] == threats
