"""Receivers of an account's alerts as the operator adds them: they hear at once, and nobody of the account can remove them."""

from __future__ import annotations

from collections.abc import Sequence

from crownkeep.alerts import receivers, webhooks
from crownkeep.alerts.receivers import WantedReceiver
from crownkeep.credentials.secret import Secret
from crownkeep.operations.call import NOTHING, Call, Result
from crownkeep.operations.registry import Effect, Mode, everything
from crownkeep.services.operator import known_accounts
from crownkeep.services.operator.service import operator
from crownkeep.storage.notices import alert_receivers
from crownkeep.storage.notices.alert_receivers import HMAC, AlertReceiverRow


@operator.operation("CreateAlertReceiver", resource=everything, effect=Effect.STATE)
def create_alert_receiver(
    call: Call,
    *,
    account_id: str,
    channel: str,
    target: str,
    rules: Sequence[str] = (),
    signing: str = HMAC,
    quiet_from: str = "",
    quiet_until: str = "",
) -> Result:
    """Add a receiver of an account's alerts; its secret is shown once."""
    known_accounts.recorded_and_held(call, account_id)
    wanted = WantedReceiver(channel, target, tuple(rules), signing, quiet_from, quiet_until)
    row, secret = receivers.add(call, account_id, wanted)
    return _with_secret(row, secret) | {"receiver": receivers.described(call, row)}


@operator.operation("ListAlertReceivers", resource=everything)
def list_alert_receivers(call: Call, *, account_id: str) -> Result:
    """Return an account's receivers."""
    known_accounts.recorded(call, account_id)
    return {"receivers": [receivers.described(call, row) for row in alert_receivers.of_account(call.db, account_id)]}


@operator.operation("RotateAlertReceiverSecret", resource=everything, effect=Effect.STATE)
def rotate_alert_receiver_secret(call: Call, *, account_id: str, receiver_id: str) -> Result:
    """Give a webhook a new secret, shown once; for a day both sign."""
    known_accounts.recorded_and_held(call, account_id)
    return _with_secret(*receivers.rotate(call, account_id, receiver_id))


@operator.operation("EnableAlertReceiver", resource=everything, effect=Effect.STATE)
def enable_alert_receiver(call: Call, *, account_id: str, receiver_id: str) -> Result:
    """Send to a receiver again that was disabled."""
    known_accounts.recorded_and_held(call, account_id)
    receivers.enable(call, account_id, receiver_id)
    return NOTHING


@operator.operation("DeleteAlertReceiver", resource=everything, effect=Effect.STATE)
def delete_alert_receiver(call: Call, *, account_id: str, receiver_id: str) -> Result:
    """Remove a receiver, whoever has added it."""
    known_accounts.recorded_and_held(call, account_id)
    receivers.remove(call, account_id, receiver_id)
    return NOTHING


@operator.operation("TestAlertReceiver", resource=everything, effect=Effect.STATE, mode=Mode.WRITE)
def test_alert_receiver(call: Call, *, account_id: str, receiver_id: str) -> Result:
    """Send a test to a receiver."""
    known_accounts.recorded_and_held(call, account_id)
    return {"notice_id": receivers.test(call, account_id, receiver_id)}


def _with_secret(row: AlertReceiverRow, secret: Secret | None) -> dict[str, object]:
    result: dict[str, object] = {"id": row.receiver_id}
    # HMAC's secret is shared, so that it must be told, once. Of a key pair the public half alone leaves the server.
    if secret is not None and row.signing == HMAC:
        result["secret"] = secret.reveal()
    elif secret is not None:
        result["public_key"] = webhooks.public_key(secret)
    return result
