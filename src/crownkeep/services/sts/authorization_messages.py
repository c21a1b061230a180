"""DecodeAuthorizationMessage: why a request was refused, for those who are allowed to know."""

from __future__ import annotations

from crownkeep import errors
from crownkeep.domain import authorization_messages
from crownkeep.operations.call import Call, Result
from crownkeep.operations.registry import everything
from crownkeep.services.sts.service import sts


@sts.operation("DecodeAuthorizationMessage", resource=everything)
def decode_authorization_message(call: Call, *, encoded_message: str) -> Result:
    """Open an encoded authorization message that a caller of this account was given."""
    try:
        message = authorization_messages.decode(call.keyring, encoded_message, account_id=call.account_id)
    except authorization_messages.NotAMessage as error:
        raise errors.InvalidAuthorizationMessage("Message is not valid") from error
    return {"DecodedMessage": message}
