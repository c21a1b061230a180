"""Every command that changes something leaves the record of an operation, in an account's trail or in the operator's own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.cli.conftest import Terminal
from tests.cli.test_imports import BASE32, hashed, pem
from tests.credentials.mds import certify, metadata_blob
from tests.house.test_one_door import KEY_FILE, NO_CHANGE, commands

from crownkeep import clock
from crownkeep.cli import keys_split

MADE = "111122223333"
VKEY = "example.com/log+614bce04+AYJUwympKFD21TndN29IFu4nZFF9peAjVRSvQzFkSA16"
"""A key of some log (Ed25519)."""
CHANGES = {
    f"account create --email other@cli.example --name other --account-id {MADE}": "CreateAccount",
    "account quota {account_id} users 7": "SetQuota",
    "account quota {account_id} users --default": "ResetQuota",
    "sso enable --account {account_id}": "EnableSingleSignOn",
    "sso scim-token create --account {account_id}": "CreateScimToken",
    "sso scim-token delete --account {account_id} 0123": "DeleteScimToken",
    "sso identity-provider set-oidc --account {account_id} --issuer https://idp.invalid --client-id 1": "SetOpenIdProvider",
    "sso identity-provider set-saml --account {account_id} --metadata {folder}/list": "SetSamlProvider",
    "sso identity-provider remove --account {account_id}": "RemoveIdentityProvider",
    "root custodian {account_id} --email c@cli.example": "SetRootCustodian",
    "root custodian {account_id} --remove": "RemoveRootCustodian",
    "custodian add --name Carol --email carol@cli.example": "AddCustodian",
    "custodian reset-keys carol@cli.example": "ResetCustodianKeys",
    "custodian remove carol@cli.example": "RemoveCustodian",
    "root recover {account_id} --confirm ABCD-EFGH": "ConfirmRootRecovery",
    "passwords import-breached {folder}/list": "InstallBreachedPasswords",
    "mfa import-metadata {folder}/blob --root {folder}/root.pem": "InstallFidoMetadata",
    "mfa import-tokens {folder}/tokens.csv --account {account_id}": "ImportMfaTokens",
    "keys leaked {folder}/found --deactivate": "DeactivateAccessKey",
    "keys leaked {folder}/found --quarantine": "QuarantineUser",
    "backup create --to {folder}/shelf": "CompleteBackup",
    "backup create --to {folder}/data/inside --account {account_id}": "FailBackup",
    "backup restore {folder}/shelf --data {folder}/new --sealing-key {folder}/data/sealing.key": "RestoreBackup",
    "move --from sqlite:///{folder}/new/crownkeep.db --to sqlite:///{folder}/moved.db --data {folder}/new": "MoveDatabase",
    "keys reseal": "ResealSecrets",
    "keys rotate --wait 0": "ResealSecrets",
    "keys split {folder}/b.pub --into {folder}/run/k --share {folder}/b.share-1 --share {folder}/b.share-2": "SplitSealingKey",
    "keys unseal --share {folder}/b.share-1 --share {folder}/b.share-2": "OpenSealingKey",
    "keys join": "JoinSealingKey",
    "keys wrap --kms alias/none --region us-east-1 --endpoint http://127.0.0.1:9": "WrapSealingKey",
    "keys unwrap": "UnwrapSealingKey",
    "seal account {account_id} --team arn:aws:mpa:us-east-1:111122223333:approval-team/Nobody-01": "SealAccount",
    "seal unseal {account_id}": "UnsealAccount",
    "approvals rules arn:aws:mpa:us-east-1:{account_id}:approval-team/none-00 --alone-after 24": "UpdateApprovalTeamRules",
    "approvals request {account_id} --reason rehearsal": "RequestApproval",
    "approvals approve 0123456789abcdef0123456789abcdef --assertion {folder}/found": "RelayVote",
    "approvals refuse 0123456789abcdef0123456789abcdef --assertion {folder}/found": "RelayVote",
    "approvals cancel 0123456789abcdef0123456789abcdef": "CancelApprovalRequest",
    "account guard {account_id} --on": "SetLastWayInGuard",
    "account close {account_id}": "CloseAccount",
    "account reopen {account_id}": "ReopenAccount",
    f"account purge {MADE} --yes": "PurgeAccount",
    "operator add ada": "AddOperator",
    "operator rotate ada": "RotateOperator",
    "operator remove ada": "RemoveOperator",
    "token register 31415926 --model Acme --vault north --envelope 7 --holder root": "RegisterHardwareToken",
    "token check-out 31415926 --to Dora --reason yearly": "TakeOutHardwareToken",
    "token check-in 31415926": "ReturnHardwareToken",
    "token audit 31415926 --name 2026-Q4": "AuditHardwareTokens",
    "drill custodian-gone --account {account_id}": "RecordDrill",
    "trail bucket add acme-logs --account {account_id}": "AddTrailBucket",
    "trail bucket remove acme-logs": "RemoveTrailBucket",
    "trail witness add --key {vkey}": "WitnessLog",
    "trail rotate-keys": "RotateTrailKeys",
    "trail seal-month {month}": "SealMonth",
    "trail verify --record": "RecordTrailVerification",
    "trail withhold --account {account_id} --before 2020-01-01 --reason retention --yes": "WithholdRecords",
    "alerts receiver add --account {account_id} --email soc@cli.example": "CreateAlertReceiver",
    "alerts receiver test 0123456789 --account {account_id}": "TestAlertReceiver",
    "alerts receiver rotate 0123456789 --account {account_id}": "RotateAlertReceiverSecret",
    "alerts receiver enable 0123456789 --account {account_id}": "EnableAlertReceiver",
    "alerts receiver remove 0123456789 --account {account_id}": "DeleteAlertReceiver",
    "alerts rule add stopped --account {account_id} --pattern {pattern}": "PutAlertRule",
    "alerts rule off root-used --account {account_id} --reason rehearsal": "SwitchOffAlertRule",
    "alerts rule on root-used --account {account_id}": "SwitchOnAlertRule",
    "alerts rule remove stopped --account {account_id}": "DeleteAlertRule",
    "alerts replay --account {account_id}": "ReplayAlerts",
}
"""Every command that changes something, with the record that it leaves, done or refused."""
OF_COPIES = ("RestoreBackup", "MoveDatabase")
"""What is recorded in the copy that was made."""


@pytest.fixture
def folder(tmp_path: Path, crownkeep: Terminal, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The files that commands are given, and a directory that counts as memory."""
    crownkeep("backup", "new-recipient", str(tmp_path / "b"), "--shares", "2", "--needed", "2")
    (tmp_path / "run").mkdir(mode=0o700)
    (tmp_path / "mounts").write_text(f"tmpfs {tmp_path / 'run'} tmpfs rw 0 0\n")
    monkeypatch.setattr(keys_split, "_MOUNTS", tmp_path / "mounts")
    publisher = certify("publisher")
    (tmp_path / "list").write_bytes(hashed("hunter2"))
    (tmp_path / "root.pem").write_bytes(pem(publisher))
    (tmp_path / "blob").write_bytes(metadata_blob(certify("signer", publisher), number=1))
    (tmp_path / "tokens.csv").write_text(f"serial,seed\nGAHT12345678,{BASE32}\n")
    return tmp_path


def test_a_change_by_a_command_is_in_the_trail(crownkeep: Terminal, made: Callable[..., dict[str, Any]], folder: Path):
    answer = made("--admin-user", "admin")
    (folder / "found").write_text(answer["admin"]["access_key_id"])

    def records(event: str) -> set[str]:
        copy, moved = folder / "new", folder / "moved.db"
        # To list what is not there would make it.
        copies: list[tuple[str, ...]] = [("--data", str(copy))] * copy.exists()
        copies += [("--data", str(copy), "--database", f"sqlite:///{moved}")] * moved.exists()
        trails = ((), ("--account", answer["account_id"]), ("--account", MADE), *(copies if event in OF_COPIES else ()))
        listed = [crownkeep("trail", "list", *trail, "--json").json()["events"] for trail in trails]
        return {record["eventID"] for events in listed for record in events if record["eventName"] == event}

    silent = []
    for words, event in CHANGES.items():
        before = records(event)
        given = {"account_id": answer["account_id"], "folder": folder, "vkey": VKEY, "pattern": "{$.eventName=StopLogging}"}
        given["month"] = f"{clock.now():%Y-%m}"
        crownkeep(*words.format(**given).split())
        if not records(event) - before:
            silent.append(words)

    assert [] == silent


def test_no_command_that_changes_something_is_left_out():
    changing = commands().keys() - NO_CHANGE.keys() - KEY_FILE.keys()

    assert changing == {max((each for each in commands() if f"{words} ".startswith(f"{each} ")), key=len) for words in CHANGES}
