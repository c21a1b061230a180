"""`make bench-console`: what every page of the console costs with 10,000 users, 5,000 accounts and 200,000 events.

One browser asks for a page again and again over a connection that stays open; its session is that of an administrator. A time
is from the request's first byte to the answer's last, so it holds what the server does, the loopback and this client's reading:
about what the bare answer of the last line costs. `CPU` is what the server itself used, which a busy machine doesn't blur. The
benchmark fails where a page's p95 is above the limit; with ARGS="--cpu", on a machine that is busy with something else, where a
page's CPU time is. ARGS="--rounds 10" asks for each page less often, ARGS="--pages /console/access-keys" for those pages alone.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import boto3
from shared import every_page, furnished
from shared.furnished import Samples

from bench import load, populous, servers
from bench.browser import PASSWORD, Browser, token_in
from bench.requests import Signer
from bench.servers import Server
from crownkeep import models

ROUNDS = 40
LIMIT_MILLISECONDS = 60.0
SIGN_IN = "/signin?choose"


@dataclass(frozen=True, slots=True)
class Timed:
    """One page's times in milliseconds, in order, and the server's CPU time for one request."""

    address: str
    status: int
    kilobytes: float
    times: list[float]
    cpu: float

    def percentile(self, part: float) -> float:
        """Return the time that `part` (0 to 1) of the requests stayed below."""
        return self.times[min(len(self.times) - 1, int(len(self.times) * part))]


def main() -> int:
    """Measure every page, print the table, and fail where one is too slow."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cpu", action="store_true", help="hold the CPU time of a page to the limit, not its p95")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="how often each page is asked for")
    parser.add_argument("--pages", default="", help="only those whose address holds this text")
    options = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="crownkeep-bench-") as directory,
        servers.crownkeep(Path(directory), servers.UNLIMITED) as server,
    ):
        samples = _prepare(server)
        browser = Browser(server.port)
        browser.sign_in(samples.account, "admin")
        # A report that the page makes itself, so that the pages that read it have one to read.
        _, page = browser.ask("/console/credential-report")
        browser.ask("/console/credential-report", {"csrf": token_in(page)})
        sign_in = measure(server, Browser(server.port), SIGN_IN, options.rounds)
        wanted = [address for address in every_page.inside(samples) if options.pages in address]
        pages = [measure(server, browser, address, options.rounds) for address in wanted]
    with tempfile.TemporaryDirectory(prefix="crownkeep-bench-") as directory, servers.bare(Path(directory)) as server:
        bare = measure(server, Browser(server.port), "/", options.rounds)
    print(render(sign_in, pages, bare))
    # A file of all there is takes as long as there is much of it, and is no page.
    shown = [page for page in pages if not every_page.is_file(page.address)]
    slow = [page.address for page in shown if (page.cpu if options.cpu else page.percentile(0.95)) > LIMIT_MILLISECONDS]
    for address in slow:
        print(f"above {LIMIT_MILLISECONDS:.0f} ms: {address}")
    return 1 if slow else 0


def measure(server: Server, browser: Browser, address: str, rounds: int) -> Timed:
    """Ask for a page again and again."""
    status, text = browser.ask(address)
    times = []
    used = server.cpu_seconds()
    for _ in range(rounds):
        began = time.perf_counter()
        browser.ask(address)
        times.append((time.perf_counter() - began) * 1e3)
    cpu = (server.cpu_seconds() - used) / rounds * 1e3
    return Timed(address, status, len(text) / 1024, sorted(times), cpu)


def render(sign_in: Timed, pages: list[Timed], bare: Timed) -> str:
    """Return the table, the dearest page first."""
    head = f"{'page':74}{'status':>7}{'kB':>7}{'p50 ms':>8}{'p95 ms':>8}{'CPU ms':>8}{'/sign-in':>9}"
    ordered = sorted(pages, key=lambda page: page.cpu, reverse=True)
    lines = [head, "-" * len(head)]
    for page in (*ordered, sign_in, bare):
        name = "a bare answer" if page is bare else page.address[:73]
        ratio = page.percentile(0.5) / sign_in.percentile(0.5)
        times = f"{page.percentile(0.5):8.1f}{page.percentile(0.95):8.1f}{page.cpu:8.1f}{ratio:8.1f}x"
        lines.append(f"{name:74}{page.status:7}{page.kilobytes:7.0f}{times}")
    return "\n".join(lines)


def _prepare(server: Server) -> Samples:
    answer = server.make_account("bench")
    account = answer["account_id"]
    signer = Signer(answer["admin"]["access_key_id"], answer["admin"]["secret_access_key"], server.port)
    populous.populate(server.directory / "data", account)
    made = [
        signer.sign("iam", "CreateLoginProfile", {"UserName": "admin", "Password": PASSWORD}),
        signer.sign("iam", "PutUserPolicy", {"UserName": "user-00000", "PolicyName": "own", "PolicyDocument": populous.DOCUMENT}),
    ]
    done = load.once(made, port=server.port, connections=1, seconds=60)
    if done.failures:
        raise RuntimeError(f"the account could not be prepared: {done.failures[0]!r}")
    event = populous.an_event(server.directory / "data", account)
    samples = Samples(account, "user-00000", "group-0000", "role-0000", "policy-0000", "own", event)
    key = answer["admin"]
    os.environ["AWS_DATA_PATH"] = str(models.OWN_FOLDER)
    organizations = boto3.client(
        "organizations",
        region_name="us-east-1",
        endpoint_url=f"http://localhost:{server.port}",
        aws_access_key_id=key["access_key_id"],
        aws_secret_access_key=key["secret_access_key"],
    )
    samples = furnished.organize(organizations, samples)
    populous.add_members(server.directory / "data", account)
    return samples


if __name__ == "__main__":
    sys.exit(main())
