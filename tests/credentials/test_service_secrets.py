"""Secrets of services: their forms, and that nothing is kept that could be read back."""

from base64 import b64decode

import pytest

from crownkeep.credentials import service_secrets
from crownkeep.credentials.service_secrets import SERVICES

CHANCE = bytes(range(service_secrets.ENTROPY))


def test_the_second_user_name_is_told_from_the_first():
    names = [service_secrets.user_name("jane", "123456789012", slot=slot) for slot in range(2)]

    assert ["jane-at-123456789012", "jane+1-at-123456789012"] == names


def test_an_api_key_holds_its_public_part_and_a_secret():
    service = SERVICES["bedrock.amazonaws.com"]

    key = service_secrets.mint_api_key(service, "BedrockAPIKey-jane-at-123456789012", CHANCE).reveal()

    public, _, secret = b64decode(key.removeprefix("ABSK")).decode().partition(":")
    assert ("BedrockAPIKey-jane-at-123456789012", CHANCE) == (public, b64decode(secret))


def test_a_digest_tells_secrets_apart_and_is_none_of_them():
    first, second = (service_secrets.mint_password(bytes([number]) * service_secrets.ENTROPY) for number in (1, 2))

    assert service_secrets.digest(first) != service_secrets.digest(second)
    assert first.reveal() not in service_secrets.digest(first)


def test_too_little_chance_is_refused():
    with pytest.raises(ValueError, match="needs 32 random bytes, got 16"):
        service_secrets.mint_password(bytes(16))
