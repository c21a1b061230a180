"""Make a small, varied installation with the code of a commit, kept so that every later schema step is tried on real old content.

    git worktree add /tmp/old COMMIT
    PYTHONPATH=/tmp/old/src .venv/bin/python -m scripts.make_old_installation tests/fixtures/installations/STEP
    git worktree remove --force /tmp/old

STEP is the last schema step of that commit, such as `0002`. Two installations of the same kind are made, one on each database.
Each is filled over HTTP, by a server that runs the commit's code:

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
import time
from base64 import b32decode, b64encode
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import pyotp
from bench import servers
from bench.browser import PASSWORD, Browser
from bench.servers import Server
from shared import furnished
from shared.postgresql import Cluster

Json = dict[str, Any]

CHEAP = {"CROWNKEEP_ARGON2_MEMORY_KIB": "8", "CROWNKEEP_ARGON2_ITERATIONS": "1", "CROWNKEEP_ARGON2_LANES": "1"}
SCP = "SERVICE_CONTROL_POLICY"
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
    settings = CHEAP | ({"CROWNKEEP_DATABASE": database} if database else {})
    with tempfile.TemporaryDirectory() as directory:
        with servers.crownkeep(Path(directory), settings) as server:
            text = json.dumps(_fill(server), indent=2).replace(f"localhost:{server.port}", "localhost:4747")
        _pack(Path(directory) / "data", place / "data.tar.xz")
    (place / "known.json").write_text(text + "\n", encoding="utf-8")


def _fill(server: Server) -> Json:
    """Fill an empty server with something of everything, and return what is known of it."""
    known: Json = {"made": datetime.now(UTC).isoformat(timespec="seconds"), "password": PASSWORD}
    account = server.make_account("harbour", root_access_key=True)
    known["account"] = account
    iam = _client(server, account["admin"], "iam")
    furnished.furnish(iam, _client(server, account["admin"], "account"), account["account_id"])
    known["user"] = {"name": "carol"} | _carol(server, iam, account["account_id"])
    known["root"] = _root(server, account)
    known["browser"] = _signed_in(server, iam, account["account_id"])
    known["organization"] = _organization(server)
    known["delegation"] = _delegation(server, iam)
    trail = _client(server, account["admin"], "cloudtrail").get_paginator("lookup_events")
    known["events"] = sum(len(page["Events"]) for page in trail.paginate())
    return known


def _carol(server: Server, iam: Any, account_id: str) -> Json:
    """Make a user with a password, a key, an authenticator app, a key of each other kind, and a role session."""
    iam.create_user(UserName="carol")
    iam.attach_user_policy(UserName="carol", PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess")
    key = _new_key(iam, "carol")
    iam.create_login_profile(UserName="carol", Password=PASSWORD)
    device = iam.create_virtual_mfa_device(VirtualMFADeviceName="carol")["VirtualMFADevice"]
    seed = device["Base32StringSeed"].decode()
    before, current = _codes(seed)
    iam.enable_mfa_device(
        UserName="carol", SerialNumber=device["SerialNumber"], AuthenticationCode1=before, AuthenticationCode2=current
    )
    iam.create_virtual_mfa_device(VirtualMFADeviceName="spare")
    iam.create_service_specific_credential(UserName="carol", ServiceName="codecommit.amazonaws.com")
    iam.create_instance_profile(InstanceProfileName="machines")
    document = json.dumps(furnished.ALLOW)
    iam.create_policy_version(PolicyArn=f"arn:aws:iam::{account_id}:policy/reading", PolicyDocument=document, SetAsDefault=True)
    iam.update_account_password_policy(MinimumPasswordLength=12, PasswordReusePrevention=3)
    iam.create_service_linked_role(AWSServiceName="autoscaling.amazonaws.com")
    session = _client(server, key, "sts").get_session_token(DurationSeconds=129600)["Credentials"]
    return {"key": key, "session": {name: value for name, value in session.items() if isinstance(value, str)}, "seed": seed}


def _root(server: Server, account: Json) -> Json:
    """Let root choose its password by the link and enrol an authenticator app."""
    browser = Browser(server.port)
    browser.choose_password(account["set_password_url"])
    seed = browser.enrol_app("phone", _codes)
    return {"email": account["root_email"], "seed": b64encode(b32decode(seed)).decode()}


def _signed_in(server: Server, iam: Any, account_id: str) -> Json:
    iam.create_user(UserName="dora")
    iam.create_login_profile(UserName="dora", Password=PASSWORD)
    browser = Browser(server.port)
    browser.sign_in(account_id, "dora")
    return {"user": "dora", "cookies": {name: value for name, value in browser.cookies.items() if value}}


def _organization(server: Server) -> Json:
    """Make an organization with a unit, a member that was made, one that was invited, and an invitation that is open."""
    management, invited, other = (server.make_account(name, root_access_key=True) for name in ("management", "invited", "other"))
    client = _client(server, management["admin"], "organizations")
    made = client.create_organization()["Organization"]
    root_id = client.list_roots()["Roots"][0]["Id"]
    unit = client.create_organizational_unit(ParentId=root_id, Name="workloads")["OrganizationalUnit"]["Id"]
    handshake = _invite(client, invited["account_id"])
    _client(server, invited["admin"], "organizations").accept_handshake(HandshakeId=handshake)
    client.move_account(AccountId=invited["account_id"], SourceParentId=root_id, DestinationParentId=unit)
    created = client.create_account(Email=f"member@{made['Id']}.example", AccountName="member")["CreateAccountStatus"]
    _invite(client, other["account_id"])
    client.enable_policy_type(RootId=root_id, PolicyType=SCP)
    policy = client.create_policy(Content=_document("Deny", "iam:CreateUser"), Name="no users", Description="", Type=SCP)
    client.attach_policy(PolicyId=policy["Policy"]["PolicySummary"]["Id"], TargetId=unit)
    client.enable_aws_service_access(ServicePrincipal="iam.amazonaws.com")
    iam = _client(server, management["admin"], "iam")
    iam.enable_organizations_root_credentials_management()
    iam.enable_organizations_root_sessions()
    client.enable_aws_service_access(ServicePrincipal="config.amazonaws.com")
    client.register_delegated_administrator(AccountId=invited["account_id"], ServicePrincipal="config.amazonaws.com")
    return {"id": made["Id"], "management": management, "invited": invited, "created": created["AccountId"]}


def _invite(client: Any, account_id: str) -> str:
    made = client.invite_account_to_organization(Target={"Id": account_id, "Type": "ACCOUNT"})
    return str(made["Handshake"]["Id"])


def _delegation(server: Server, customer: Any) -> Json:
    """Let an account ask another one for permissions, and somebody there accept that."""
    provider = server.make_account("provider", root_access_key=True)
    policy = _document("Allow", "iam:CreateUser", "iam:ListUsers")
    path = f"/accounts/{provider['account_id']}/delegation-templates/setup"
    template = server.operator("PUT", path, {"policy": policy})["template_arn"]
    request_id = _client(server, provider["admin"], "iam").create_delegation_request(
        Description="Set it up",
        Permissions={"PolicyTemplateArn": template, "Parameters": []},
        RequestorWorkflowId="workflow",
        NotificationChannel="arn:aws:sns:us-east-1:123456789012:topic",
        SessionDuration=3600,
    )["DelegationRequestId"]
    customer.create_user(UserName="ann")
    allowed = _document("Allow", "iam:*DelegationRequest", "iam:CreateUser", "iam:ListUsers")
    customer.put_user_policy(UserName="ann", PolicyName="inline", PolicyDocument=allowed)
    iam = _client(server, _new_key(customer, "ann"), "iam")
    iam.associate_delegation_request(DelegationRequestId=request_id)
    iam.accept_delegation_request(DelegationRequestId=request_id)
    return {"request": request_id, "provider": provider, "template": template}


def _client(server: Server, key: Mapping[str, str], service: str) -> Any:
    secrets = {"aws_access_key_id": key["access_key_id"], "aws_secret_access_key": key["secret_access_key"]}
    return boto3.client(service, region_name="us-east-1", endpoint_url=f"http://localhost:{server.port}", **secrets)


def _new_key(iam: Any, name: str) -> dict[str, str]:
    made = iam.create_access_key(UserName=name)["AccessKey"]
    return {"access_key_id": made["AccessKeyId"], "secret_access_key": made["SecretAccessKey"]}


def _codes(seed: str) -> tuple[str, str]:
    """Return the code of the step before, and that of now."""
    app, now = pyotp.TOTP(seed), int(time.time())
    return app.at(now - 30), app.at(now)


def _document(effect: str, *actions: str) -> str:
    statement = {"Effect": effect, "Action": list(actions), "Resource": "*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


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
