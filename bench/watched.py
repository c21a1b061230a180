"""A server that notes how long it has requests with a certain header, from when each was whole to when its answer leaves.

What a client sees beyond that is the machine: sockets, the scheduler, and the client itself. `python -m bench.watched serve ...`
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

from crownkeep.cli.main import main
from crownkeep.gateway.http import HttpRequest
from crownkeep.gateway.pipeline import Pipeline
from crownkeep.gateway.responses import Response

HEADER = b"x-watched"
FILE = "CROWNKEEP_BENCH_WATCHED"
"""The variable that names the file: a line for each request, when its answer left by the machine's clock, after how long, and
what the event loop had computed meanwhile, in seconds."""


def _watch(place: Path) -> None:
    # A line at a time, each written at once: a server that is told to end runs nothing at its exit.
    noted = place.open("w", buffering=1)
    take = Pipeline.take

    def timed(pipeline: Pipeline, http: HttpRequest, respond: Callable[[Response], None]) -> None:
        if HEADER not in http.headers:
            take(pipeline, http, respond)
            return
        # Both ends are on the event loop's thread: what it has computed in between is what was before this request in its line.
        began, computed = time.perf_counter(), time.thread_time()

        def answered(response: Response) -> None:
            ended, computing = time.perf_counter(), time.thread_time() - computed
            respond(response)
            noted.write(f"{ended} {ended - began} {computing}\n")

        take(pipeline, http, answered)

    Pipeline.take = timed  # type: ignore[method-assign,assignment]  # to measure it as it is, and with nothing of a bench's inside


if __name__ == "__main__":
    # The variable is ours and no setting: taken away before somebody wonders.
    _watch(Path(os.environ.pop(FILE)))
    main()
