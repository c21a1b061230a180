"""Letters that wait in the outbox, as the operator sees them: why they have not left yet, and what they say."""

from __future__ import annotations

from crownkeep import errors
from crownkeep.credentials.sealing import Unsealable
from crownkeep.domain import page_tokens
from crownkeep.notify import messages, outbox
from crownkeep.operations import registry
from crownkeep.operations.call import Call, Result
from crownkeep.services.operator.service import operator
from crownkeep.storage.notices import outbox as letters
from crownkeep.storage.notices.outbox import LetterRow

_PAGE = 100


@operator.operation("ListLetters", resource=registry.everything)
def list_letters(call: Call, *, max_results: int = _PAGE, next_token: str | None = None) -> Result:
    """Return the letters that wait, in the order they were written."""
    after = "" if next_token is None else page_tokens.read(call, next_token, list_name="ListLetters", filters=())
    found = letters.page(call.db, after=after, limit=max_results + 1)
    result: dict[str, object] = {"letters": [_describe(row) for row in found[:max_results]]}
    if len(found) > max_results:
        last = found[max_results - 1].letter_id
        result["next_token"] = page_tokens.write(call, last, list_name="ListLetters", filters=())
    return result


@operator.operation("GetLetter", resource=registry.everything)
def get_letter(call: Call, *, letter_id: str) -> Result:
    """Return a letter that waits as the message that it will be; it may hold a one-time link."""
    row = letters.with_id(call.db, letter_id)
    if row is None or not row.recipient:
        raise errors.ResourceNotFound(f"no letter `{letter_id}` waits; `crownkeep mail list` shows those that do")
    try:
        values = outbox.read(call.keyring, row)
    except Unsealable as error:
        raise errors.Conflict(
            f"letter `{letter_id}` was sealed with a key that is gone; put it back into the key file"
        ) from error
    message = messages.compose(
        row.kind, row.recipient, values, letter_id=row.letter_id, written_at=row.created_at, settings=call.settings
    )
    return {**_describe(row), "message": message.as_string()}


def _describe(row: LetterRow) -> dict[str, object]:
    described: dict[str, object] = {
        "letter_id": row.letter_id,
        "recipient": row.recipient,
        "kind": row.kind,
        "created_at": row.created_at,
        "due_at": row.due_at,
        "attempts": row.attempts,
    }
    if row.account_id:
        described["account_id"] = row.account_id
    if row.last_fault:
        described["last_fault"] = row.last_fault
    return described
