"""`make bench-sign-in`: what signing in costs, beside the one Argon2id computation that it cannot do without.

A sign-in is what a browser does: it asks for the page, sends name and password and, with MFA, asks for the next page and sends a
code; at the end it has a session. Every sign-in is by a browser that has no cookie yet. `CPU` is what the server's process used,
which a busy machine doesn't blur; a bare computation follows each sign-in, with the same parameters and library, so that both
meet the same neighbours and caches. Sign-ins per second are those of 8 browsers at once.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from botocore.session import get_session

from bench import servers
from bench.browser import PASSWORD, Browser
from bench.servers import Server
from crownkeep.credentials import passwords, totp
from crownkeep.credentials.secret import Secret

ROUNDS = 7
IN_A_ROUND = 15
USERS = 40
AT_ONCE = 8
AIM = 0.15


@dataclass(frozen=True, slots=True)
class Cost:
    """CPU milliseconds of each round: of a sign-in, and of the bare computation beside it."""

    ours: list[float]
    bare: list[float]

    @property
    def overhead(self) -> float:
        """What a sign-in costs beyond the computation, as a part of it: the median of the rounds."""
        return statistics.median(ours / bare for ours, bare in zip(self.ours, self.bare, strict=True)) - 1


def main() -> int:
    """Measure and print."""
    with tempfile.TemporaryDirectory(prefix="crownkeep-bench-") as directory, servers.crownkeep(Path(directory)) as server:
        account, seeds = _people(server)
        codes = _codes(seeds)
        names = (name for _ in iter(int, 1) for name in seeds)
        plain = _cost(server, lambda browser: browser.sign_in(account, f"plain-{next(names)}"))

        def with_mfa(browser: Browser) -> None:
            name, code = next(codes)
            browser.sign_in(account, f"mfa-{name}", code=code)

        both = _cost(server, with_mfa)
        per_second = _per_second(server, account)
    print(f"{'':28}{'CPU ms':>9}{'Argon2id':>10}{'overhead':>10}")
    for title, cost in (("password", plain), ("password and code", both)):
        ours, bare = statistics.median(cost.ours), statistics.median(cost.bare)
        print(f"{title:28}{ours:9.2f}{bare:10.2f}{cost.overhead:10.1%}")
    print(f"{'password, 8 browsers at once':28}{per_second:9.1f} sign-ins per second")
    return 0


def _cost(server: Server, sign_in: Callable[[Browser], None]) -> Cost:
    browser = Browser(server.port)
    ours, bare = [], []
    for number in range(ROUNDS + 1):
        used, computed = server.cpu_seconds(), 0.0
        for _ in range(IN_A_ROUND if number else 3):
            browser.forget()
            sign_in(browser)
            computed += _bare()
        if number:
            # The first round warms up.
            ours.append((server.cpu_seconds() - used) / IN_A_ROUND * 1e3)
            bare.append(computed / IN_A_ROUND * 1e3)
    return Cost(ours, bare)


def _bare() -> float:
    """Return the CPU seconds of one computation."""
    began = time.process_time()
    passwords.verify_absent(Secret(PASSWORD))
    return time.process_time() - began


def _per_second(server: Server, account: str) -> float:
    done = threading.Barrier(AT_ONCE + 1)

    def work(number: int) -> None:
        browser = Browser(server.port)
        for turn in range(IN_A_ROUND):
            browser.forget()
            browser.sign_in(account, f"plain-{(number * IN_A_ROUND + turn) % USERS}")
        done.wait()

    began = time.perf_counter()
    for number in range(AT_ONCE):
        threading.Thread(target=work, args=(number,), daemon=True).start()
    done.wait(timeout=120)
    return AT_ONCE * IN_A_ROUND / (time.perf_counter() - began)


def _people(server: Server) -> tuple[str, dict[int, bytes]]:
    """Make users without and with an authenticator app; answer the account, and the apps' seeds by number."""
    answer = server.make_account("bench")
    iam = get_session().create_client(
        "iam",
        region_name="us-east-1",
        endpoint_url=f"http://127.0.0.1:{server.port}",
        aws_access_key_id=answer["admin"]["access_key_id"],
        aws_secret_access_key=answer["admin"]["secret_access_key"],
    )
    seeds = {}
    for number in range(USERS):
        for name in (f"plain-{number}", f"mfa-{number}"):
            iam.create_user(UserName=name)
            iam.create_login_profile(UserName=name, Password=PASSWORD)
        device = iam.create_virtual_mfa_device(VirtualMFADeviceName=f"app-{number}")["VirtualMFADevice"]
        seed = totp.read_seed(device["Base32StringSeed"].decode())
        step = int(time.time()) // totp.STEP
        given = {"AuthenticationCode1": totp.code_at(seed, step - 1), "AuthenticationCode2": totp.code_at(seed, step)}
        iam.enable_mfa_device(UserName=f"mfa-{number}", SerialNumber=device["SerialNumber"], **given)
        seeds[number] = seed
    return answer["account_id"], seeds


def _codes(seeds: dict[int, bytes]) -> Iterator[tuple[int, str]]:
    """Return codes that are good now, each once: a device takes those of two steps around."""
    used: set[tuple[int, int]] = set()
    while True:
        for number, seed in seeds.items():
            now = int(time.time()) // totp.STEP
            step = next(step for ahead in (0, 1, -1, 2) if (number, step := now + ahead) not in used)
            used.add((number, step))
            yield number, totp.code_at(seed, step)


if __name__ == "__main__":
    sys.exit(main())
