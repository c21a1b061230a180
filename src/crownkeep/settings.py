"""Configuration, read once: from flags, then `CROWNKEEP_*` variables, then files, then what is written here.

Files are read where only the operator writes: in /etc/crownkeep and the data directory, or where `--config` says. One in the
current directory is not read: whoever can put it there would say which database and whose proxies are believed.
"""

from __future__ import annotations

import ipaddress
import logging
import os
import re
import tomllib
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec

ENVIRONMENT_PREFIX = "CROWNKEEP_"
FILE_NAME = "crownkeep.toml"
SYSTEM_DIRECTORY = Path("/etc/crownkeep")
SEALING_KEY_VARIABLE = "CROWNKEEP_SEALING_KEY"
"""Holds the text of a key file where an orchestrator hands it in; no setting, so that nothing prints it."""

PIN_VARIABLE = "CROWNKEEP_SEALING_PIN"
"""Holds the PIN of the token that has wrapped the sealing key; as above."""

CONFIG_VARIABLE = "CROWNKEEP_CONFIG"
"""The file that `--config` names, for this process and those that it starts."""

_log = logging.getLogger("crownkeep")
_DATA = "~/.local/share/crownkeep"


class InvalidSettings(Exception):
    """A setting that can't be used; the message says which, and what to do."""


class RegisteredService(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A service that the operator runs: policies may name it, its actions and its condition keys."""

    principal: str
    """Such as `deploy.corp.example`."""
    prefix: str = ""
    """What its actions and condition keys begin with, such as `deploy`; none where it has no actions."""
    condition_keys: tuple[str, ...] = ()


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Every setting with its default. docs/reference/settings.md describes each; a test holds it to this list."""

    data: str = _DATA
    database: str = ""
    host: str = "127.0.0.1"
    port: int = 4747
    workers: int = 1
    connections: int = 10_000
    connections_per_address: int = 500
    connection_idle_seconds: int = 75
    request_head_seconds: int = 20
    request_body_seconds: int = 60
    public_url: str = ""
    trusted_proxies: tuple[str, ...] = ()
    log_format: str = "text"
    log_level: str = "info"
    slow_request_milliseconds: int = 1_000
    traces_endpoint: str = ""
    traces_ratio: float = 1.0
    traces_from_proxies: bool = False
    argon2_memory_kib: int = 19_456
    argon2_iterations: int = 2
    argon2_lanes: int = 1
    argon2_threads: int = 2
    unattributed_records_per_second: int = 20
    requests_per_second_of_account: int = 2_000
    requests_per_second_of_principal: int = 1_000
    accounts_per_organization: int = 10
    tls_certificate: str = ""
    tls_key: str = ""
    session_idle_minutes: int = 60
    sign_in_attempts: int = 5
    sign_in_longest_delay_seconds: int = 900
    root_mfa_grace_days: int = 0
    root_needs_phishing_resistant_mfa: bool = False
    root_key_level: str = ""
    root_key_models: tuple[str, ...] = ()
    custodian_key_level: str = ""
    custodian_key_models: tuple[str, ...] = ()
    token_check_out_hours: int = 24
    smtp_host: str = ""
    smtp_port: int = 587
    smtp_security: str = "starttls"
    smtp_username: str = ""
    smtp_password_file: str = ""
    mail_from: str = ""
    trail_delivery_seconds: int = 300
    trail_digest_seconds: int = 3_600
    alert_networks: tuple[str, ...] = ()
    alert_spool: str = ""
    audit_every_days: int = 92
    identity_provider_networks: tuple[str, ...] = ()
    identity_provider_certificates: str = ""
    services: tuple[RegisteredService, ...] = ()
    trail_policy: str = ""
    trail_checkpoint_file: str = ""
    trail_checkpoint_url: str = ""
    trail_checkpoint_mail: str = ""
    trail_witness_seconds: int = 10
    trail_sealed_directory: str = ""
    trail_seal_after_days: int = 0
    trail_withhold_after_days: int = 0
    replica_directory: str = ""
    replica_seconds: int = 60

    @property
    def data_directory(self) -> Path:
        """The directory that holds the database, the sealing key, the operator's token and the outbox."""
        return Path(self.data).expanduser()

    @property
    def database_url(self) -> str:
        """The database's URL: SQLite in the data directory unless another is set."""
        return self.database or f"sqlite:///{self.data_directory / 'crownkeep.db'}"

    @property
    def spool_directory(self) -> Path:
        """The directory of the folders that alerts are written into as files: in the data directory unless another is set."""
        return Path(self.alert_spool).expanduser() if self.alert_spool else self.data_directory / "spool"

    @property
    def sealed_directory(self) -> Path:
        """The directory that the files of the trail's sealed months are in: in the data directory unless another is set."""
        return Path(self.trail_sealed_directory).expanduser() if self.trail_sealed_directory else self.data_directory / "sealed"

    @property
    def replica_place(self) -> Path | None:
        """The directory that a copy of the embedded database is kept in, None where there is to be none."""
        return Path(self.replica_directory).expanduser() if self.replica_directory else None

    @property
    def traces_url(self) -> str:
        """Where spans are posted to: OTLP's usual path, unless the endpoint has one."""
        has_path = urlsplit(self.traces_endpoint).path.strip("/")
        return self.traces_endpoint if has_path else f"{self.traces_endpoint.rstrip('/')}/v1/traces"

    @property
    def url(self) -> str:
        """Where people and clients reach this server, without a slash at the end."""
        if self.public_url:
            return self.public_url.rstrip("/")
        scheme = "https" if self.tls_certificate else "http"
        if self.host in _THIS_COMPUTER:
            # By its name: passkeys are bound to names, and to no address.
            return f"{scheme}://localhost:{self.port}"
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{scheme}://{host}:{self.port}"


def load(
    flags: Mapping[str, object] | None = None,
    *,
    environment: Mapping[str, str] | None = None,
    system: Path = SYSTEM_DIRECTORY,
) -> Settings:
    """Read the settings; raises InvalidSettings with one sentence that names the setting and where it was set."""
    variables = os.environ if environment is None else environment
    given: dict[str, Any] = {}
    for name in Settings.__struct_fields__:
        if name in _TABLES:
            continue
        text = variables.get(ENVIRONMENT_PREFIX + name.upper())
        if text is not None:
            given[name] = [part.strip() for part in text.split(",") if part.strip()] if name in _LISTS else text
    given.update({name: value for name, value in (flags or {}).items() if value is not None})
    named = variables.get(CONFIG_VARIABLE)
    values = (_from_file(Path(named), is_needed=True) if named else _from_usual_files(given, system)) | given
    try:
        settings = msgspec.convert(values, Settings, strict=False)
    except msgspec.ValidationError as error:
        raise InvalidSettings(f"{_wrong(str(error), values)}; docs/reference/settings.md says what it may be") from error
    _check(settings)
    return settings


def _wrong(fault: str, values: Mapping[str, object]) -> str:
    """Say of a conversion's fault, such as "Expected `int`, got `str` - at `$.port`", which setting it is about."""
    about = re.search(r"(?:at `\$\.|unknown field `)(\w+)", fault)
    if about is None:
        return f"a setting is wrong: {fault}"
    name = about[1]
    return f"setting `{name}` is `{values[name]}`" if name in Settings.__struct_fields__ else f"there is no setting `{name}`"


def _from_usual_files(given: Mapping[str, Any], system: Path) -> dict[str, Any]:
    """Read the system's file, and over it the one in the data directory."""
    values = _from_file(system / FILE_NAME)
    beside = Path(str(given.get("data", values.get("data", _DATA)))).expanduser() / FILE_NAME
    own = _from_file(beside)
    if "data" in own:
        raise InvalidSettings(f"`{beside}` names a data directory, but is found by it: name it by `--data` or CROWNKEEP_DATA")
    _warn_of_another(system / FILE_NAME, beside)
    return values | own


def _from_file(path: Path, *, is_needed: bool = False) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InvalidSettings(f"`{path}` is not valid TOML: {error}; correct it or remove it") from error
    except OSError as error:
        # That a data directory can't be entered is said by whoever needs it.
        if is_needed or not isinstance(error, FileNotFoundError | NotADirectoryError | PermissionError):
            raise InvalidSettings(f"`{path}` can't be read: {error.strerror}; name another with `--config`") from error
        return {}


@cache
def _warn_of_another(*read: Path) -> None:
    """Name a file that somebody may expect to be read; once, though commands read settings twice."""
    with suppress(OSError):
        here = Path.cwd() / FILE_NAME
        if here.is_file() and not any(each.exists() and each.samefile(here) for each in read):
            _log.warning(
                "`%s` is not read: say `--config %s`, or put it into %s or the data directory", here, here, read[0].parent
            )


# Addresses under which a browser on this computer reaches the server as `localhost`.
_THIS_COMPUTER = ("127.0.0.1", "::1", "0.0.0.0", "::")  # noqa: S104 - compared, and listened on only where the operator says so
# Settings that are lists: a variable has their entries with commas between them.
_NETWORKS = ("trusted_proxies", "identity_provider_networks", "alert_networks")
_MODELS = ("root_key_models", "custodian_key_models")
_LISTS = (*_NETWORKS, *_MODELS)
# Settings that are tables of the file, and no variable could hold.
_TABLES = ("services",)
# What a number may be, both ends included.
_RANGES: dict[str, tuple[float, float]] = {
    "port": (0, 65_535),
    "smtp_port": (1, 65_535),
    "workers": (1, 64),
    "connections": (1, 1_000_000),
    "connections_per_address": (1, 1_000_000),
    "connection_idle_seconds": (1, 3_600),
    "request_head_seconds": (1, 600),
    "request_body_seconds": (1, 600),
    "slow_request_milliseconds": (0, 3_600_000),
    "traces_ratio": (0, 1),
    "argon2_memory_kib": (8, 4_194_304),
    "argon2_iterations": (1, 100),
    "argon2_lanes": (1, 16),
    "argon2_threads": (1, 64),
    "unattributed_records_per_second": (0, 10_000),
    "requests_per_second_of_account": (0, 1_000_000),
    "requests_per_second_of_principal": (0, 1_000_000),
    "accounts_per_organization": (1, 50_000),
    "session_idle_minutes": (1, 720),
    "sign_in_attempts": (1, 100),
    "sign_in_longest_delay_seconds": (1, 3_600),
    "root_mfa_grace_days": (0, 365),
    "token_check_out_hours": (1, 8_760),
    "audit_every_days": (0, 366),
    "trail_witness_seconds": (1, 86_400),
    "trail_delivery_seconds": (1, 86_400),
    "trail_digest_seconds": (1, 86_400),
    "trail_seal_after_days": (0, 36_500),
    "trail_withhold_after_days": (0, 36_500),
    "replica_seconds": (1, 86_400),
}
FIDO_LEVELS = ("", "L1", "L1+", "L2", "L2+", "L3", "L3+")
_CHOICES = {
    "log_format": ("text", "json"),
    "log_level": ("debug", "info", "warning", "error"),
    "smtp_security": ("starttls", "tls", "none"),
    "root_key_level": FIDO_LEVELS,
    "custodian_key_level": FIDO_LEVELS,
}
_AAGUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def _check(settings: Settings) -> None:
    for name, (least, most) in _RANGES.items():
        value = getattr(settings, name)
        if not least <= value <= most:
            raise InvalidSettings(f"setting `{name}` is `{value}`; give a number from {least} to {most}")
    for name, choices in _CHOICES.items():
        if getattr(settings, name) not in choices:
            raise InvalidSettings(f"setting `{name}` is `{getattr(settings, name)}`; give one of {', '.join(choices)}")
    for name in _NETWORKS:
        for network in getattr(settings, name):
            _check_network(name, network)
    for name in _MODELS:
        for model in getattr(settings, name):
            if not _AAGUID.fullmatch(model):
                raise InvalidSettings(f"setting `{name}` is no list of AAGUIDs in lower case: `{model}`")
    if settings.public_url:
        _check_public_url(settings.public_url)
    if settings.traces_endpoint:
        _check_traces_endpoint(settings.traces_endpoint)
    if bool(settings.tls_certificate) != bool(settings.tls_key):
        raise InvalidSettings("settings `tls_certificate` and `tls_key` go together; set both or neither")
    if bool(settings.smtp_username) != bool(settings.smtp_password_file):
        raise InvalidSettings("settings `smtp_username` and `smtp_password_file` go together; set both or neither")
    if settings.trail_checkpoint_mail and not _MAILBOX.fullmatch(settings.trail_checkpoint_mail):
        raise InvalidSettings("setting `trail_checkpoint_mail` is no e-mail address; give one such as `trail@acme.example`")
    if settings.replica_place is not None:
        _check_replica(settings, settings.replica_place)
    if settings.smtp_username and settings.smtp_security == "none":
        raise InvalidSettings("setting `smtp_username` sends a password: set `smtp_security` to starttls or tls")


def _check_replica(settings: Settings, place: Path) -> None:
    if not settings.database_url.startswith("sqlite:///"):
        raise InvalidSettings("setting `replica_directory` copies the embedded database: PostgreSQL has standbys of its own")
    if place.resolve().is_relative_to(settings.data_directory.resolve()):
        raise InvalidSettings("setting `replica_directory` is inside the data directory, and would be lost with it")


_MAILBOX = re.compile(r"[!-?A-~]{1,64}@[A-Za-z0-9.-]{1,190}")
_HOST_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?|\[[0-9A-Fa-f:.]{2,45}\]")


def _check_public_url(url: str) -> None:
    """Refuse an address that browsers and clients could not follow: links, cookies and passkeys are made of it."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        port, parts = None, urlsplit("")
    host = parts.netloc.removesuffix("" if port is None else f":{port}")
    beyond = parts.path.strip("/") or parts.query or parts.fragment
    if parts.scheme not in ("http", "https") or not _HOST_NAME.fullmatch(host) or beyond:
        raise InvalidSettings(
            f"setting `public_url` is `{url}`; give `https://HOST` or `https://HOST:PORT`, with no path behind it"
        )


def _check_traces_endpoint(url: str) -> None:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        port, parts = None, urlsplit("")
    # No name and password: the exporter's log lines hold the address.
    host = parts.netloc.removesuffix("" if port is None else f":{port}")
    if parts.scheme not in ("http", "https") or not _HOST_NAME.fullmatch(host) or parts.query or parts.fragment:
        raise InvalidSettings("setting `traces_endpoint` is no address of a collector; give one such as `http://127.0.0.1:4318`")


def as_variables(settings: Settings) -> dict[str, str]:
    """Return the variables that say these settings to another process, but for tables, which it reads from the same file."""
    values = {name: getattr(settings, name) for name in Settings.__struct_fields__ if name not in _TABLES}
    return {
        ENVIRONMENT_PREFIX + name.upper(): ",".join(value) if isinstance(value, tuple) else str(value)
        for name, value in values.items()
    }


def unknown_variables(environment: Mapping[str, str] | None = None) -> list[str]:
    """Return the variables that look like a setting and are none, sorted: a misspelt one would silently leave the default."""
    names = (name for name in Settings.__struct_fields__ if name not in _TABLES)
    settings = {CONFIG_VARIABLE, SEALING_KEY_VARIABLE, PIN_VARIABLE, *(ENVIRONMENT_PREFIX + name.upper() for name in names)}
    given = os.environ if environment is None else environment
    return sorted(name for name in given if name.startswith(ENVIRONMENT_PREFIX) and name not in settings)


def _check_network(name: str, text: str) -> None:
    try:
        ipaddress.ip_network(text)
    except ValueError as error:
        raise InvalidSettings(f"setting `{name}` holds `{text}`, which is no network; write it like `10.0.0.0/8`") from error
