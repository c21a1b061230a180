"""Programs as AWS's SDKs have them: botocore's own providers refresh and take roles with nothing but their configuration."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.credentials import SSOProvider
from botocore.session import Session
from botocore.tokens import SSOTokenProvider
from tests.fixtures.crown import Crowns
from tests.fixtures.portal import Portal

CONFIG = """
[sso-session acme]
sso_start_url = https://identitycenter.amazonaws.com/{instance}
sso_region = us-east-1
sso_registration_scopes = sso:account:access

[profile readers]
sso_session = acme
sso_account_id = {account}
sso_role_name = Readers
region = us-east-1
"""


def test_botocore_refreshes_its_token_and_takes_the_role(crowns: Crowns, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    portal = Portal(crowns.shared("sqlite"))
    program = portal.program()
    tokens = portal.tokens(portal.browser(), program)
    config = tmp_path / "config"
    config.write_text(CONFIG.format(instance=portal.sso.arn.rpartition("/")[2], account=portal.member.id))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    monkeypatch.setenv("AWS_ENDPOINT_URL", portal.crown.settings.url)
    cache = {hashlib.sha1(b"acme").hexdigest(): cached(portal, program, tokens)}

    session = Session(profile="readers")
    portal.crown.answer(session)
    refreshing = SSOTokenProvider(session, cache=cache, profile_name="readers")
    options: dict[str, Any] = {"cache": {}, "token_cache": cache, "token_provider": refreshing}
    taken = SSOProvider(lambda: session.full_config, session.create_client, "readers", **options).load().get_frozen_credentials()

    keys = {"AccessKeyId": taken.access_key, "SecretAccessKey": taken.secret_key, "SessionToken": taken.token}
    assert portal.member.id == portal.crown.session(keys, "sts").get_caller_identity()["Account"]
    assert [tokens["accessToken"]] != [each["accessToken"] for each in cache.values()]


def cached(portal: Portal, program: dict[str, str], tokens: dict[str, Any]) -> dict[str, Any]:
    """Return what `aws sso login` leaves in its cache, of a token that is about to expire."""
    now = datetime.now(UTC)
    return {
        "startUrl": f"https://identitycenter.amazonaws.com/{portal.sso.arn.rpartition('/')[2]}",
        "region": "us-east-1",
        "accessToken": tokens["accessToken"],
        "expiresAt": f"{now + timedelta(minutes=1):%Y-%m-%dT%H:%M:%SZ}",
        "refreshToken": tokens["refreshToken"],
        "registrationExpiresAt": f"{now + timedelta(days=80):%Y-%m-%dT%H:%M:%SZ}",
        **program,
    }
