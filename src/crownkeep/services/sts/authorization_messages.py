"""DecodeAuthorizationMessage: asked for like any operation, but no refusal of ours comes encoded.

AWS hands encoded messages out only where a service's own API adds one to its refusals, as EC2 does (STS API reference,
DecodeAuthorizationMessage). The services that are served here are not among them: their refusals say in plain words which kind
of policy decided. So no message can be one of ours, and each gets AWS's error for a message that was not issued.
"""

from __future__ import annotations

from crownkeep import errors
from crownkeep.operations.call import Call, Result
from crownkeep.operations.registry import everything
from crownkeep.services.sts.service import sts


@sts.operation("DecodeAuthorizationMessage", resource=everything)
def decode_authorization_message(call: Call, *, encoded_message: str) -> Result:
    """Refuse the message: none was ever issued here."""
    raise errors.InvalidAuthorizationMessage("Message is not valid")
