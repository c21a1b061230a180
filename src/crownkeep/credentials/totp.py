"""Time-based one-time codes: RFC 6238 with SHA-1, six digits and 30-second steps, and AWS's measured rules around it.

The rules of windows, single use and attempts are those that were measured on AWS: enrolment and resynchronisation accept
two consecutive codes from 998 steps ago to 1,000 ahead; afterwards a code counts within two steps of the device's own
clock, once, and a device may be tried nine times in each three minutes of UTC. Beyond AWS's: after nine codes in a row that
were wrong each further try waits longer.
"""

import base64
import binascii
import io
import re
from dataclasses import dataclass, replace
from datetime import datetime
from hmac import compare_digest, digest
from urllib.parse import quote

from crownkeep.credentials.secret import Secret

SEED_SIZE = 40
"""Random bytes of a seed: 64 base32 characters, as AWS's."""

STEP = 30
"""Seconds of one step."""

WINDOW = 2
"""Steps around the device's clock within which a code counts."""

ATTEMPTS = 9
"""Codes that may be tried on a device in each span of ATTEMPTS_SPAN seconds of UTC."""

ATTEMPTS_SPAN = 180

LONGEST_WAIT = 5
"""Spans that a device waits at most for its next try: a quarter of an hour."""

_FORGOTTEN_AFTER = 40
"""Spans without a try (two hours) after which wrong codes in a row are forgotten; longer than any wait."""

_BEFORE, _AFTER = 998, 1000
_MOST_COUNTED = 1_000_000
# Used steps are remembered beyond the window, so that a clock set back does not make their codes good again.
_REMEMBERED = 120
_CODE = re.compile(r"[0-9]{6}")


@dataclass(frozen=True, slots=True)
class DeviceState:
    """What must be kept of a device beside its seed."""

    drift: int = 0
    """Steps by which the device's clock is ahead of ours."""
    used: tuple[int, ...] = ()
    """Steps whose codes were accepted lately, by the device's clock."""
    span: int = 0
    """The span of time that `attempts` counts in."""
    attempts: int = 0
    failures: int = 0
    """Wrong codes in a row, over all spans: who goes on guessing waits longer and longer."""


class CodeRefused(ValueError):
    """A code was not accepted. `state` is to be stored all the same: it counts the attempt."""

    def __init__(self, message: str, state: DeviceState) -> None:
        super().__init__(message)
        self.state = state


class InvalidCode(CodeRefused):
    """The code is wrong, was used before, or belongs to another time."""


class TooManyAttempts(CodeRefused):
    """The device was tried too often; even the right code is refused until a later span. Such a try is not counted."""


def enrol(seed: bytes, code1: str, code2: str, *, now: datetime) -> DeviceState:
    """Start a device with two consecutive codes, the second being the latest; learn how far its clock is off.

    The codes stay good for one use each, as on AWS. Raises InvalidCode.
    """
    return _synchronised(seed, DeviceState(), code1, code2, now)


def resync(seed: bytes, state: DeviceState, code1: str, code2: str, *, now: datetime) -> DeviceState:
    """Learn anew how far a device's clock is off, from two consecutive codes neither of which was used before.

    Raises InvalidCode or TooManyAttempts.
    """
    return _synchronised(seed, _attempted(state, now), code1, code2, now)


def verify(seed: bytes, state: DeviceState, code: str, *, now: datetime) -> DeviceState:
    """Verify a code (RFC 6238) within WINDOW steps of the device's clock, and use it up.

    Returns the state to store; an unused code older than the last one is still good within the window. Raises
    InvalidCode or TooManyAttempts, which carry the state to store.
    """
    tried = _attempted(state, now)
    centre = _step(now) + state.drift
    matching = []
    # Every step is computed and compared, so that the time of the answer does not tell which of them matched.
    for step in range(centre - WINDOW, centre + WINDOW + 1):
        # Compared although it was used: whether it was must not show in how long it takes.
        if _same(code_at(seed, step), code) and step not in state.used:
            matching.append(step)
    # A code that is right and used before is refused in the same words: the difference would confirm a code that was read over
    # a shoulder.
    if not matching:
        raise InvalidCode("the code is wrong, was used before, or belongs to another time", _failed(tried))
    # Only what could come back is remembered: steps near the clock, on both sides.
    kept = (step for step in state.used if abs(step - centre) <= _REMEMBERED)
    return replace(tried, used=(*kept, *matching), failures=0)


def code_at(seed: bytes, step: int) -> str:
    """Return the code of a step (RFC 4226, section 5.3); steps before the epoch have none, and return an empty text."""
    if step < 0:
        return ""
    # RFC 6238 allows others; authenticator apps agree on this one alone.
    mac = digest(seed, step.to_bytes(8, "big"), "sha1")
    offset = mac[19] & 0xF
    return f"{(int.from_bytes(mac[offset : offset + 4], 'big') & 0x7FFFFFFF) % 1_000_000:06}"


def seed_text(seed: bytes) -> Secret:
    """Spell a seed as authenticator apps take it: base32 without padding."""
    return Secret(base64.b32encode(seed).decode().rstrip("="))


def read_seed(text: str) -> bytes:
    """Read a seed spelled in base32, whatever its case, spacing and padding; raises ValueError.

    At least 16 bytes are asked for (RFC 4226, section 4, R6) and at most 64, the longest HMAC-SHA-1 uses unhashed.
    """
    compact = "".join(text.split()).replace("-", "").upper().rstrip("=")
    try:
        # Padding is put back, which people leave out.
        seed = base64.b32decode(compact + "=" * (-len(compact) % 8))
    except (binascii.Error, ValueError) as error:
        raise ValueError("the seed is not base32: use A to Z and 2 to 7") from error
    if not 16 <= len(seed) <= 64:
        raise ValueError(f"the seed has {len(seed)} bytes: use 16 to 64")
    return seed


def provisioning_uri(seed: bytes, *, device_name: str, owner: str, issuer: str | None = None) -> Secret:
    """Build what the QR code says: `otpauth://totp/DEVICE@OWNER?secret=SEED` (API_CreateVirtualMFADevice).

    `owner` is the user's name or the account id; `issuer` names the service in the app's list.
    """
    label = quote(f"{device_name}@{owner}", safe="@")
    suffix = f"&issuer={quote(issuer, safe='')}" if issuer else ""
    return Secret(f"otpauth://totp/{label}?secret={seed_text(seed).reveal()}{suffix}")


def qr_png(uri: Secret) -> bytes:
    """Draw the QR code as a PNG, about 250 pixels wide."""
    import segno

    picture = io.BytesIO()
    segno.make(uri.reveal(), error="m", micro=False).save(picture, kind="png", scale=4, border=4)
    return picture.getvalue()


def qr_svg(uri: Secret) -> str:
    """Draw the QR code as an SVG element to put into a page, without inline style.

    It stays black on white on dark pages too: many cameras read no inverted codes.
    """
    import segno

    svg: str = segno.make(uri.reveal(), error="m", micro=False).svg_inline(
        scale=4, border=4, dark="#000", light="#fff", svgclass="qr", lineclass=None, omitsize=True
    )
    return svg


def _synchronised(seed: bytes, state: DeviceState, code1: str, code2: str, now: datetime) -> DeviceState:
    current = _step(now)
    found: list[int] = []
    previous = _same(code_at(seed, current - _BEFORE), code1)
    for step in range(current - _BEFORE + 1, current + _AFTER + 2):
        code = code_at(seed, step)
        # `&` and not `and`, so that every code is compared whatever came before.
        fits = previous & _same(code, code2)
        if fits and step not in state.used and step - 1 not in state.used:
            found.append(step)
        previous = _same(code, code1)
    if not found:
        raise InvalidCode("these are not two consecutive codes of the device", _failed(state))
    # Of several that fit by chance, the one that needs the smallest correction of the clock.
    return replace(state, drift=min((step - current for step in found), key=abs), failures=0)


def wait_after(failures: int) -> int:
    """Return how many spans must pass after so many wrong codes in a row until the next may be tried."""
    # Doubled with each further failure, up to LONGEST_WAIT; the inner bound keeps the shift small.
    return 0 if failures < ATTEMPTS else min(LONGEST_WAIT, 1 << min(failures - ATTEMPTS, 8))


def _attempted(state: DeviceState, now: datetime) -> DeviceState:
    span = int(now.timestamp()) // ATTEMPTS_SPAN
    # Nodes' clocks differ: a try that seems to be of the span before is one more of this span. A state from beyond that is what a
    # clock leaves behind that was set back, and keeps nobody out.
    last = state.span if state.span <= span + 1 else span - LONGEST_WAIT
    failures = state.failures if span - last < _FORGOTTEN_AFTER else 0
    attempts = state.attempts if span <= last else 0
    if attempts >= ATTEMPTS or span < last + wait_after(failures):
        raise TooManyAttempts("the device was tried too often: wait", state)
    return replace(state, span=max(span, last), attempts=attempts + 1, failures=failures)


def _failed(state: DeviceState) -> DeviceState:
    return replace(state, failures=min(state.failures + 1, _MOST_COUNTED))


def _step(now: datetime) -> int:
    return int(now.timestamp()) // STEP


def _same(code: str, typed: str) -> bool:
    # Other scripts' digits are no code, and an empty code of a step before 1970 never equals one.
    return _CODE.fullmatch(typed) is not None and compare_digest(code.encode(), typed.encode())
