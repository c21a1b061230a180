"""What pages for custodians share: calls as nobody, since a key says who is there, and what a browser asks a key for."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from starlette.requests import Request

from crownkeep.console.kit import web
from crownkeep.operations.call import Request as Asked
from crownkeep.principals import Anonymous
from crownkeep.signin import acting

LONGEST = 16_384
"""Characters of a key's answer that are read."""
_TIMEOUT = 300_000


async def call(request: Request, operation: str, parameters: Mapping[str, object]) -> Mapping[str, Any]:
    """Call an operation of custodians; raises what it refuses with."""
    here = web.of(request)
    # As nobody, whoever is signed in at this browser: the key decides, and the record names its owner.
    answer = await here.door.invoke(Asked(acting.find("approvals", operation), parameters, Anonymous(), here.origin, here.now))
    if answer.error is not None:
        raise answer.error
    return answer.result


def options(challenge: str, party: str, keys: tuple[str, ...]) -> str:
    """Return what a browser asks a key for, as JSON: any key of ours, or one of these."""
    # None at all lets the browser offer every key that it has for this name (WebAuthn, "discoverable credentials").
    allowed = [{"type": "public-key", "id": key} for key in keys]
    wanted = {
        "challenge": challenge,
        "rpId": party,
        "timeout": _TIMEOUT,
        "userVerification": "required",
        "allowCredentials": allowed,
    }
    return json.dumps(wanted)
