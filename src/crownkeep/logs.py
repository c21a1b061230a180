"""Logs: one line an event, as text for people or as JSON for machines; never a parameter, never a secret."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime

from crownkeep.settings import Settings

_STANDARD = frozenset(logging.LogRecord("", 0, "", 0, "", (), None).__dict__) | {
    "message",
    "asctime",
    "taskName",
    "color_message",
}


class JsonFormatter(logging.Formatter):
    """One JSON object a line: time, level, logger, message, and whatever the call added by `extra`."""

    def format(self, record: logging.LogRecord) -> str:
        """Write one record."""
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        line.update({name: value for name, value in record.__dict__.items() if name not in _STANDARD})
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)


class TextFormatter(logging.Formatter):
    """Lines for people. What strangers sent may stand in them, and must not drive the terminal that shows them."""

    def format(self, record: logging.LogRecord) -> str:
        """Write one record; what is no visible character is a question mark."""
        text = super().format(record)
        return "".join(each if each.isprintable() or each in "\n\t" else "?" for each in text)


def configure(settings: Settings) -> None:
    """Send every log line to standard error, in the form and from the level that the settings say."""
    stream = logging.StreamHandler(sys.stderr)
    if settings.log_format == "json":
        stream.setFormatter(JsonFormatter())
    else:
        stream.setFormatter(TextFormatter("%(asctime)s %(levelname)-7s %(name)s: %(message)s"))
    logging.basicConfig(level=settings.log_level.upper(), handlers=[stream], force=True)
    for noisy in ("alembic", "uvicorn.access", "uvicorn.error"):
        logging.getLogger(noisy).setLevel(max(logging.WARNING, logging.getLogger().level))
