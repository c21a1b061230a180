"""Logs: one line an event, as text for people or as JSON for machines; never a parameter, never a secret."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime

from crownkeep import clock
from crownkeep.settings import Settings

STRANGERS = "crownkeep.strangers"
"""The logger for whatever people without credentials can bring about as often as they like."""

STORAGE = "crownkeep.storage"
"""The logger for changes that the database did not take: in an outage, every request is one."""

SLOW = "crownkeep.slow"
"""The logger for requests that took long: under load, that may be every one."""

LINES_AT_ONCE = 20
LINES_PER_SECOND = 0.2
"""Lines of one bounded logger: so many at once, then one in five seconds."""

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


class Rate(logging.Filter):
    """Lets lines through at a rate, so that nobody fills the disk; the next one that passes says how many did not."""

    def __init__(self, at_once: float = LINES_AT_ONCE, per_second: float = LINES_PER_SECOND) -> None:
        """Let so many pass at once, and after that so many a second."""
        super().__init__()
        self._at_once = at_once
        self._per_second = per_second
        self._left = at_once
        self._counted_at = clock.monotonic()
        self._withheld = 0

    def filter(self, record: logging.LogRecord) -> bool:
        """Tell whether a line is within the rate. Threads that log at the same moment may let one more pass."""
        now = clock.monotonic()
        self._left = min(self._at_once, self._left + (now - self._counted_at) * self._per_second)
        self._counted_at = now
        if self._left < 1:
            self._withheld += 1
            return False
        self._left -= 1
        if self._withheld:
            record.msg, record.args = f"{record.getMessage()} ({self._withheld} lines before it were left out)", ()
            self._withheld = 0
        return True


_OF_REQUESTS = ("crownkeep.operations", "crownkeep.signin", "crownkeep.alerts", "crownkeep.trail")
"""The loggers for faults that a tenant meets as often as it asks, such as a bucket that refuses; those of operations have
tracebacks."""
_OF_TRACES = ("opentelemetry.exporter.otlp.proto.http.trace_exporter", "opentelemetry.sdk._shared_internal")
"""The loggers that say each time that a collector took no spans, and that spans were dropped."""
_BOUNDED = {name: Rate() for name in (STRANGERS, "uvicorn.error", STORAGE, SLOW, *_OF_REQUESTS, *_OF_TRACES)}
"""What strangers, tenants and outages bring about; the server's own logger has the faults of pages, whoever asks for these."""


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
    for name, rate in _BOUNDED.items():
        logging.getLogger(name).addFilter(rate)
