"""Streams: reads that go on. The first page is an operation, decided and recorded; what follows must still be allowed.

    StreamEvents, recorded -> its page -> look, twice a second -> still allowed? -> the next page -> ...

A stream holds no transaction and no thread while it waits. It ends after an hour at the latest, as servers do, too: whoever reads
it connects again and says how far it came (server-sent events, HTML Standard 9.2).
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import msgspec

from crownkeep import clock, errors
from crownkeep.errors import AwsError
from crownkeep.operations import authorize
from crownkeep.operations.call import Call, Request, Wiring
from crownkeep.principals import Principal
from crownkeep.storage.database import Database, DatabaseFault, Transaction
from crownkeep.storage.recurring import rest
from crownkeep.storage.trail import leaves, reading

MOST = 64
"""Streams of one process; each looks at the database twice a second."""
MOST_OF_ACCOUNT = 8
LASTS = timedelta(hours=1)
HEADERS = {"content-type": "text/event-stream; charset=utf-8", "cache-control": "no-store", "x-accel-buffering": "no"}

_SECONDS_BETWEEN_LOOKS = 0.5
_LOOKS_BETWEEN_HEARTBEATS = 30
_RESTS = 3
"""How many times as long as a look took nobody looks after it: whoever reads all of a long trail holds up no requests."""
_PAGE = 100
_BEGINNING = b"retry: 2000\n\n"
_RECORD = "CloudTrailEvent"


def page(db: Transaction, account_id: str, *, after: int, newest: int, limit: int) -> dict[str, object]:
    """Return an account's events behind an index, and the index up to which that is all; what was withheld is left out."""
    lines = reading.of_account(db, account_id, after=after, limit=limit)
    found = [
        {"Index": index, "EventId": str(event_id), _RECORD: record.decode()}
        for index, event_id, record in lines
        if record is not None
    ]
    # A full page may not be the end; a shorter one is, and then the reader may go on from the newest index.
    return {"Events": found, "LastIndex": lines[-1][0] if len(lines) == limit else max(after, newest)}


class Streams:
    """The streams of one serving process."""

    def __init__(self, database: Database, wiring: Wiring) -> None:
        self._database = database
        self._wiring = wiring
        self._open: Counter[str] = Counter()
        self._ending = asyncio.Event()
        self._turn = asyncio.Lock()

    def end(self) -> None:
        """End all streams, for the server stops: an open one would keep it from that."""
        self._ending.set()

    async def follow(self, request: Request, begun: Mapping[str, Any]) -> AsyncGenerator[bytes]:
        """Yield the text of a stream, from the page that its request has been answered with.

        Raises Throttling, before it yields anything, where there are too many.
        """
        assert isinstance(request.caller, Principal)  # noqa: S101 - nobody else is allowed to begin one
        with self._place(request.caller.account_id):
            # The first page was decided on and recorded as an operation; what follows is asked about again each time.
            yield _BEGINNING + _written(begun)
            ends, last, looks = clock.now() + self._lasts(request), int(begun["LastIndex"]), 0
            while not self._ending.is_set() and clock.now() < ends:
                try:
                    found, newest = await self._in_turn(request, last)
                except AwsError as refusal:
                    yield _ending(refusal.code, refusal.message)
                    return
                last, looks = int(found["LastIndex"]), looks + 1
                if found["Events"] or looks % _LOOKS_BETWEEN_HEARTBEATS == 0:
                    yield _written(found)
                if last >= newest:
                    await rest(self._ending, _SECONDS_BETWEEN_LOOKS)

    async def _in_turn(self, request: Request, last: int) -> tuple[Mapping[str, Any], int]:
        """Look once the streams before have looked, and rest: together they take a part of the event loop's time, and no more."""
        async with self._turn:
            # Under a lock: however many streams there are, one of them looks at a time.
            began = clock.monotonic()
            try:
                return self._look(request, last)
            finally:
                await asyncio.sleep((clock.monotonic() - began) * _RESTS)

    def _lasts(self, request: Request) -> timedelta:
        """Return how long a stream lasts at most: of a browser, no longer than its session may go unused."""
        return LASTS if request.binding is None else min(LASTS, timedelta(minutes=self._wiring.settings.session_idle_minutes))

    def _look(self, request: Request, last: int) -> tuple[Mapping[str, Any], int]:
        """Return the next page and the newest index, if whoever asked may still ask; raises the AwsError of the refusal."""
        try:
            with self._database.snapshot() as db:
                account_id, newest = self._require_still(db, request), leaves.count(db) - 1
                return page(db, account_id, after=last, newest=newest, limit=_PAGE), newest
        except DatabaseFault as error:
            raise errors.ServiceUnavailable("The request has failed due to a temporary failure of the server.") from error

    def _require_still(self, db: Transaction, request: Request) -> str:
        caller, now = request.caller, clock.now()
        assert isinstance(caller, Principal)  # noqa: S101 - as above
        if caller.session is not None and now >= caller.session.expires_at:
            raise errors.ExpiredToken("The security token included in the request is expired")
        standing = self._wiring.standings.of(db, caller)
        principal = standing.vouch(db, caller)
        if request.binding is not None:
            request.binding.confirm(db)
        call = Call(db, standing.account_id, principal, now, request.origin, self._wiring, standing, binding=request.binding)
        # With the policies of now: a permission that was taken away ends the stream within half a second.
        authorize.require(call, request.operation, {})
        return standing.account_id

    @contextmanager
    def _place(self, account_id: str) -> Iterator[None]:
        # Checked before anything is sent: the generator raises on its first step, so the caller can still answer 503.
        if self._open[account_id] >= MOST_OF_ACCOUNT or self._open.total() >= MOST or self._ending.is_set():
            raise errors.Throttling("Rate exceeded")
        self._open[account_id] += 1
        try:
            yield
        finally:
            self._open[account_id] -= 1
            if not self._open[account_id]:
                del self._open[account_id]


def _written(found: Mapping[str, Any]) -> bytes:
    """Return a page as server-sent events; the index of the last is said even where nothing came, as a sign of life."""
    events: Sequence[Mapping[str, Any]] = found["Events"]
    parts = [f"id: {each['Index']}\ndata: {each[_RECORD]}\n\n" for each in events]
    return "".join([*parts, f":\nid: {found['LastIndex']}\n\n"]).encode()


def _ending(code: str, message: str) -> bytes:
    return b"event: end\ndata: " + msgspec.json.encode({"code": code, "message": message}) + b"\n\n"
