"""What a running server takes up anew at SIGHUP: its TLS certificate, and how much it logs. Everything else wants a restart.

Several workers are restarted one after another instead, which is uvicorn's own answer to the signal; the port stays open.
"""

from __future__ import annotations

import logging
import os
import signal
import socket
import ssl
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from crownkeep import settings
from crownkeep.cli import failures
from crownkeep.logs import configure
from crownkeep.settings import InvalidSettings, Settings

if TYPE_CHECKING:
    import uvicorn

_TAKEN_UP = ("log_format", "log_level", "tls_certificate", "tls_key")
_log = logging.getLogger("crownkeep")


def require_usable_tls(chosen: Settings) -> None:
    """Raise WrongCall where the certificate or its key can't be used; uvicorn would say so by a traceback, and late."""
    if not chosen.tls_certificate:
        return
    for name in ("tls_certificate", "tls_key"):
        path = getattr(chosen, name)
        try:
            Path(path).read_bytes()
        except OSError as error:
            raise failures.WrongCall(f"setting `{name}` names `{path}`, which can't be read: {error.strerror}") from error
    try:
        _load(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), chosen)
    except (ssl.SSLError, ValueError) as error:
        reason = getattr(error, "reason", None) or str(error)
        raise failures.WrongCall(
            f"the certificate `{chosen.tls_certificate}` and the key `{chosen.tls_key}` can't be used ({reason}): give a PEM "
            "certificate chain and its unencrypted PEM key"
        ) from error


def on_hangup(config: uvicorn.Config, chosen: Settings, flags: Mapping[str, Any]) -> None:
    """Take settings up anew at each SIGHUP from now on, but where it means that a terminal was closed."""
    if sys.stdin is not None and sys.stdin.isatty():
        return
    signal.signal(signal.SIGHUP, lambda _number, _frame: take_up(config, chosen, flags))


def serve_by_workers(
    config: uvicorn.Config, listening: socket.socket, started: Settings, flags: Mapping[str, Any], environment: Mapping[str, str]
) -> None:
    """Serve with several processes. At SIGHUP they are restarted one after another, where the new ones will be able to start."""
    from uvicorn.supervisors import Multiprocess

    class Workers(Multiprocess):
        def handle_hup(self) -> None:
            chosen = _read(flags, environment, has_tls=bool(config.ssl_certfile))
            if chosen is None:
                # A worker that can't start would end them all.
                return
            config.ssl_certfile, config.ssl_keyfile = chosen.tls_certificate or None, chosen.tls_key or None
            taken = replace(started, **{name: getattr(chosen, name) for name in _TAKEN_UP})
            os.environ.update(settings.as_variables(taken))
            _say(chosen, started)
            self.restart_all()

    Workers(config, [listening]).run()


def take_up(config: uvicorn.Config, started: Settings, flags: Mapping[str, Any]) -> None:
    """Read settings and certificate again; what is wrong is logged, and everything stays as it was."""
    if not config.loaded:
        # It is about to read them.
        return
    chosen = _read(flags, None, has_tls=config.ssl is not None)
    if chosen is None:
        return
    if config.ssl is not None:
        # New handshakes have the new certificate; connections that are open go on.
        _load(config.ssl, chosen)
    _say(chosen, started)


def _read(flags: Mapping[str, Any], environment: Mapping[str, str] | None, *, has_tls: bool) -> Settings | None:
    """Return the settings as they are now; None, and a line in the log, where they can't be taken up."""
    try:
        chosen = settings.load(flags, environment=environment)
        if bool(chosen.tls_certificate) != has_tls:
            raise InvalidSettings("settings `tls_certificate` and `tls_key` can't be added or taken away without a restart")
        require_usable_tls(chosen)
    except (InvalidSettings, failures.WrongCall) as error:
        _log.error("settings are not taken up: %s", error)
        return None
    return chosen


def _say(chosen: Settings, started: Settings) -> None:
    configure(chosen)
    waiting = [name for name in Settings.__struct_fields__ if getattr(chosen, name) != getattr(started, name)]
    later = ", ".join(name for name in waiting if name not in _TAKEN_UP)
    _log.warning("settings are taken up%s", f"; these wait for a restart: {later}" if later else "")


def _load(context: ssl.SSLContext, chosen: Settings) -> None:
    # Without a password: asking for one would hold up a service that nobody watches.
    context.load_cert_chain(chosen.tls_certificate, chosen.tls_key, password="")
