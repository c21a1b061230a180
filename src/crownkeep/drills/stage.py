"""The stage of a drill: a fork, and what people do on it: root signs in, reads its mail, and proves what it has.

Nobody tells a drill root's password, nor holds its devices for it. In the fork the password is replaced by one of the drill's,
and one-time codes are made from the device's own seed. A passkey, whose private key nobody has, is replaced by a device that can
be used.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import count
from urllib.parse import parse_qs, urlsplit

from crownkeep import clock, ids
from crownkeep.alerts import sealed_outbox
from crownkeep.arn import GLOBAL_REGION
from crownkeep.credentials import access_keys as minting
from crownkeep.credentials import passwords, totp
from crownkeep.credentials.access_keys import KeyPrefix
from crownkeep.credentials.one_time_links import InvalidLink, LinkPurpose
from crownkeep.credentials.secret import Secret
from crownkeep.domain.approvals import custody
from crownkeep.domain.approvals.custody import TeamCustody
from crownkeep.domain.credentials import mfa
from crownkeep.drills.report import WayClosed
from crownkeep.operations import registry, sealed
from crownkeep.operations.call import Origin, Request, Result
from crownkeep.operations.invoke import Door
from crownkeep.principals import Operator, Principal
from crownkeep.signin import acting, enrolment, entry, factors, recovery, root_passwords, sessions
from crownkeep.signin.acting import Actor
from crownkeep.signin.enrolment import ProgressBinding
from crownkeep.signin.entry import Visit
from crownkeep.signin.factors import Code
from crownkeep.signin.flow import EnrolStep, FactorStep, Method
from crownkeep.signin.progress import Arrived, Next, Progress
from crownkeep.signin.sessions import SessionBinding
from crownkeep.storage.accounts import accounts
from crownkeep.storage.accounts.accounts import AccountRow
from crownkeep.storage.approvals import seals, teams
from crownkeep.storage.credentials import access_keys, mfa_devices
from crownkeep.storage.credentials.access_keys import AccessKeyRow
from crownkeep.storage.credentials.mfa_devices import DeviceKind, MfaDeviceRow
from crownkeep.storage.database import Database
from crownkeep.storage.notices import outbox

_STEP = timedelta(seconds=90)
"""Between two steps, so that a one-time code is never used twice."""
_SEED_BYTES = 20
_MOST_NOTICES = 200


@dataclass(slots=True)
class DrillStage:
    """A fork, and the one account in it that the drill is about."""

    database: Database
    door: Door
    account_id: str
    now: datetime
    password: Secret

    @classmethod
    def set_up(cls, database: Database, door: Door, account_id: str) -> DrillStage:
        """Make a stage on which root's password is known and its devices can be used."""
        made = cls(database, door, account_id, clock.now(), Secret(f"drill-{clock.token_bytes(12).hex()}-A1!"))
        made._take_password()
        made._take_devices()
        return made

    @property
    def account(self) -> AccountRow:
        """The account as it is now."""
        with self.database.snapshot() as db:
            row = accounts.with_id(db, self.account_id)
        if row is None:
            raise WayClosed("the account is gone")
        return row

    @property
    def devices(self) -> list[MfaDeviceRow]:
        """Root's MFA devices as they are now."""
        with self.database.snapshot() as db:
            return mfa_devices.of_owner(db, self.account_id, self.account_id)

    def visit(self) -> Visit:
        """Come a little later, from the server itself."""
        self.now += _STEP
        return Visit(self._origin(), self.now, "/console")

    async def ask_operator(self, operation: str, **parameters: object) -> Result:
        """Have the operator do something; raises the AwsError that it is refused with."""
        service = registry.service("operator")
        found = service.find(operation) if service else None
        if found is None:
            raise LookupError(f"the operator's service has no operation `{operation}`")
        answer = await self.door.invoke(Request(found, parameters, Operator(), self._origin(), self.now))
        if answer.error is not None:
            raise answer.error
        return answer.result

    async def as_root(self, arrived: Arrived, service: str, operation: str, **parameters: object) -> Result:
        """Call an operation from root's browser session; raises the AwsError that it is refused with."""
        session = sessions.current(self.door, arrived.opened.token.reveal(), now=self.now)
        if session is None:
            raise WayClosed("the session has ended")
        actor = Actor(session.principal, self._origin(), self.now, SessionBinding(session))
        return await acting.call(self.door, actor, service, operation, parameters)

    def mail(self, kind: str, value: str) -> str:
        """Return what the newest notice of a kind says; raises WayClosed where there is none."""
        found = [row for row in self._notices() if row.kind == kind and row.recipient]
        if not found:
            raise WayClosed("no such mail was written")
        return str(sealed_outbox.read(self.door.wiring.keyring, found[-1])[value])

    def mailed_token(self, kind: str) -> str:
        """Return the token of the link in the newest notice of a kind."""
        return parse_qs(urlsplit(self.mail(kind, "link")).query)["token"][0]

    async def enter(self) -> Next | Arrived:
        """Sign root in with the password alone, as far as that leads; raises WayClosed."""
        entered = await entry.enter_as_root(self.door, self.visit(), email=self.account.email, password=self.password)
        return _went_on(entered)

    async def choose_password(self) -> Next | Arrived:
        """Choose a new password by a mailed link, as whoever reads root's mailbox."""
        email, visit = self.account.email, self.visit()
        await recovery.request_password(self.door, email, origin=visit.origin, now=visit.now)
        self.password = Secret(f"drill-{clock.token_bytes(12).hex()}-B2!")
        token = self.mailed_token("password-link")
        try:
            entered = await root_passwords.choose(
                self.door, self.visit(), token, self.password, purpose=LinkPurpose.RESET_ROOT_PASSWORD
            )
        except InvalidLink as error:
            raise WayClosed("the link is not good") from error
        if isinstance(entered, root_passwords.PasswordRefused):
            raise WayClosed("the password is not taken")
        return _went_on(entered)

    async def prove_device(self, at: Next | Arrived) -> Next | Arrived:
        """Prove one of root's devices where the sign-in asks for one."""
        if not isinstance(at, Next) or not isinstance(at.step, FactorStep):
            return at
        device = next((each for each in self.devices if each.sealed_seed is not None), None)
        if device is None:
            raise WayClosed("a device is asked for, and there is none")
        visit = self.visit()
        seed = mfa.seed_of(self.door.wiring.keyring, device)
        answer = Code(device.serial, totp.code_at(seed, _totp_step(visit.now)))
        return _went_on(await factors.present(self.door, visit, at.progress, answer))

    async def enrol_device(self, at: Next | Arrived) -> Arrived:
        """Enrol a device where the sign-in asks for that, and arrive."""
        if isinstance(at, Arrived):
            return at
        if not isinstance(at.step, EnrolStep):
            raise WayClosed("the sign-in asks for something else")
        visit = self.visit()
        enrolling = await enrolment.new_virtual_device(
            self.door, enrolment.actor_in(at.progress, visit), f"drill-{clock.token_bytes(4).hex()}"
        )
        binding = ProgressBinding(replace(at.progress, enrolling=enrolling))
        seed, step = totp.read_seed(enrolling.seed), _totp_step(visit.now)
        codes = {"code1": totp.code_at(seed, step - 1), "code2": totp.code_at(seed, step)}
        await enrolment.enable(self.door, enrolment.actor_in(at.progress, visit, binding), enrolling, **codes)
        made: Progress = enrolment.enrolled(binding.progress, Method.TOTP, enrolling.serial)
        entered = _went_on(await enrolment.go_on(self.door, self.visit(), made))
        if not isinstance(entered, Arrived):
            raise WayClosed("the sign-in asks for something else")
        return entered

    def make_root_key(self) -> str:
        """Give root an access key, as if it had had one, and return its id."""
        access_key_id = minting.mint(KeyPrefix.LONG_TERM, self.account_id, clock.token_bytes(minting.ID_ENTROPY))
        secret = minting.mint_secret(clock.token_bytes(minting.SECRET_ENTROPY))
        blob = sealed.seal_access_key_secret(
            self.door.wiring.keyring, secret, account_id=self.account_id, access_key_id=access_key_id
        )
        row = AccessKeyRow(access_key_id, self.account_id, self.account_id, blob, "Active", self.now, None, None, None)
        with self.database.transaction() as db:
            access_keys.add(db, row)
            accounts.touch(db, self.account_id, clock.revision())
        return access_key_id

    @property
    def is_sealed(self) -> bool:
        """Whether the account is sealed now."""
        with self.database.snapshot() as db:
            return seals.of_account(db, self.account_id) is not None

    def custody(self) -> TeamCustody | None:
        """Return the team of the account's seal as it could act; None where there is no such team."""
        with self.database.snapshot() as db:
            seal = seals.of_account(db, self.account_id)
            return None if seal is None else next(iter(custody.of_teams(db, teams.with_ids(db, [seal.team_id]))), None)

    async def lift_seal(self) -> None:
        """Go on as if the custodians had approved everything that follows."""
        with self.database.transaction() as db:
            seals.remove(db, self.account_id)
            accounts.touch(db, self.account_id, clock.revision())

    async def begin_unseal(self) -> Result:
        """Have the operator begin to lift the seal without its team."""
        return await self.ask_operator("BeginUnsealWithoutTeam", account_id=self.account_id)

    async def finish_unseal(self) -> Result:
        """Let the seal's delay pass, and have the operator lift it."""
        with self.database.snapshot() as db:
            seal = seals.of_account(db, self.account_id)
        if seal is None or seal.unseals_at is None:
            raise WayClosed("nobody has begun to lift the seal")
        self.now = max(self.now, seal.unseals_at)
        return await self.ask_operator("FinishUnsealWithoutTeam", account_id=self.account_id)

    async def caller_of_key(self, access_key_id: str) -> Principal:
        """Return whom an access key makes of its holder, as a signed request does; raises WayClosed where it is refused."""
        with self.database.snapshot() as db:
            standing = self.door.wiring.standings.of_account(db, self.account_id)
            key = standing.signing_key(db, access_key_id) if standing is not None else None
        if key is None or not key.is_active:
            raise WayClosed("the key is refused")
        return key.principal

    def _origin(self) -> Origin:
        request_id = ids.request_id(clock.token_bytes(16))
        return Origin(source_ip="localhost", user_agent="crownkeep drill", region=GLOBAL_REGION, request_id=request_id)

    def _notices(self) -> Iterator[outbox.NoticeRow]:
        with self.database.snapshot() as db:
            yield from outbox.page(db, after="", limit=_MOST_NOTICES)

    def _take_password(self) -> None:
        account = self.account
        if account.root_password_hash is None:
            return
        made = passwords.hash_password(
            self.password, salt=clock.token_bytes(passwords.SALT_SIZE), cost=entry.cost(self.door.wiring)
        )
        with self.database.transaction() as db:
            accounts.change(db, self.account_id, root_password_hash=made)

    def _take_devices(self) -> None:
        numbers = count(1)
        with self.database.transaction() as db:
            for device in mfa_devices.of_owner(db, self.account_id, self.account_id):
                if device.kind is not DeviceKind.FIDO:
                    continue
                # No copy of a passkey's private key is anywhere: a device with the same name stands in for it.
                seed = totp.seed_text(clock.token_bytes(_SEED_BYTES))
                blob = sealed.seal_totp_seed(self.door.wiring.keyring, seed, account_id=self.account_id, serial=device.serial)
                mfa_devices.remove(db, self.account_id, device.device_id)
                stand_in = replace(
                    device,
                    kind=DeviceKind.VIRTUAL,
                    sealed_seed=blob,
                    credential_id=None,
                    public_key=None,
                    signature_count=None,
                    aaguid=None,
                    name=f"{device.name}-{next(numbers)}",
                )
                mfa_devices.add(db, stand_in)
            accounts.touch(db, self.account_id, clock.revision())


def _totp_step(now: datetime) -> int:
    return int(now.timestamp()) // 30


def _went_on(entered: object) -> Next | Arrived:
    if isinstance(entered, Next | Arrived):
        return entered
    raise WayClosed(f"the sign-in did not go on: {type(entered).__name__.lower()}")
