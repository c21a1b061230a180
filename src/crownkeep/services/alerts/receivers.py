"""Receivers of an account's alerts."""

from __future__ import annotations

from collections.abc import Sequence

from crownkeep.alerts import receivers, webhooks
from crownkeep.alerts.receivers import WantedReceiver
from crownkeep.credentials.secret import Secret
from crownkeep.operations.call import NOTHING, Call, Result
from crownkeep.operations.registry import Effect, Mode, everything
from crownkeep.services.alerts.service import alerts, by_member
from crownkeep.storage.notices import alert_receivers
from crownkeep.storage.notices.alert_receivers import HMAC, AlertReceiverRow


@alerts.operation("CreateAlertReceiver", resource=everything, effect=Effect.STATE)
def create_alert_receiver(
    call: Call,
    *,
    channel: str,
    target: str,
    rules: Sequence[str] = (),
    signing: str = HMAC,
    quiet_from: str = "",
    quiet_until: str = "",
) -> Result:
    """Add a receiver, which hears nothing until it is confirmed; its secret is shown once."""
    wanted = WantedReceiver(channel, target, tuple(rules), signing, quiet_from, quiet_until)
    row, secret = receivers.add(call, call.account_id, wanted)
    return _with_secret(call, row, secret)


@alerts.operation("ListAlertReceivers", resource=everything)
def list_alert_receivers(call: Call) -> Result:
    """Return the account's receivers."""
    found = alert_receivers.of_account(call.db, call.account_id)
    return {"Receivers": [by_member(receivers.described(call, row)) for row in found]}


@alerts.operation("ConfirmAlertReceiver", resource=everything, effect=Effect.STATE)
def confirm_alert_receiver(call: Call, *, receiver_id: str, code: str) -> Result:
    """Confirm a receiver with the code that was sent to it."""
    row = receivers.confirm(call, call.account_id, receiver_id, code)
    return {"Receiver": by_member(receivers.described(call, row))}


@alerts.operation("RotateAlertReceiverSecret", resource=everything, effect=Effect.STATE)
def rotate_alert_receiver_secret(call: Call, *, receiver_id: str) -> Result:
    """Give a webhook a new secret, shown once; for a day both sign."""
    return _with_secret(call, *receivers.rotate(call, call.account_id, receiver_id))


@alerts.operation("EnableAlertReceiver", resource=everything, effect=Effect.STATE)
def enable_alert_receiver(call: Call, *, receiver_id: str) -> Result:
    """Send to a receiver again that was disabled."""
    row = receivers.enable(call, call.account_id, receiver_id)
    return {"Receiver": by_member(receivers.described(call, row))}


@alerts.operation("DeleteAlertReceiver", resource=everything, effect=Effect.STATE)
def delete_alert_receiver(call: Call, *, receiver_id: str) -> Result:
    """Remove a receiver that the account has added."""
    receivers.remove(call, call.account_id, receiver_id)
    return NOTHING


@alerts.operation("TestAlertReceiver", resource=everything, effect=Effect.STATE, mode=Mode.WRITE)
def test_alert_receiver(call: Call, *, receiver_id: str) -> Result:
    """Send a test to a receiver."""
    return {"NoticeId": receivers.test(call, call.account_id, receiver_id)}


def _with_secret(call: Call, row: AlertReceiverRow, secret: Secret | None) -> Result:
    result: dict[str, object] = {"Receiver": by_member(receivers.described(call, row))}
    if secret is not None and row.signing == HMAC:
        result["Secret"] = secret.reveal()
    elif secret is not None:
        result["PublicKey"] = webhooks.public_key(secret)
    return result
