"""Can we still get in? Which ways lead into an account, what each needs, and what the loss of any one thing would mean.

A way in is a set of things that must all be there: root's password and one of its devices, say. Two ways are independent where
they need nothing in common. What every way needs is a single point of failure. The judgement is pure: facts in, verdict out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import combinations

from crownkeep.domain.accounts.access_facts import AccessFacts, SealCustody, domain_of
from crownkeep.operations.administrators import Administrator, AdministratorKind
from crownkeep.operations.sealed_acts import SealedAct

OPERATOR = "the operator of this server"
PASSWORD = "root's password"
CODES = "root's recovery codes"
_OLD_DAYS = 365
PUBLIC_DOMAINS = frozenset(
    {
        "gmail.com",
        "googlemail.com",
        "outlook.com",
        "hotmail.com",
        "live.com",
        "msn.com",
        "yahoo.com",
        "icloud.com",
        "me.com",
        "aol.com",
        "proton.me",
        "protonmail.com",
        "gmx.com",
        "gmx.de",
        "gmx.net",
        "web.de",
        "mail.com",
        "mail.ru",
        "yandex.com",
        "yandex.ru",
        "qq.com",
        "163.com",
        "zoho.com",
    }
)
"""Where anybody has a mailbox: no colleague can reset its password."""


@dataclass(frozen=True, slots=True)
class WayIn:
    """One way into an account, and everything that it needs."""

    name: str
    needs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Loss:
    """What it would mean to lose one thing."""

    what: str
    ways_left: tuple[str, ...]

    @property
    def is_final(self) -> bool:
        """Whether nobody could get in any more."""
        return not self.ways_left

    @property
    def text(self) -> str:
        """The sentence that says it."""
        if self.is_final:
            return f"without {self.what}, locked out for good"
        more = len(self.ways_left) - 1
        other = f" or {more} other way{'s' if more > 1 else ''}" if more else ""
        return f"without {self.what}, still recoverable: {self.ways_left[0]}{other}"


@dataclass(frozen=True, slots=True)
class RecoverabilityAnswer:
    """The answer to "can we still get in?"."""

    ways: tuple[WayIn, ...]
    losses: tuple[Loss, ...]
    single_points: tuple[str, ...]
    """Things that every way needs."""
    has_two_independent_ways: bool
    remarks: tuple[str, ...]

    @property
    def is_recoverable(self) -> bool:
        """Whether anybody can get in as things are."""
        return bool(self.ways)

    @property
    def sentence(self) -> str:
        """The verdict in a sentence."""
        if not self.ways:
            return "Nobody can get into this account any more."
        if self.has_two_independent_ways:
            return "At least two independent ways lead into this account."
        if self.single_points:
            points = ", ".join(self.single_points)
            return f"Every way into this account needs {points}: a single point of failure."
        return "No two ways into this account are independent of each other."


def judge(facts: AccessFacts, *, now: datetime) -> RecoverabilityAnswer:
    """Say which ways lead into an account, and what each loss would mean."""
    of_root = [each for way in (*_of_root(facts), *_of_management(facts)) for each in _under_seal(facts, way)]
    ways = (*of_root, *(_of_administrator(each) for each in facts.administrators))
    if facts.state != "ACTIVE":
        # Nobody signs in to a closed account; the operator reopens it, and then what is there counts.
        ways = tuple(WayIn(way.name, (OPERATOR, *(each for each in way.needs if each != OPERATOR))) for way in ways)
    things = list(dict.fromkeys(thing for way in ways for thing in way.needs))
    losses = tuple(Loss(thing, tuple(way.name for way in ways if thing not in way.needs)) for thing in things)
    return RecoverabilityAnswer(
        ways=ways,
        losses=losses,
        single_points=tuple(loss.what for loss in losses if loss.is_final),
        # Pairs of a few dozen ways; MOST_ADMINISTRATORS bounds them.
        has_two_independent_ways=any(not set(one.needs) & set(other.needs) for one, other in combinations(ways, 2)),
        remarks=tuple(_remarks(facts, now)),
    )


def mailbox_needs(address: str) -> tuple[str, str]:
    """Return what reading a mailbox needs: the mailbox, and whoever runs its domain."""
    return f"the mailbox {address}", f"the mail domain {domain_of(address)}"


def _of_root(facts: AccessFacts) -> Iterator[WayIn]:
    if not facts.root_may_act:
        return
    mailbox = mailbox_needs(facts.mailbox.address)
    factors = [f"root's MFA device {each.serial}" for each in facts.devices]
    # Codes stand in for a device: without any device nobody is asked for one, and the codes open nothing.
    factors += [CODES] if facts.recovery_codes and facts.devices else []
    by_mail = facts.may_recover_password
    if facts.has_password:
        for factor in factors:
            yield WayIn(f"root signs in with the password and {_shown(factor)}", (PASSWORD, factor))
        if not factors:
            yield WayIn("root signs in with the password alone", (PASSWORD,))
    if not by_mail:
        return
    for factor in factors:
        yield WayIn(f"root chooses a password by mail, and signs in with {_shown(factor)}", (*mailbox, factor))
    if not factors:
        yield WayIn("root chooses a password by mail", mailbox)
        return
    yield WayIn("root's lost MFA devices are removed by mail, confirmed by the operator", (*mailbox, OPERATOR))
    if facts.custodian:
        needed = dict.fromkeys((*mailbox, f"the custodian {facts.custodian}", mailbox_needs(facts.custodian)[1]))
        yield WayIn("root's lost MFA devices are removed by mail, confirmed by the custodian", tuple(needed))


def _shown(factor: str) -> str:
    return factor.removeprefix("root's ")


def _of_management(facts: AccessFacts) -> Iterator[WayIn]:
    if facts.managed_by and facts.root_may_act:
        needed = (f"account {facts.managed_by}, which manages the organization", *mailbox_needs(facts.mailbox.address))
        yield WayIn("the organization lets root choose a password by mail, and removes its MFA devices", needed)


def _under_seal(facts: AccessFacts, way: WayIn) -> Iterator[WayIn]:
    """Yield how a way of root's is gone where root is sealed: with the custodians, or slowly and without them."""
    custody = facts.custody
    is_by_mail = mailbox_needs(facts.mailbox.address)[0] in way.needs
    # A way by mail is closed by either seal: it chooses a password, and signs in with it.
    covered = {SealedAct.ROOT_SIGN_IN.value, *([SealedAct.ROOT_RECOVERY.value] if is_by_mail else [])}
    if custody is None or not covered & custody.acts:
        yield way
        return
    if custody.can_act:
        yield WayIn(f"{way.name}, with the approval of {custody.needed} custodians", (*way.needs, quorum(custody)))
    later = f"{way.name}, once the operator has unsealed the account, {custody.unseal_delay_hours} hours after everybody was told"
    yield WayIn(later, tuple(dict.fromkeys((*way.needs, OPERATOR))))


def quorum(custody: SealCustody) -> str:
    """Name the custodians who have to approve, as one of the things that a way needs."""
    return f"{custody.needed} of the {custody.able} custodians who can approve (team {custody.team})"


def missing_custodians(custody: SealCustody) -> Iterator[tuple[int, bool, str]]:
    """Yield what it would mean if so many custodians were missing: the number, whether the others could act, and a sentence."""
    for count in range(1, custody.able + 1):
        who = "1 custodian is" if count == 1 else f"{count} custodians are"
        if count <= custody.may_be_missing:
            yield count, True, f"if {who} missing, the others can still approve"
            continue
        later = f"only the operator can unseal the account then, and waits {custody.unseal_delay_hours} hours"
        yield count, False, f"if {who} missing, the team can approve nothing: {later}"
        return


def _of_administrator(found: Administrator) -> WayIn:
    if found.kind is AdministratorKind.ROLE:
        return WayIn(f"the role {found.name} is taken on by {found.taken_on_by}", (found.taken_on_by,))
    by = "signs in" if found.has_password else "signs with an access key"
    return WayIn(f"the user {found.name} {by}", (f"the user {found.name}",))


def _custody_remarks(custody: SealCustody) -> Iterable[str]:
    if not custody.can_act:
        yield f"the team {custody.team}, under which root is sealed, can approve nothing: {custody.able} of its people could act"
    elif not custody.may_be_missing:
        yield f"none of the custodians in the team {custody.team} may be missing: add one, or have each enrol a second key"


def _remarks(facts: AccessFacts, now: datetime) -> Iterable[str]:
    mailbox = facts.mailbox
    if mailbox.domain in PUBLIC_DOMAINS:
        yield f"root's mailbox is at {mailbox.domain}, where everybody has one: nobody of yours can get it back for you"
    if mailbox.accounts_at_domain:
        yield f"the roots of {mailbox.accounts_at_domain} other accounts have mailboxes at {mailbox.domain} as well"
    if facts.custodian and domain_of(facts.custodian) == mailbox.domain:
        yield f"the custodian's mailbox is at {mailbox.domain}, like root's: whoever runs that domain reads both"
    if any(address.lower() == mailbox.address.lower() for _, address in mailbox.contacts):
        yield "an alternate contact has root's own address: alerts about root reach nobody else by it"
    changed = facts.password_changed_at
    if facts.has_password and changed is not None and (now - changed).days > _OLD_DAYS:
        yield f"root's password is {(now - changed).days} days old: sign in with it once, and see whether anybody knows it"
    if facts.has_password and not facts.devices:
        yield "root has no MFA device: its password alone, or its mailbox alone, opens the account"
    if len(facts.devices) == 1:
        yield "root has a single MFA device: enrol a second one, and keep it at another place"
    if facts.devices and not facts.recovery_codes:
        yield "root has no recovery codes left"
    if facts.custody is not None:
        yield from _custody_remarks(facts.custody)
    elif not facts.custodian:
        yield "root has no custodian: the operator alone can confirm a recovery"
    if facts.root_keys:
        yield "root has an active access key: it can't sign in, and does not count as a way in; delete it"
    if not facts.root_may_act:
        yield "the organization's policies leave root no power to administer the account"
    for each in facts.administrators:
        if each.kind is AdministratorKind.USER and not each.mfa_devices:
            yield f"the administrator {each.name} has no MFA device"
    if not facts.are_all_named:
        yield f"there are more administrators than the {len(facts.administrators)} that are named"
