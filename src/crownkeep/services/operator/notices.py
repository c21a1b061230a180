"""Notices that wait in the outbox, as the operator sees them: why they have not left yet, and what they say."""

from __future__ import annotations

from crownkeep import errors
from crownkeep.alerts import messages, sealed_outbox
from crownkeep.credentials.sealing import Unsealable
from crownkeep.operations import registry
from crownkeep.operations.call import Call, Result
from crownkeep.services.operator import list_pages
from crownkeep.services.operator.service import operator
from crownkeep.storage.notices import outbox
from crownkeep.storage.notices.outbox import NoticeRow


@operator.operation("ListNotices", resource=registry.everything)
def list_notices(call: Call, *, max_results: int = list_pages.MOST_ROWS, next_token: str | None = None) -> Result:
    """Return the notices that wait, in the order they were written."""
    found, following = list_pages.page(
        call, outbox.page, next_token, max_results, list_name="ListNotices", key=lambda row: row.notice_id
    )
    return {"notices": [_describe(row) for row in found], **following}


@operator.operation("GetNotice", resource=registry.everything)
def get_notice(call: Call, *, notice_id: str) -> Result:
    """Return a notice that waits as the message that it will be; it may hold a one-time link."""
    row = outbox.with_id(call.db, notice_id)
    # A notice without a recipient stands for nobody (`signin.recovery`), and must look like none at all.
    if row is None or not row.recipient:
        raise errors.ResourceNotFound(f"no notice `{notice_id}` waits; `crownkeep mail list` shows those that do")
    try:
        values = sealed_outbox.read(call.keyring, row)
    except Unsealable as error:
        raise errors.Conflict(
            f"notice `{notice_id}` was sealed with a key that is gone; put it back into the key file"
        ) from error
    message = messages.compose(
        row.kind, row.recipient, values, notice_id=row.notice_id, written_at=row.created_at, settings=call.settings
    )
    return {**_describe(row), "message": message.as_string()}


def _describe(row: NoticeRow) -> dict[str, object]:
    described: dict[str, object] = {
        "notice_id": row.notice_id,
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
