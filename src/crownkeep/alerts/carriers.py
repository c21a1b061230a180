"""Carriers: how a notice leaves by its channel. Each call may take its time, and is made on a thread."""

from __future__ import annotations

import json
from collections.abc import Mapping

from crownkeep import clock
from crownkeep.alerts import apprise_services, messages, sealed_outbox, spool, syslog, webhooks
from crownkeep.alerts.channels import Channel
from crownkeep.alerts.undelivered import Undelivered
from crownkeep.credentials.sealing import Unsealable
from crownkeep.credentials.secret import Secret
from crownkeep.operations import sealed
from crownkeep.operations.call import Wiring
from crownkeep.storage.notices import outbox
from crownkeep.storage.notices.alert_receivers import AlertReceiverRow
from crownkeep.storage.notices.outbox import NoticeRow


class Carriers:
    """All channels of a process."""

    def __init__(self, wiring: Wiring, mail: Channel) -> None:
        self._wiring = wiring
        self._mail = mail

    def hand_over(self, row: NoticeRow, receiver: AlertReceiverRow | None) -> None:
        """Send a notice; raises Undelivered."""
        try:
            values = sealed_outbox.read(self._wiring.keyring, row)
        except Unsealable as error:
            raise Undelivered("it was sealed with a key that is gone") from error
        match row.channel:
            case outbox.WEBHOOK:
                self._post(row, values, receiver)
            case outbox.SYSLOG:
                self._log(row, values, receiver)
            case outbox.DIRECTORY:
                self._file(row, values, receiver)
            case outbox.APPRISE:
                self._push(row, values, receiver)
            case _:
                self._write(row, values)

    def _write(self, row: NoticeRow, values: Mapping[str, str]) -> None:
        message = messages.compose(
            row.kind,
            row.recipient,
            values,
            notice_id=row.notice_id,
            written_at=row.created_at,
            settings=self._wiring.settings,
        )
        self._mail.send(message, notice_id=row.notice_id, account_id=row.account_id)

    def _post(self, row: NoticeRow, values: Mapping[str, str], receiver: AlertReceiverRow | None) -> None:
        settings, to = self._wiring.settings, _required(receiver)
        # The attempt's time, not the notice's: receivers refuse what was signed long ago.
        now = clock.now()
        body = webhooks.body_of(row, values, settings.url)
        webhooks.send(to.target, row, body, self._secrets(to), now=now, networks=settings.alert_networks)

    def _log(self, row: NoticeRow, values: Mapping[str, str], receiver: AlertReceiverRow | None) -> None:
        settings = self._wiring.settings
        host = settings.url.partition("://")[2].partition(":")[0]
        syslog.send(_required(receiver).target, syslog.message(row, values, host), settings.alert_networks)

    def _file(self, row: NoticeRow, values: Mapping[str, str], receiver: AlertReceiverRow | None) -> None:
        settings = self._wiring.settings
        message_id = webhooks.message_id(row)
        said = json.loads(webhooks.body_of(row, values, settings.url))
        content = json.dumps({"id": message_id, **said}, ensure_ascii=False).encode() + b"\n"
        name = f"{row.created_at:%Y%m%dT%H%M%SZ}-{message_id}.json"
        spool.put(settings.spool_directory, _required(receiver).target, name, content)

    def _push(self, row: NoticeRow, values: Mapping[str, str], receiver: AlertReceiverRow | None) -> None:
        settings = self._wiring.settings
        title, body = messages.text(row.kind, values, settings)
        # The whole address of a service is its secret, since it holds the token; it has no former one.
        (url,) = self._secrets(_required(receiver))
        apprise_services.send(url, title, body, values.get("severity", ""), settings.alert_networks)

    def _secrets(self, receiver: AlertReceiverRow) -> list[Secret]:
        """Return what is sealed of a receiver: what signs its messages, for a day after a rotation by both; or its URL."""
        blobs = [receiver.sealed_secret]
        if receiver.former_until is not None and receiver.former_until > clock.now():
            blobs.append(receiver.sealed_former_secret)
        try:
            return [
                sealed.open_webhook_secret(
                    self._wiring.keyring, blob, account_id=receiver.account_id, receiver_id=receiver.receiver_id
                )
                for blob in blobs
                if blob is not None
            ]
        except Unsealable as error:
            raise Undelivered("the receiver's secret was sealed with a key that is gone; rotate it") from error


def _required(receiver: AlertReceiverRow | None) -> AlertReceiverRow:
    if receiver is None:
        raise Undelivered("the receiver was removed", is_gone=True)
    return receiver
