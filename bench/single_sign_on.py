"""`make bench-sso`: single sign-on of a large organization.

It has 1,000 accounts, 5,000 people, 200 permission sets and 50,000 assignments. What is aimed at: a page of assignments and a
role's credentials for less than 3 ms of the server's CPU, and a permission set that is changed in 500 accounts in force on the
next request. Rows go straight into storage; what is measured goes by the API. CPU is of the server's process, the least of
several rounds, which neighbours blur less than time.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from sqlalchemy import Table, insert

from bench import load, servers
from bench.requests import Signer
from bench.servers import Server
from crownkeep import clock, ids
from crownkeep.ids import Prefix
from crownkeep.signin import people, programs
from crownkeep.signin.programs import Token
from crownkeep.storage.accounts import accounts
from crownkeep.storage.accounts.accounts import AccountRow
from crownkeep.storage.database import Database, Transaction
from crownkeep.storage.identities import roles
from crownkeep.storage.identities.roles import RoleRow
from crownkeep.storage.organizations import organization_accounts, organizations
from crownkeep.storage.organizations.organization_accounts import MemberRow
from crownkeep.storage.sign_in import browser_sessions
from crownkeep.storage.sign_in.browser_sessions import BrowserSessionRow
from crownkeep.storage.sign_in.grant_tokens import GrantTokenRow
from crownkeep.storage.single_sign_on import (
    account_assignments,
    directory_groups,
    directory_memberships,
    directory_users,
    instances,
    permission_sets,
    person_grants,
    provisioned_roles,
)
from crownkeep.storage.single_sign_on.instances import InstanceRow
from crownkeep.storage.single_sign_on.person_grants import REDEEMED, PersonGrantRow

ACCOUNTS, PEOPLE, SETS, ASSIGNMENTS = 1_000, 5_000, 200, 50_000
GROUPS, GROUPS_OF_EACH = 250, 5
CHANGED = 500
"""Accounts that have a role of the permission set that is changed."""
ON_ONE_PLACE = 2_000
"""Assignments of one permission set in one account: its list has many pages."""
AIM_MILLISECONDS = 3.0
ROUNDS, SECONDS, CONNECTIONS = 5, 1.5, 16

_ADMIN = "SWBExternalService"
_TOKEN = "a-token-of-this-benchmark-alone"
_POLICY = "arn:aws:iam::aws:policy/IAMReadOnlyAccess"


def main() -> None:
    """Measure and print."""
    options = _options()
    with tempfile.TemporaryDirectory(prefix="crownkeep-bench-") as directory:
        settings = servers.UNLIMITED | ({"CROWNKEEP_DATABASE": options.database} if options.database else {})
        with servers.crownkeep(Path(directory), settings) as server:
            answer = server.make_account("measured")
            signer = Signer(answer["admin"]["access_key_id"], answer["admin"]["secret_access_key"], server.port)
            _ask(server, signer.target("organizations", "AWSOrganizationsV20161128.CreateOrganization", {}))
            _ask(server, signer.target("sso", f"{_ADMIN}.CreateInstance", {"Name": "acme"}))
            began = time.monotonic()
            place = _fill(options.database or f"sqlite:///{Path(directory) / 'data' / 'crownkeep.db'}", answer["account_id"])
            print(f"filled in {time.monotonic() - began:.0f} s")
            _costs(server, signer, place)
            _change(server, signer, place)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure single sign-on of a large organization.")
    parser.add_argument("--database", default="", help="the URL of an empty database; SQLite unless given")
    return parser.parse_args()


def _ask(server: Server, request: bytes) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(load.body_of(request, port=server.port))
    if "__type" in answer or "message" in answer:
        raise RuntimeError(f"refused: {answer}")
    return answer


def _costs(server: Server, signer: Signer, place: Mapping[str, str]) -> None:
    page = {"InstanceArn": place["instance"], "AccountId": place["account"], "PermissionSetArn": place["set"]}
    first = signer.target("sso", f"{_ADMIN}.ListAccountAssignments", page)
    later = signer.target("sso", f"{_ADMIN}.ListAccountAssignments", page | {"NextToken": _ask(server, first)["NextToken"]})
    of_person = {"InstanceArn": place["instance"], "PrincipalId": place["person"], "PrincipalType": "USER"}
    asked = {
        "ListAccountAssignments, first page": first,
        "ListAccountAssignments, later page": later,
        "ListAccountAssignmentsForPrincipal": signer.target("sso", f"{_ADMIN}.ListAccountAssignmentsForPrincipal", of_person),
        "GetRoleCredentials": _credentials(server, place["account"]),
        "ListAccounts": _portal(server, "/assignment/accounts", {}),
    }
    print(f"{'':38}{'CPU ms':>9}{'aim':>8}")
    for what, request in asked.items():
        _ask(server, request)
        costs = []
        for _ in range(ROUNDS):
            before = server.cpu_seconds()
            measured = load.repeatedly([request], port=server.port, connections=CONNECTIONS, seconds=SECONDS)
            costs.append((server.cpu_seconds() - before) / measured.count * 1e3)
        print(f"{what:38}{min(costs):9.2f}{AIM_MILLISECONDS:8.1f}")


def _change(server: Server, signer: Signer, place: Mapping[str, str]) -> None:
    """Change the permission set that 500 accounts have a role of, and ask in the last of them with what was issued before."""
    last = _session(server, place["last"])
    listing = last.sign("iam", "ListUsers")
    if "AccessDenied" not in load.body_of(listing, port=server.port):
        raise RuntimeError("the role may list users before its permission set lets it")
    named = {"InstanceArn": place["instance"], "PermissionSetArn": place["set"]}
    _ask(server, signer.target("sso", f"{_ADMIN}.AttachManagedPolicyToPermissionSet", named | {"ManagedPolicyArn": _POLICY}))
    request = signer.target("sso", f"{_ADMIN}.ProvisionPermissionSet", named | {"TargetType": "ALL_PROVISIONED_ACCOUNTS"})
    used, began = server.cpu_seconds(), time.monotonic()
    _ask(server, request)
    took, used = time.monotonic() - began, server.cpu_seconds() - used
    is_in_force = "ListUsersResult" in load.body_of(listing, port=server.port)
    print(f"a permission set changed in {CHANGED} accounts: {took:.2f} s ({used:.2f} s of CPU)")
    print(f"in force in the last of them on the next request: {'yes' if is_in_force else 'NO'}")


def _session(server: Server, account_id: str) -> Signer:
    keys = _ask(server, _credentials(server, account_id))["roleCredentials"]
    return Signer(keys["accessKeyId"], keys["secretAccessKey"], server.port, keys["sessionToken"])


def _credentials(server: Server, account_id: str) -> bytes:
    return _portal(server, "/federation/credentials", {"account_id": account_id, "role_name": "set-000"})


def _portal(server: Server, path: str, query: Mapping[str, str]) -> bytes:
    asked = f"?{urlencode(query)}" if query else ""
    head = f"GET {path}{asked} HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\nx-amz-sso_bearer_token: {_TOKEN}\r\n\r\n"
    return head.encode()


# What is put into storage.


def _fill(url: str, owner: str) -> dict[str, str]:
    database, now = Database(url), clock.now()
    with database.transaction() as db:
        instance = instances.of_account(db, owner)
        if instance is None:
            raise LookupError("the instance that was just made is not there")
        members = _members(db, owner, now)
        users, groups = _people(db, instance, now)
        sets = _sets(db, instance, now)
        _assignments(db, instance, now, members, users, groups, sets)
        _provisioned(db, instance, now, members[:CHANGED], sets[0])
        _signed_in(db, instance, now, users[0])
        accounts.touch(db, owner, clock.revision())
    database.close()
    return {
        "instance": f"arn:aws:sso:::instance/{instance.instance_id}",
        "set": f"arn:aws:sso:::permissionSet/{instance.instance_id}/{sets[0]}",
        "account": members[0],
        "last": members[CHANGED - 1],
        "person": users[0],
    }


def _many(db: Transaction, table: Table, rows: Iterable[Mapping[str, object]]) -> None:
    db.execute(insert(table), [*map(dict, rows)])


def _members(db: Transaction, owner: str, now: datetime) -> list[str]:
    organization = organizations.of_account(db, owner)
    if organization is None:
        raise LookupError("the organization that was just made is not there")
    account_ids = [str(300_000_000_000 + number) for number in range(ACCOUNTS - 1)]
    for number, account_id in enumerate(account_ids):
        email = f"member-{number}@sso.example"
        accounts.add(
            db,
            AccountRow(account_id, f"member {number}", email, email, "ACTIVE", now, None, clock.revision(), None, None, None, 0),
        )
        row = MemberRow(account_id, organization.organization_id, owner, organization.root_id, "CREATED", now)
        organization_accounts.add(db, row)
    return account_ids


def _people(db: Transaction, instance: InstanceRow, now: datetime) -> tuple[list[str], list[str]]:
    of_store = {"identity_store_id": instance.identity_store_id, "account_id": instance.account_id}
    made = {**of_store, "revision": 1, "created_at": now, "created_by": "bench", "updated_at": now, "updated_by": "bench"}
    users, groups = (
        [str(UUID(int=start + number)) for number in range(count)] for start, count in ((1, PEOPLE), (1 << 64, GROUPS))
    )
    _many(
        db,
        directory_users.table,
        (
            {**made, "user_id": each, "user_name": f"u{n}", "user_name_key": f"u{n}", "is_active": True, "attributes": "{}"}
            for n, each in enumerate(users)
        ),
    )
    names = ({"group_id": each, "display_name": f"g{n}", "display_name_key": f"g{n}"} for n, each in enumerate(groups))
    _many(db, directory_groups.table, ({**made, **each} for each in names))
    pairs = ((user, groups[(n + step * 7) % GROUPS]) for n, user in enumerate(users) for step in range(GROUPS_OF_EACH))
    rows = ({"membership_id": str(UUID(int=(1 << 65) + n)), "user_id": u, "group_id": g} for n, (u, g) in enumerate(pairs))
    _many(db, directory_memberships.table, ({**of_store, **each, "created_at": now, "created_by": "bench"} for each in rows))
    return users, groups


def _sets(db: Transaction, instance: InstanceRow, now: datetime) -> list[str]:
    sets = [f"ps-{number:016x}" for number in range(SETS)]
    common = {"instance_id": instance.instance_id, "account_id": instance.account_id, "session_duration": "PT1H"}
    names = ({"permission_set_id": each, "name": f"set-{n:03}", "name_key": f"set-{n:03}"} for n, each in enumerate(sets))
    _many(db, permission_sets.table, ({**common, **each, "revision": 1, "created_at": now} for each in names))
    return sets


def _assignments(
    db: Transaction,
    instance: InstanceRow,
    now: datetime,
    members: list[str],
    users: list[str],
    groups: list[str],
    sets: list[str],
) -> None:
    places = [(members[0], sets[0], "USER", user) for user in users[:ON_ONE_PLACE]]
    places += [(each, sets[0], "USER", users[0]) for each in members[1:CHANGED]]
    for number in range(ASSIGNMENTS - len(places)):
        account, part = number % len(members), number // len(members)
        places.append((members[account], sets[1 + (account + part * 4) % (SETS - 1)], "GROUP", groups[(account + part) % GROUPS]))
    common = {"instance_id": instance.instance_id, "account_id": instance.account_id, "created_at": now}
    rows = (
        {"target_id": t, "owner_account_id": t, "permission_set_id": s, "principal_type": k, "principal_id": p}
        for t, s, k, p in places
    )
    _many(db, account_assignments.table, ({**common, **each} for each in rows))


def _provisioned(db: Transaction, instance: InstanceRow, now: datetime, members: list[str], set_id: str) -> None:
    rows = []
    for account_id in members:
        role_id, name = ids.unique_id(Prefix.ROLE, clock.token_bytes(16)), "AWSReservedSSO_set-000_0123456789abcdef"
        path, trust = "/aws-reserved/sso.amazonaws.com/", f"arn:aws:iam::{account_id}:saml-provider/"
        trust += f"AWSSSO_{instance.instance_id.removeprefix('ssoins-')}_DO_NOT_DELETE"
        statement = {"Effect": "Allow", "Principal": {"Federated": trust}, "Action": ["sts:AssumeRoleWithSAML", "sts:TagSession"]}
        document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        role = RoleRow(role_id, account_id, name, name.lower(), path, now, document, "", None, 3600, None, "sso.amazonaws.com")
        roles.add(db, role)
        rows.append({"target_id": account_id, "owner_account_id": account_id, "role_id": role_id})
    common = {"instance_id": instance.instance_id, "account_id": instance.account_id, "permission_set_id": set_id, "revision": 1}
    _many(db, provisioned_roles.table, ({**common, **each} for each in rows))


def _signed_in(db: Transaction, instance: InstanceRow, now: datetime, user_id: str) -> None:
    """Put in what a person leaves who has signed a program in."""
    owner_id, until, digest = UUID(user_id).hex, now + timedelta(hours=8), clock.token_bytes(32)
    person = people.person_with_id(db, instance, owner_id)
    if person is None:
        raise LookupError("the person that was just made is not there")
    version = people.credentials(db, person).version
    session = BrowserSessionRow(digest, "s" * 32, instance.account_id, owner_id, b"", "[]", version, now, now, now, until, "", "")
    browser_sessions.add(db, session)
    grant = PersonGrantRow(
        grant_id="g" * 32,
        account_id=instance.account_id,
        identity_store_id=instance.identity_store_id,
        client_digest=bytes(32),
        client_name="bench",
        state=REDEEMED,
        code_digest=bytes(32),
        user_code_digest=None,
        redirect_uri="",
        code_challenge="",
        asked_from="",
        user_agent="",
        owner_id=owner_id,
        session_digest=digest,
        created_at=now,
        code_expires_at=now,
        expires_at=until,
    )
    person_grants.add(db, grant)
    token = programs.digest_of(Token.ACCESS, _TOKEN)
    person_grants.tokens.add(db, GrantTokenRow(token, grant.grant_id, grant.account_id, None, until))


if __name__ == "__main__":
    main()
