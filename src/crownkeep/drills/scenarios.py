"""The drills themselves: what is lost, and the way back from it, step by step, by the same code that people would use."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from crownkeep import clock
from crownkeep.credentials.one_time_links import InvalidLink
from crownkeep.credentials.secret import Secret
from crownkeep.drills.report import DrillName, DrillReport, WayClosed
from crownkeep.drills.stage import DrillStage
from crownkeep.operations.administrators import AdministratorKind, Administrators
from crownkeep.operations.call import Result
from crownkeep.principals import Principal
from crownkeep.signin import entry, mfa_recovery
from crownkeep.signin.flow import FactorStep
from crownkeep.signin.mfa_recovery import RecoveryOutcome, Requested
from crownkeep.signin.progress import Arrived, Next
from crownkeep.storage.accounts import accounts
from crownkeep.storage.credentials import access_keys, login_profiles
from crownkeep.storage.identities import users
from crownkeep.storage.sign_in import recovery_codes, root_recoveries

ROOT = "whoever knows root's password"
HOLDER = "whoever holds root's MFA device"
MAILBOX = "whoever reads root's mailbox"
OPERATOR = "the operator"
CUSTODIAN = "the custodian"
CUSTODIANS = "the custodians"
_NEW_ADDRESS = "drill@new-mailbox.example"
_NEW_CUSTODIAN = "drill@new-custodian.example"
_ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"
_RESCUED = "drill-administrator"


async def past_the_seal(stage: DrillStage, report: DrillReport) -> None:
    """Get past the seal of a sealed account: by its custodians or, where they can't approve, by the operator and the delay."""
    if not stage.is_sealed:
        return
    found = stage.custody()
    missing = 1 if report.name is DrillName.CUSTODIAN_GONE else 0
    if found is not None and found.can_act and found.may_be_missing >= missing:
        report.remarks.append("taken for granted: custodians sign with their keys, which a baseline of the team rehearses")
        needed = found.version.min_approvals
        await report.step(f"{needed} custodians of the team {found.row.name} approve each act", CUSTODIANS, stage.lift_seal())
        return
    report.remarks.append("the custodians could not approve: the operator lifts the seal, of which everybody is told")
    await report.step("the operator begins to lift the seal without its team", OPERATOR, stage.begin_unseal())
    await report.step("the seal's delay passes, and the operator lifts it", OPERATOR, stage.finish_unseal())


async def lost_mfa(stage: DrillStage, report: DrillReport) -> None:
    """Rehearse the loss of all of root's MFA devices."""
    report.lost = "all of root's MFA devices, and its recovery codes"
    await _recover_without_devices(stage, report, by_custodian=_custodian(stage) != "")


async def custodian_gone(stage: DrillStage, report: DrillReport) -> None:
    """Rehearse the same with a custodian who doesn't answer."""
    custodian = _custodian(stage)
    report.lost = "root's MFA devices, while the custodian does not answer"
    if not custodian:
        report.remarks.append("the account has no custodian: the operator confirms in any case")
    await _recover_without_devices(stage, report, by_custodian=False)
    await report.step(
        "another custodian is named",
        OPERATOR,
        stage.ask_operator("SetRootCustodian", account_id=stage.account_id, email=_NEW_CUSTODIAN),
    )


async def lost_mailbox(stage: DrillStage, report: DrillReport) -> None:
    """Rehearse the loss of root's mailbox: root gets in with what it has, and changes its address."""
    report.lost = f"root's mailbox {stage.account.email}"
    if not stage.account.root_password_hash:
        report.remarks.append("root has no password, and could choose one only by the mailbox that is lost")
    arrived = await _root_in(stage, report)
    await report.step(
        "root asks for another address, which a code goes to",
        ROOT,
        stage.as_root(arrived, "account-security", "StartRootEmailUpdate", Email=_NEW_ADDRESS),
    )
    await report.step(
        "root types the code from the new mailbox",
        "whoever reads the new mailbox",
        stage.as_root(arrived, "account-security", "AcceptRootEmailUpdate", Otp=stage.mail("email-code", "code")),
    )
    await report.step("root signs in with the new address", ROOT, _signs_in(stage))


async def leaked_root_key(stage: DrillStage, report: DrillReport) -> None:
    """Rehearse a leaked access key of root's: it is switched off, and root takes the account back."""
    key_id = _root_key(stage)
    if key_id:
        report.lost = f"the access key {key_id} of root, which somebody else has"
    else:
        key_id = stage.make_root_key()
        report.lost = "an access key of root, which somebody else has"
        report.remarks.append("root has no active access key, as it should be: one was made in the copy, for the rehearsal")
    await report.step("the leaked key is used", "whoever found it", stage.caller_of_key(key_id))
    await report.step("the key is switched off", OPERATOR, stage.ask_operator("DeactivateAccessKey", access_key_id=key_id))
    await report.step("the leaked key is refused", "whoever found it", _is_refused(stage.caller_of_key(key_id)))
    arrived = await _root_in(stage, report)
    await report.step("root deletes the key", ROOT, stage.as_root(arrived, "iam", "DeleteAccessKey", AccessKeyId=key_id))
    await report.step("all other sessions of root end", ROOT, stage.as_root(arrived, "account-security", "EndOtherSessions"))


async def admin_locked_out(stage: DrillStage, report: DrillReport) -> None:
    """Rehearse the loss of every administrator's credentials: root gets in, and lets one in again."""
    names = _lock_out(stage)
    report.lost = f"the credentials of every administrator: {', '.join(names[:5]) or 'there is none'}"
    name = names[0] if names else _RESCUED
    arrived = await _root_in(stage, report)
    if not names:
        await report.step("root makes a user", ROOT, stage.as_root(arrived, "iam", "CreateUser", UserName=name))
    given = {"UserName": name, "Password": stage.password.reveal(), "PasswordResetRequired": False}
    await report.step(f"root gives {name} a password", ROOT, stage.as_root(arrived, "iam", "CreateLoginProfile", **given))
    attach = stage.as_root(arrived, "iam", "AttachUserPolicy", UserName=name, PolicyArn=_ADMINISTRATOR)
    await report.step(f"root lets {name} administer", ROOT, attach)
    await report.step(f"{name} signs in, and is asked for MFA or arrives", f"the user {name}", _user_in(stage, name))


SCENARIOS: Mapping[DrillName, Callable[[DrillStage, DrillReport], Awaitable[None]]] = {
    DrillName.LOST_MFA: lost_mfa,
    DrillName.LOST_MAILBOX: lost_mailbox,
    DrillName.LEAKED_ROOT_KEY: leaked_root_key,
    DrillName.ADMIN_LOCKED_OUT: admin_locked_out,
    DrillName.CUSTODIAN_GONE: custodian_gone,
}


async def _root_in(stage: DrillStage, report: DrillReport) -> Arrived:
    """Get root in with its password and a device."""
    entered = await report.step("root proves the password", ROOT, _begun(stage, report))
    proved = await report.step("root proves an MFA device", HOLDER, stage.prove_device(entered)) if _asks(entered) else entered
    if isinstance(proved, Arrived):
        return proved
    return await report.step("root enrols a device, which is demanded", ROOT, stage.enrol_device(proved))


async def _begun(stage: DrillStage, report: DrillReport) -> Next | Arrived:
    if stage.account.root_password_hash:
        report.remarks.append("taken for granted: somebody knows root's password")
        return await stage.enter()
    if report.name is DrillName.LOST_MAILBOX:
        raise WayClosed("root has no password, and the mailbox by which it would choose one is lost")
    return await stage.choose_password()


async def _recover_without_devices(stage: DrillStage, report: DrillReport, *, by_custodian: bool) -> None:
    if not stage.devices:
        report.remarks.append("root has no MFA device that could be lost: its password alone opens the account")
        await _root_in(stage, report)
        return
    at = await report.step("root proves the password", ROOT, _begun(stage, report))
    await report.step("the devices are reported lost", ROOT, _requested(stage, at))
    token = stage.mailed_token("mfa-link")
    code = await report.step("the mailed link is opened, and shows a code", MAILBOX, _opened(stage, token))
    confirmed = _by_custodian(stage, code) if by_custodian else _by_operator(stage, code)
    await report.step("the code is told, and confirmed", CUSTODIAN if by_custodian else OPERATOR, confirmed)
    await report.step("the lost devices are removed", MAILBOX, _completed(stage, token))
    entered = await report.step("root signs in with the password alone", ROOT, stage.enter())
    await report.step("root enrols a new device", ROOT, stage.enrol_device(entered))


def _asks(at: Next | Arrived) -> bool:
    return isinstance(at, Next) and isinstance(at.step, FactorStep)


async def _requested(stage: DrillStage, at: Next | Arrived) -> None:
    if not isinstance(at, Next):
        raise WayClosed("no device was asked for")
    with stage.database.transaction() as db:
        # What is lost with the devices must not help.
        recovery_codes.remove_all(db, stage.account_id, stage.account_id)
    visit = stage.visit()
    outcome = await mfa_recovery.request(stage.door, at.progress, origin=visit.origin, now=visit.now)
    if not isinstance(outcome, Requested):
        raise WayClosed("the recovery was not taken on")


async def _opened(stage: DrillStage, token: str) -> Secret:
    visit = stage.visit()
    try:
        await mfa_recovery.open_link(stage.door, token, origin=visit.origin, now=visit.now)
        code = mfa_recovery.look(stage.door, token, now=visit.now).code
    except InvalidLink as error:
        raise WayClosed("the link is not good") from error
    if code is None:
        raise WayClosed("no code is shown")
    return code


async def _by_operator(stage: DrillStage, code: Secret) -> Result:
    return await stage.ask_operator("ConfirmRootRecovery", account_id=stage.account_id, code=code.reveal())


async def _by_custodian(stage: DrillStage, code: Secret) -> None:
    visit = stage.visit()
    token = stage.mailed_token("custodian-link")
    outcome = await mfa_recovery.confirm_as_custodian(stage.door, token, code, origin=visit.origin, now=visit.now)
    if outcome is not RecoveryOutcome.CONFIRMED:
        raise WayClosed("the code was not confirmed")


async def _completed(stage: DrillStage, token: str) -> None:
    visit = stage.visit()
    try:
        await mfa_recovery.complete(stage.door, token, origin=visit.origin, now=visit.now)
    except InvalidLink as error:
        raise WayClosed("the recovery is not confirmed") from error


async def _signs_in(stage: DrillStage) -> Next | Arrived:
    return await stage.prove_device(await stage.enter())


async def _is_refused(use: Awaitable[Principal]) -> None:
    try:
        await use
    except WayClosed:
        return
    raise WayClosed("the key still works")


async def _user_in(stage: DrillStage, name: str) -> None:
    visit = stage.visit()
    entered = await entry.enter_as_user(stage.door, visit, account=stage.account_id, name=name, password=stage.password)
    if not isinstance(entered, Next | Arrived):
        raise WayClosed("the sign-in did not go on")


def _custodian(stage: DrillStage) -> str:
    with stage.database.snapshot() as db:
        row = root_recoveries.custodian(db, stage.account_id)
    return row.email if row is not None else ""


def _root_key(stage: DrillStage) -> str:
    """Return the id of an active access key of root; nothing where it has none."""
    with stage.database.snapshot() as db:
        keys = access_keys.of_owner(db, stage.account_id, stage.account_id)
    return next((key.access_key_id for key in keys if key.status == "Active"), "")


def _lock_out(stage: DrillStage) -> list[str]:
    """Take every administrator's credentials away in the fork, and return the names of the users among them."""
    with stage.database.transaction() as db:
        found = list(Administrators(db, stage.account_id, now=stage.now).found())
        names = [each.name for each in found if each.kind is AdministratorKind.USER]
        rows = [users.named(db, stage.account_id, name) for name in names]
        for row in [each for each in rows if each is not None]:
            login_profiles.remove(db, stage.account_id, row.user_id)
            # Switched off and not removed: root finds in the copy what it would find in the account.
            for key in access_keys.of_owner(db, stage.account_id, row.user_id):
                access_keys.set_status(db, stage.account_id, key.access_key_id, "Inactive")
        accounts.touch(db, stage.account_id, clock.revision())
    return names
