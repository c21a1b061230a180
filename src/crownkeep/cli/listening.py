"""The socket that a service manager listens on for the server (sd_listen_fds(3)): its port is open before and between starts."""

from __future__ import annotations

import os
import socket

import click

_FIRST = 3
_VARIABLES = ("LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES")


def inherited() -> socket.socket | None:
    """Return the listening socket that was handed to this process, None where there is none; raises ClickException.

    The variables are taken away, so that no process started from here takes its own descriptors for sockets.
    """
    process, count, _ = (os.environ.pop(name, "") for name in _VARIABLES)
    if process != str(os.getpid()) or not count.isdecimal() or int(count) == 0:
        return None
    if int(count) > 1:
        raise click.ClickException(
            f"the service manager hands over {int(count)} sockets, and one is served: leave one in the unit"
        )
    try:
        found = socket.socket(fileno=_FIRST)
        is_fit = found.family in (socket.AF_INET, socket.AF_INET6) and found.type == socket.SOCK_STREAM
        is_fit = is_fit and bool(found.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN))
    except OSError as error:
        raise click.ClickException(f"what the service manager hands over is no socket: {error.strerror}") from error
    if not is_fit:
        found.detach()
        raise click.ClickException("what the service manager hands over does not listen for TCP: use `ListenStream=ADDRESS:PORT`")
    os.set_inheritable(_FIRST, False)
    found.setblocking(False)
    return found
