"""Members' root users, taken on in the console for one task: as a session of AssumeRoot, which nothing keeps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from crownkeep import errors
from crownkeep.credentials import session_tokens
from crownkeep.credentials.session_tokens import InvalidToken
from crownkeep.operations.invoke import Door
from crownkeep.signin import acting
from crownkeep.signin.acting import Actor

DELETE = "IAMDeleteRootUserCredentials"
ALLOW_RECOVERY = "IAMCreateRootUserPassword"

_SECONDS = 60
"""For as long as one page needs it."""


async def take_on(door: Door, actor: Actor, account_id: str, task: str) -> Actor:
    """Return a member's root user as who acts, for one task of the person who asks; raises what sts:AssumeRoot raises.

    The session is bound to the browser's session like everything else that its person does.
    """
    given = {
        "TargetPrincipal": account_id,
        "TaskPolicyArn": {"arn": f"arn:aws:iam::aws:policy/root-task/{task}"},
        "DurationSeconds": _SECONDS,
    }
    answered: Mapping[str, Any] = await acting.call(door, actor, "sts", "AssumeRoot", given)
    credentials = answered["Credentials"]
    try:
        claims = session_tokens.read(
            door.wiring.keyring, str(credentials["SessionToken"]), access_key_id=str(credentials["AccessKeyId"])
        )
    except InvalidToken as error:
        raise errors.ServiceUnavailable("The session's credentials can't be read.") from error
    return replace(actor, principal=replace(claims.principal, session=replace(claims.session, from_console=True)))
