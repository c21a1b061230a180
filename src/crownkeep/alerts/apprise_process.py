"""The process that sends one message by apprise: it can reach no address inside, start nothing, and read no file of ours.

Apprise opens its connections itself, more than a hundred services each in its own way, so that `outbound` can't stand in between.
The interpreter's audit events can: a hook sees each connection before it is made, however it comes about, and can't be removed.
`apprise_services` starts this process with the request on its input; what became of it is the exit code.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from enum import IntEnum
from typing import Any

import crownkeep
from crownkeep.domain import reach


class AppriseOutcome(IntEnum):
    """What became of a message."""

    SENT = 0
    FAILED = 10
    MISSING = 11
    UNKNOWN_SERVICE = 12
    REFUSED = 13


class AuditHook:
    """An audit hook; once it has refused something, it says so."""

    def __init__(self, networks: Sequence[str]) -> None:
        self._networks = networks
        self._readable = tuple(os.path.realpath(each) + os.sep for each in _readable())
        self.has_refused = False

    def __call__(self, event: str, arguments: tuple[Any, ...]) -> None:
        """See an event before it happens; raises PermissionError for what must not."""
        if event in _CONNECTS:
            is_fine = self._may_reach(arguments[1])
        elif event == "open":
            is_fine = self._may_open(arguments[0], arguments[2])
        else:
            is_fine = event not in _NEVER
        if not is_fine:
            self.has_refused = self.has_refused or event in _CONNECTS
            raise PermissionError(f"refused: {event}")

    def _may_reach(self, address: object) -> bool:
        # A name would be resolved behind our back; sockets of this machine and raw ones have other addresses.
        match address:
            case (str() as host, int(), *_):
                try:
                    return reach.may_reach(host, self._networks)
                except ValueError:
                    return False
            case None:
                # A datagram on a socket that was connected before.
                return True
            case _:
                return False

    def _may_open(self, path: object, flags: int) -> bool:
        if isinstance(path, int):
            return True
        place = os.path.realpath(os.fsdecode(path))  # type: ignore[arg-type]  # a path, whatever its type
        return place == os.devnull or (not flags & _WRITING and place.startswith(self._readable))


_CONNECTS = {"socket.connect", "socket.sendto", "socket.sendmsg"}
_NEVER = {"os.exec", "os.fork", "os.forkpty", "os.posix_spawn", "os.system", "pty.spawn", "subprocess.Popen"}
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


def _readable() -> set[str]:
    """Return the folders that hold programs and what comes with the system."""
    ours = os.path.dirname(os.path.dirname(str(crownkeep.__file__)))
    return {sys.prefix, sys.base_prefix, ours, "/usr/lib", "/usr/share", "/etc/ssl", "/etc/pki", "/etc/mime.types"}


def send(url: str, title: str, body: str, kind: str, networks: Sequence[str]) -> AppriseOutcome:
    """Send a message to a service, and return what became of it."""
    try:
        from apprise import Apprise, AppriseAsset
    except ModuleNotFoundError:
        return AppriseOutcome.MISSING
    # Loads the modules of all services, which may have to be compiled and kept, before the hook is there.
    Apprise.instantiate("json://localhost")
    hook = AuditHook(networks)
    sys.addaudithook(hook)
    service = Apprise.instantiate(url, asset=AppriseAsset(storage_mode="memory", app_id="Crownkeep"))
    if service is None:
        return AppriseOutcome.UNKNOWN_SERVICE
    arrived = service.notify(title=title, body=body, notify_type=kind)
    if arrived:
        return AppriseOutcome.SENT
    return AppriseOutcome.REFUSED if hook.has_refused else AppriseOutcome.FAILED


if __name__ == "__main__":
    sys.exit(send(**json.load(sys.stdin)))
