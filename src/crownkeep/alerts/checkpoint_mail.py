"""Checkpoints by mail: a mailbox elsewhere is a witness, too, as whoever changes the trail can't take back what is there."""

from __future__ import annotations

from email.message import EmailMessage

from crownkeep import clock, ids
from crownkeep.alerts import messages
from crownkeep.alerts.channels import Channel
from crownkeep.alerts.undelivered import Undelivered
from crownkeep.settings import Settings

OPERATOR = "operator"


class CheckpointMail:
    """Sends checkpoints to the mailbox that `trail_checkpoint_mail` names."""

    def __init__(self, channel: Channel, settings: Settings) -> None:
        self._channel = channel
        self._settings = settings

    def send(self, note: str, size: int) -> None:
        """Send a checkpoint as an attachment; raises OSError where it does not leave."""
        message, now = EmailMessage(), clock.now()
        notice_id = str(ids.event_id(now, clock.id_bytes(10)))
        author = messages.sender(self._settings)
        message["From"] = author
        message["To"] = self._settings.trail_checkpoint_mail
        message["Subject"] = f"Checkpoint of the audit trail: {size} records"
        message["Date"] = now
        message["Message-ID"] = f"<{notice_id}@{author.domain}>"
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(
            f"The trail of {self._settings.url} has {size} records. Keep this message: with the attached checkpoint,\n"
            "`crownkeep trail verify --checkpoint FILE` finds whatever is changed or removed before it.\n"
        )
        message.add_attachment(note.encode(), maintype="application", subtype="octet-stream", filename=f"{size}.checkpoint")
        try:
            self._channel.send(message, notice_id=notice_id, account_id=OPERATOR)
        except Undelivered as error:
            raise OSError(str(error)) from error
