"""Make a small, varied installation with the code of a commit, kept so that every later schema step is tried on real old content.

    git worktree add /tmp/old COMMIT
    cd /tmp/old && PYTHONPATH=/tmp/old/src:/tmp/old REPOSITORY/.venv/bin/python REPOSITORY/scripts/make_old_installation.py \
        REPOSITORY/tests/fixtures/installations/STEP
    git worktree remove --force /tmp/old

STEP is the last schema step of that commit, such as `0002`. Two installations of the same kind are made, one on each database:

    sqlite/data.tar.xz      the data directory: database, sealing key, operator's token, outbox
    postgres/data.tar.xz    the data directory beside a PostgreSQL
    postgres/dump.sql.gz    what `pg_dump --inserts` said of that PostgreSQL
    */known.json            what the tests know of it: ids, keys, passwords, seeds, and when it was made

Every secret in them is a test's, made for these files and used nowhere else.
"""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
import tarfile
import tempfile
from base64 import b64encode
from pathlib import Path
from typing import Any

from tests.console import furnished
from tests.fixtures.browsing import Browser
from tests.fixtures.crown import Account, Crown
from tests.fixtures.organization import Organization, allow, deny
from tests.fixtures.postgresql import Cluster
from tests.services.iam.asking import Authenticator
from tests.signin import people

from crownkeep import clock
from crownkeep.settings import Settings

# What only psql, or only a newer server, understands.
_NOT_SQL = ("\\restrict", "\\unrestrict", "SET transaction_timeout")


def main() -> None:
    """Make both installations below the folder that the command line names."""
    place = Path(sys.argv[1])
    cluster = Cluster("fsync=off")
    try:
        _make(place / "sqlite", database="")
        url = cluster.database()
        _make(place / "postgres", database=url)
        _dump(url, place / "postgres" / "dump.sql.gz")
    finally:
        cluster.stop()


def _make(place: Path, *, database: str) -> None:
    place.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as directory:
        data = Path(directory) / "data"
        crown = Crown(Settings(data=str(data), database=database, argon2_memory_kib=8, argon2_iterations=1, argon2_lanes=1))
        known = _fill(crown)
        crown.close()
        _pack(data, place / "data.tar.xz")
    (place / "known.json").write_text(json.dumps(known, indent=2) + "\n", encoding="utf-8")


def _fill(crown: Crown) -> dict[str, Any]:
    """Fill an empty server with something of everything, and return what is known of it."""
    known: dict[str, Any] = {"made": clock.now().isoformat(timespec="seconds"), "password": people.PASSWORD}
    account = crown.account(name="harbour", email="root@harbour.example")
    known["account"] = account.told
    iam = account.client("iam")
    furnished.furnish(iam, account.client("account"), account.id)
    known["user"] = {"name": "carol"} | _user(account)
    known["root"] = _root(crown, account)
    known["browser"] = _signed_in(crown, account)
    known["organization"] = _organization(crown)
    known["delegation"] = _delegation(crown, account)
    known["events"] = len(account.records())
    return known


def _user(account: Account) -> dict[str, Any]:
    """Make a user with a password, a key, an authenticator app, a key of each other kind, and a role session."""
    user = account.user("carol", arn="arn:aws:iam::aws:policy/AdministratorAccess")
    iam = account.client("iam")
    iam.create_login_profile(UserName="carol", Password=people.PASSWORD)
    device = iam.create_virtual_mfa_device(VirtualMFADeviceName="carol")["VirtualMFADevice"]
    app = Authenticator(device["Base32StringSeed"])
    codes = {"AuthenticationCode1": app.code(-1), "AuthenticationCode2": app.code()}
    iam.enable_mfa_device(UserName="carol", SerialNumber=device["SerialNumber"], **codes)
    iam.create_virtual_mfa_device(VirtualMFADeviceName="spare")
    iam.create_service_specific_credential(UserName="carol", ServiceName="codecommit.amazonaws.com")
    iam.create_instance_profile(InstanceProfileName="machines")
    iam.create_policy_version(
        PolicyArn=f"arn:aws:iam::{account.id}:policy/reading", PolicyDocument=json.dumps(furnished.ALLOW), SetAsDefault=True
    )
    iam.update_account_password_policy(MinimumPasswordLength=12, PasswordReusePrevention=3)
    iam.create_service_linked_role(AWSServiceName="autoscaling.amazonaws.com")
    session = user.client("sts").get_session_token(DurationSeconds=129600)["Credentials"]
    return {
        "key": _key(user.credentials),
        "session": {name: value for name, value in session.items() if isinstance(value, str)},
        "seed": device["Base32StringSeed"].decode(),
    }


def _root(crown: Crown, account: Account) -> dict[str, Any]:
    browser = Browser(crown)
    people.choose_root_password(browser, account)
    seed = people.enrol_app(browser, "phone")
    return {"email": account.email, "seed": b64encode(seed).decode()}


def _signed_in(crown: Crown, account: Account) -> dict[str, Any]:
    people.user_with_password(account, "dora")
    browser = Browser(crown)
    people.sign_in_user(browser, account.id, "dora")
    return {"user": "dora", "cookies": dict(browser.cookies)}


def _organization(crown: Crown) -> dict[str, Any]:
    made = Organization(crown)
    unit = made.unit("workloads")
    invited = made.invited(under=unit)
    created = made.created()
    made.invite(crown.account())
    made.bind(deny("iam:CreateUser"), unit)
    made.trust_iam("RootCredentialsManagement", "RootSessions")
    made.client.enable_aws_service_access(ServicePrincipal="config.amazonaws.com")
    made.client.register_delegated_administrator(AccountId=invited.id, ServicePrincipal="config.amazonaws.com")
    return {
        "id": made.id,
        "management": made.management.told,
        "invited": invited.told,
        "created": created,
    }


def _delegation(crown: Crown, customer: Account) -> dict[str, Any]:
    """Let an account ask another one for permissions, and somebody there accept that."""
    provider = crown.account()
    policy = json.dumps(allow("iam:CreateUser", "iam:ListUsers"))
    answer = crown.operator("PUT", f"/accounts/{provider.id}/delegation-templates/setup", {"policy": policy})
    template = answer.json()["template_arn"]
    request_id = provider.client("iam").create_delegation_request(
        Description="Set it up",
        Permissions={"PolicyTemplateArn": template, "Parameters": []},
        RequestorWorkflowId="workflow",
        NotificationChannel="arn:aws:sns:us-east-1:123456789012:topic",
        SessionDuration=3600,
    )["DelegationRequestId"]
    iam = customer.user("ann", policy=allow("iam:*DelegationRequest", "iam:CreateUser", "iam:ListUsers")).client("iam")
    iam.associate_delegation_request(DelegationRequestId=request_id)
    iam.accept_delegation_request(DelegationRequestId=request_id)
    return {"request": request_id, "provider": provider.told, "template": template}


def _key(credentials: Any) -> dict[str, str]:
    return {"access_key_id": credentials.access_key_id, "secret_access_key": credentials.secret_access_key}


def _pack(data: Path, file: Path) -> None:
    with tarfile.open(file, "w:xz", preset=9) as archive:
        # The index of the write-ahead log is made anew from the log; the log itself lies there as after a crash.
        for each in sorted(each for each in data.rglob("*") if not each.name.endswith("-shm")):
            archive.add(each, arcname=str(each.relative_to(data)), recursive=False, filter=_ownerless)


def _ownerless(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    return member


def _dump(url: str, file: Path) -> None:
    program = str(sorted(Path("/usr/lib/postgresql").glob("*/bin/pg_dump"))[-1])
    command = [program, "--inserts", "--no-owner", "--no-privileges", "--rows-per-insert=100", url]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    lines = [line for line in text.splitlines(keepends=True) if not line.startswith(_NOT_SQL)]
    file.write_bytes(gzip.compress("".join(lines).encode(), compresslevel=9, mtime=0))


if __name__ == "__main__":
    main()
