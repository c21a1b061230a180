"""Outbound web identities: tokens by which an account's identities prove to others who they are, and where their keys are."""

from __future__ import annotations

from crownkeep.settings import Settings

PATH = "/outbound-identity"
"""Under which each account's issuer has its discovery document and its keys (OpenID Connect Discovery 1.0, section 4)."""


def issuer(settings: Settings, issuer_id: str) -> str:
    """Answer an account's issuer, as its tokens name it in `iss`."""
    return f"{settings.url}{PATH}/{issuer_id}"
