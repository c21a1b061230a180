"""What a server says when it starts."""

from __future__ import annotations

import msgspec

from crownkeep import clock
from crownkeep.cli import banner
from crownkeep.cli.banner import StartFacts
from crownkeep.settings import Settings

FACTS = StartFacts("PostgreSQL", "crownkeep.internal/trail/0123", "1a2b3c4d")
SAFE = Settings(smtp_host="mail.example", mail_from="a@b.example", trail_policy="/etc/crownkeep/policy")


def test_the_banner_says_where_data_is_and_what_is_enforced_and_no_password():
    chosen = Settings(data="/srv/crown", database="postgresql://crown:hunter2@db/crown", root_mfa_grace_days=3)

    said = banner.text(chosen, FACTS)

    assert all(text in said for text in ("/srv/crown (PostgreSQL)", "crownkeep.internal/trail/0123", "1a2b3c4d", "after 3 days"))
    assert "hunter2" not in said


def test_the_banner_says_where_traces_leave_for_and_is_silent_where_none_do():
    traced = msgspec.structs.replace(SAFE, traces_endpoint="http://127.0.0.1:4318", traces_ratio=0.1)

    assert "traces            of 10% of all requests, to http://127.0.0.1:4318/v1/traces\n" in banner.text(traced, FACTS)
    assert "traces" not in banner.text(SAFE, FACTS)


def test_the_banner_warns_of_what_is_unsafe_and_of_nothing_else(monkeypatch):
    monkeypatch.setattr(clock, "is_synchronised", lambda: True)

    assert [] == list(banner.warnings(SAFE))
    unsafe = list(banner.warnings(Settings(host="0.0.0.0", public_url="http://crown.example")))
    assert ["plain HTTP", "mail is wr", "nobody els"] == [each[:10] for each in unsafe]
    monkeypatch.setattr(clock, "is_synchronised", lambda: False)
    assert 1 == len(list(banner.warnings(SAFE)))
