"""`make bench-organization`: decisions in accounts of a small and of a large organization, each account five units deep.

Service control policies are attached to the root, to each unit and to each account, beside AWS's own. The same questions are put
to accounts of both: one account over and over, and 64 accounts in turn. Then what binds an account is read as the first decision
after a change of the organization reads it, and a policy of the root is changed, which gives every account a fresh revision. Rows
go straight into storage.

`make bench-organization ARGS="--accounts 1000"` is a smaller one; `--database postgresql://...` measures on that.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from bench import load, servers
from bench.requests import Signer
from bench.servers import Server
from crownkeep import clock
from crownkeep.catalogue import organization_policies as catalogue
from crownkeep.operations import organization_controls
from crownkeep.storage.accounts import accounts
from crownkeep.storage.accounts.accounts import AccountRow
from crownkeep.storage.database import Database, Transaction
from crownkeep.storage.organizations import (
    organization_accounts,
    organization_policies,
    organization_policy_targets,
    organization_policy_types,
    organizational_units,
    organizations,
)
from crownkeep.storage.organizations.organization_accounts import MemberRow
from crownkeep.storage.organizations.organization_policies import OrganizationPolicyRow
from crownkeep.storage.organizations.organization_policy_targets import PolicyTargetRow
from crownkeep.storage.organizations.organization_policy_types import PolicyTypeRow
from crownkeep.storage.organizations.organizational_units import UnitRow
from crownkeep.storage.organizations.organizations import OrganizationRow

DEPTH = 5
ASKED = 64
SMALL = ASKED
ROUNDS = 5
CHANGES = 40
SECONDS = 1.0
CONNECTIONS = 32
MANAGEMENT = "400000000000"

_ID, _ROOT = "o-bench00000", "r-bench"
_DENIES = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "ec2:*", "Resource": "*"}]})


def main() -> None:
    """Measure a small and a large organization in turn, and print both."""
    parser = argparse.ArgumentParser(description="Measure decisions in a large organization beside a small one.")
    parser.add_argument("--accounts", type=int, default=10_000)
    parser.add_argument("--database", default="", help="a URL to which `_small` and `_large` are added; SQLite unless given")
    options = parser.parse_args()
    found = {}
    for name, size in (("small", SMALL), ("large", options.accounts)):
        with tempfile.TemporaryDirectory(prefix="crownkeep-bench-") as directory:
            found[name] = _measured(Path(directory), size, f"{options.database}_{name}" if options.database else "")
    print(f"\n{'':54}{f'{SMALL:,} accounts':>16}{f'{options.accounts:,} accounts':>18}{'ratio':>8}")
    for what, figure in found["small"].items():
        larger = found["large"][what]
        print(f"{what:54}{figure:16,.0f}{larger:18,.0f}{larger / figure:7.2f}x")


def _measured(directory: Path, size: int, database: str) -> dict[str, float]:
    settings: Mapping[str, str] = servers.UNLIMITED | ({"CROWNKEEP_DATABASE": database} if database else {})
    with servers.crownkeep(directory, settings) as server:
        asked = [server.make_account(f"member-{number}") for number in range(ASKED)]
        began = time.monotonic()
        held = Database(database or f"sqlite:///{directory / 'data' / 'crownkeep.db'}")
        with held.transaction() as db:
            _found(db, [answer["account_id"] for answer in asked], size, clock.now())
        print(f"  made an organization of {size:,} accounts: {time.monotonic() - began:.0f} s", flush=True)
        admins = [answer["admin"] for answer in asked]
        signers = [Signer(admin["access_key_id"], admin["secret_access_key"], server.port) for admin in admins]
        requests = [signer.sign("iam", "GetUser", {"UserName": "admin"}) for signer in signers]
        figures = {
            "GetUser in one account: CPU (us)": min(_cost(server, requests[:1]) for _ in range(ROUNDS)),
            f"GetUser in {ASKED} accounts in turn: CPU (us)": min(_cost(server, requests) for _ in range(ROUNDS)),
        }
        figures |= _changes(held, asked[0]["account_id"])
        held.close()
        return figures | {"memory afterwards (MiB)": server.memory_mib()}


def _cost(server: Server, requests: list[bytes]) -> float:
    before = server.cpu_seconds()
    measured = load.repeatedly(requests, port=server.port, connections=CONNECTIONS, seconds=SECONDS)
    if measured.failures:
        raise RuntimeError(f"a request was refused: {measured.failures[0]!r}")
    return (server.cpu_seconds() - before) / measured.count * 1e6


def _changes(database: Database, account_id: str) -> dict[str, float]:
    """Return what a change of the root's policies costs, and what the first decision after it reads and compiles anew."""
    changing, reading = [], []
    for _ in range(CHANGES):
        began = time.process_time()
        with database.transaction() as db:
            organization_policy_targets.touch_under(db, _ID, _ROOT, clock.revision())
        changing.append(time.process_time() - began)
    with database.snapshot() as db:
        for _ in range(CHANGES):
            began = time.process_time()
            organization_controls.load(db, account_id)
            reading.append(time.process_time() - began)
    return {
        "what binds an account, read after a change: CPU (us)": min(reading) * 1e6,
        "a change of the root's policies: CPU (us)": min(changing) * 1e6,
    }


def _found(db: Transaction, asked: list[str], size: int, now: datetime) -> None:
    """Put an organization into storage, with the accounts that are asked and others beside them."""
    accounts.add(db, _account(MANAGEMENT, now))
    organizations.add(db, OrganizationRow(_ID, MANAGEMENT, "ALL", _ROOT, now))
    organization_policy_types.add(db, PolicyTypeRow(_ID, MANAGEMENT, catalogue.SERVICE_CONTROL, now))
    organization_accounts.add(db, MemberRow(MANAGEMENT, _ID, MANAGEMENT, _ROOT, "INVITED", now))
    policy = OrganizationPolicyRow(
        "p-bench000", _ID, MANAGEMENT, catalogue.SERVICE_CONTROL, "deny", "deny", "", _DENIES, now, now
    )
    organization_policies.add(db, policy)
    parent = _ROOT
    _attach(db, _ROOT, now)
    for number in range(DEPTH):
        unit_id = f"ou-bench-0000000{number}"
        organizational_units.add(db, UnitRow(unit_id, _ID, MANAGEMENT, parent, f"unit {number}", f"unit {number}", now))
        _attach(db, unit_id, now)
        parent = unit_id
    others = [str(400_000_000_001 + number) for number in range(size - len(asked))]
    for account_id in others:
        accounts.add(db, _account(account_id, now))
    for account_id in (*asked, *others):
        organization_accounts.add(db, MemberRow(account_id, _ID, MANAGEMENT, parent, "CREATED", now))
        _attach(db, account_id, now)
        accounts.touch(db, account_id, clock.revision())


def _attach(db: Transaction, target_id: str, now: datetime) -> None:
    organization_policy_targets.attach_defaults(db, _ID, MANAGEMENT, target_id, at=now)
    organization_policy_targets.add(db, PolicyTargetRow(_ID, MANAGEMENT, target_id, "p-bench000", catalogue.SERVICE_CONTROL, now))


def _account(account_id: str, now: datetime) -> AccountRow:
    email = f"root-{account_id}@organization.example"
    return AccountRow(account_id, account_id, email, email, "ACTIVE", now, None, clock.revision(), None, None, None, 0)


if __name__ == "__main__":
    main()
