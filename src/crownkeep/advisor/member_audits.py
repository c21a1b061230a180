"""An organization's accounts, audited several at a time: by a role in each, or as root for the audit task."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from enum import Enum
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from crownkeep import arn
from crownkeep.advisor import calls, findings, reader
from crownkeep.advisor.evidence import Missing
from crownkeep.advisor.findings import Acceptance, Report
from crownkeep.advisor.reader import Clients, NoAccount, Progress

ROLE = "OrganizationAccountAccessRole"
"""What Organizations makes in every account that it creates."""
AT_ONCE = 4
_WORKERS = 4
_SESSION = "crownkeep-audit"
_SECONDS = 900
_TASK = "arn:aws:iam::aws:policy/root-task/IAMAuditRootUserCredentials"

SessionClients = Callable[[Mapping[str, Any]], Clients]
"""Makes clients that sign with the `Credentials` that STS has given."""


class MemberEntry(Enum):
    """How a member is entered."""

    ROLE = "role"
    ROOT = "root"
    """Root for the task of auditing its credentials: what that task does not allow is unknown."""


@dataclass(frozen=True, slots=True)
class AuditedMember:
    """An account and its report, or why there is none."""

    account_id: str
    name: str
    report: Report | None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class MemberAudits:
    """How to reach an organization's accounts."""

    clients: Clients
    session: SessionClients
    entry: MemberEntry = MemberEntry.ROLE
    role: str = ROLE

    def audit(self, accepted: Sequence[Acceptance] = (), *, on_progress: Progress | None = None) -> list[AuditedMember]:
        """Audit every active account; raises NoAccount where they can't be listed. One that can't be entered stops no other."""
        own, accounts = self._accounts()
        found: dict[str, AuditedMember] = {}
        with ThreadPoolExecutor(max_workers=AT_ONCE) as pool:
            running = [pool.submit(self._audited, own, account_id, name, accepted) for account_id, name in accounts]
            for done, each in enumerate(as_completed(running), start=1):
                audited = each.result()
                found[audited.account_id] = audited
                if on_progress is not None:
                    on_progress(done, len(accounts))
        return [found[account_id] for account_id, _ in accounts]

    def _accounts(self) -> tuple[str, list[tuple[str, str]]]:
        identity = reader.ask(self.clients, calls.IDENTITY)
        listed = reader.ask(self.clients, calls.ORGANIZATION_ACCOUNTS)
        for each in (identity, listed):
            if isinstance(each, Missing):
                raise NoAccount(f"{each.question.action} was refused: {each.message}")
            if each.value is None:
                raise NoAccount("the account is in no organization")
        return str(_value(identity)["Account"]), list(_active(_value(listed)))

    def _audited(self, own: str, account_id: str, name: str, accepted: Sequence[Acceptance]) -> AuditedMember:
        try:
            clients = self.clients if account_id == own else self.session(self._credentials(account_id))
            evidence = reader.gather(clients, workers=_WORKERS)
        except (ClientError, BotoCoreError, NoAccount) as error:
            return AuditedMember(account_id, name, None, str(error))
        # A profile or a role that leads elsewhere must not have another account judged under this one's name.
        if evidence.account_id != account_id:
            return AuditedMember(account_id, name, None, f"the session is one of account {evidence.account_id}")
        return AuditedMember(account_id, name, findings.audit(evidence, accepted))

    def _credentials(self, account_id: str) -> Mapping[str, Any]:
        sts = self.clients("sts", arn.GLOBAL_REGION)
        if self.entry is MemberEntry.ROOT:
            given = {"TargetPrincipal": account_id, "TaskPolicyArn": {"arn": _TASK}, "DurationSeconds": _SECONDS}
            credentials: Mapping[str, Any] = reader.invoke(sts, "AssumeRoot", given)["Credentials"]
            return credentials
        given = {"RoleArn": arn.iam(account_id, f"role/{self.role}"), "RoleSessionName": _SESSION, "DurationSeconds": _SECONDS}
        taken: Mapping[str, Any] = reader.invoke(sts, "AssumeRole", given)["Credentials"]
        return taken


def _value(answer: Any) -> Mapping[str, Any]:
    value: Mapping[str, Any] = answer.value
    return value


def _active(listed: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for each in listed.get("Accounts", []):
        if each.get("Status", "ACTIVE") == "ACTIVE":
            yield str(each["Id"]), str(each.get("Name", ""))
