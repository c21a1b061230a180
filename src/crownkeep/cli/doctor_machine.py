"""Checks of the machine: who may use the files, the clock, the disk, the certificate, who can listen to the wire, and traces."""

from __future__ import annotations

import shutil
import socket
from datetime import timedelta
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

from crownkeep import clock, data_directory
from crownkeep.cli import extras
from crownkeep.cli.doctor_diagnosis import Diagnosis, Installation, advice, amiss, unseen, well

_LITTLE_ROOM = 1 << 30
_NO_ROOM = 256 << 20
_RENEW_BEFORE = timedelta(days=21)
_TOO_LATE = timedelta(days=7)
_SECONDS_FOR_COLLECTOR = 3


def permissions(found: Installation) -> Diagnosis:
    """Look at who may use the data directory and the files in it."""
    if not found.path.is_dir():
        return amiss(f"there is no data directory `{found.path}`", "name it with `--data`, or start the server, which makes it")
    missing = [] if (found.path / data_directory.OPERATOR_TOKEN).exists() else [data_directory.OPERATOR_TOKEN]
    key_file = data_directory.key_file(found.path)
    if key_file is not None and not key_file.exists():
        return amiss(
            f"`{found.path / data_directory.SEALING_KEY}` is missing", "put it back from its backup: no other opens the secrets"
        )
    wrong = data_directory.unsafe(found.path)
    if wrong:
        return amiss("; ".join(wrong), "change the modes as it says, then think of who may have read the files")
    if missing:
        return advice(f"`{missing[0]}` is missing", "start the server, which makes a new one")
    return well(f"only its owner may use `{found.path}` and what is in it")


def disk(found: Installation) -> Diagnosis:
    """Look at the room that is left where the data directory is."""
    # Before the first start there is no directory yet; its parent is on the same disk, unless somebody mounts one there.
    place = found.path if found.path.exists() else found.path.parent
    room = shutil.disk_usage(place)
    message = f"{room.free >> 20} MiB of {room.total >> 20} MiB are free for `{place}`"
    if room.free < _NO_ROOM:
        return amiss(message, "make room: without it nothing can be recorded, and so nothing is done")
    return advice(message, "make room before it runs out") if room.free < _LITTLE_ROOM else well(message)


def time(_found: Installation) -> Diagnosis:
    """Look at whether this machine's clock is kept right; the database's check compares it with the trail."""
    match clock.is_synchronised():
        case True:
            return well("the clock is synchronised")
        case False:
            return advice(
                "the kernel says that the clock is not synchronised",
                "run chrony or systemd-timesyncd: a signature may be 5 minutes off, a one-time code less",
            )
    return unseen("this system doesn't say whether its clock is synchronised")


def certificate(found: Installation) -> Diagnosis:
    """Look at the certificate that this server shows, and until when it holds."""
    from cryptography import x509

    settings = found.settings
    if not settings.tls_certificate:
        return unseen("no certificate is set: TLS, if any, ends at a proxy, which is to be looked at there")
    try:
        # The first of the file is the server's own (RFC 8446, 4.4.2); those behind it are its issuers'.
        leaf = x509.load_pem_x509_certificates(Path(settings.tls_certificate).read_bytes())[0]
        mode = Path(settings.tls_key).stat().st_mode
    except (OSError, ValueError) as error:
        return amiss(
            f"the certificate or its key can't be read ({type(error).__name__})",
            "set `tls_certificate` and `tls_key` to PEM files",
        )
    left, ends = leaf.not_valid_after_utc - found.now, f"{leaf.not_valid_after_utc:%Y-%m-%d}"
    if left < _TOO_LATE:
        return amiss(
            f"the certificate ends on {ends}" if left > timedelta() else f"the certificate ended on {ends}",
            "renew it, then restart",
        )
    if leaf.not_valid_before_utc > found.now:
        return amiss(f"the certificate holds only from {leaf.not_valid_before_utc:%Y-%m-%d}", "look at this machine's clock")
    if mode & 0o077:
        return amiss(f"others may read `{settings.tls_key}`", f"run `chmod 600 {settings.tls_key}`")
    return (
        advice(f"the certificate ends on {ends}", "renew it")
        if left < _RENEW_BEFORE
        else well(f"the certificate holds until {ends}")
    )


def wire(found: Installation) -> Diagnosis:
    """Look at whether passwords and tokens may travel in the clear."""
    return listens(found.settings.host, found.settings.url, has_tls=bool(found.settings.tls_certificate))


def listens(host: str, url: str, *, has_tls: bool) -> Diagnosis:
    """Say what an address that is listened on, and the one that people use, mean for what travels between them."""
    if has_tls:
        return well(f"TLS is spoken at {url}")
    if url.startswith("https:"):
        message = f"people reach {url} through a proxy, which speaks plain HTTP to `{host}`"
        return well(message) if _is_local(host) else advice(message, "listen on an address that the proxy alone reaches")
    if _is_local(host) and _is_local(url.split("://", 1)[1].rsplit(":", 1)[0].strip("[]")):
        return well("plain HTTP, for this machine alone")
    return amiss(
        f"plain HTTP at {url}: whoever is on the way reads passwords and tokens",
        "set `tls_certificate` and `tls_key`, or put a proxy before it and set `public_url` to its https address",
    )


def traces(found: Installation) -> Diagnosis:
    """Look at whether traces, where they are wanted, can be exported, and who can read them on their way."""
    url = found.settings.traces_endpoint
    if not url:
        return unseen("no traces are exported (`traces_endpoint`)")
    if not extras.can_export_traces():
        return amiss("traces are wanted, and what exports them isn't installed", f"run `{extras.INSTALL_TRACES}`")
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
    try:
        socket.create_connection((host, port), timeout=_SECONDS_FOR_COLLECTOR).close()
    except OSError as error:
        # Requests don't wait for it, so nothing else is amiss.
        reason = error.strerror or str(error)
        return advice(
            f"nobody listens at `{url}`, and traces are lost: {reason}", "start the collector, or unset `traces_endpoint`"
        )
    if parts.scheme == "http" and not _is_local(host):
        return advice(
            f"traces leave for `{url}` in the clear", "name the collector by an https address, or let it listen on this machine"
        )
    return well(f"traces of {found.settings.traces_ratio:.0%} of all requests leave for `{url}`")


def _is_local(host: str) -> bool:
    # No name is resolved: what one leads to is anybody's guess, but for the one name that means this machine (RFC 6761, 6.3).
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
