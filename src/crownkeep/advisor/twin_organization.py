"""An organization's twin: its units, control policies and, as empty accounts, its members, made anew below a twin's account.

Ids are given by the server, so each call names what an earlier one answered. What is there already, by its name, is kept.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from crownkeep.advisor import calls, organization
from crownkeep.advisor.evidence import ApiQuestion, Evidence
from crownkeep.advisor.plans import PlannedCall
from crownkeep.advisor.view import CannotTell, DoesNotApply, View

_SCP = "SERVICE_CONTROL_POLICY"
_FULL_ACCESS = "p-FullAWSAccess"
_THERE = frozenset(
    {
        "AlreadyInOrganizationException",
        "PolicyTypeAlreadyEnabledException",
        "DuplicateOrganizationalUnitException",
        "DuplicatePolicyException",
        "DuplicatePolicyAttachmentException",
        "PolicyNotAttachedException",
        "DuplicateAccountException",
    }
)


class CallRefused(Exception):
    """The server refused a call; `code` is the error's."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class Caller(Protocol):
    """Makes a call of the AWS API, and returns its answer; raises CallRefused."""

    def __call__(self, call: PlannedCall, /) -> Mapping[str, Any]:
        """Make it."""
        ...


@dataclass(frozen=True, slots=True)
class ImportedCall:
    """What became of a call: `made`, `there`, or why it was left out."""

    call: PlannedCall
    state: str
    reason: str = ""


def make(caller: Caller, evidence: Evidence, account_id: str) -> list[ImportedCall]:
    """Make the twin of the organization that the account of the evidence leads, below another; nothing where it leads none."""
    view = View(evidence)
    try:
        organization.lead(view)
        roots = view.get(calls.ORGANIZATION_ROOTS)["Roots"]
        policies = view.get(calls.SCPS).get("Policies", [])
    except (DoesNotApply, CannotTell):
        return []
    twin = _Twin(caller, view, account_id)
    try:
        for root in roots[:1]:
            twin.begin(root)
            twin.add_below(root["Id"])
            for policy in policies:
                twin.add_policy(policy)
            twin.take_full_access_away()
    except _Unlisted as stopped:
        # What is there already can't be known, and so nothing more can be told from it.
        twin.outcomes.append(ImportedCall(stopped.call, "left out", str(stopped)))
    return twin.outcomes


class _Unlisted(Exception):
    """The server refused to list what is there."""

    def __init__(self, call: PlannedCall, message: str) -> None:
        super().__init__(message)
        self.call = call


class _Twin:
    """What was made so far, with the new id of each old one."""

    def __init__(self, caller: Caller, view: View, account_id: str) -> None:
        self._caller = caller
        self._view = view
        self._ids = {view.account_id: account_id, _FULL_ACCESS: _FULL_ACCESS}
        self._root = ""
        self._members: dict[str, str] = {}
        """The accounts that are in the twin's organization already, by address."""
        self._bound: set[str] = set()
        """The old ids of all that a policy can be attached to."""
        self.outcomes: list[ImportedCall] = []

    def begin(self, root: Mapping[str, Any]) -> None:
        """Have an organization, and control policies in force where they were."""
        self._do("CreateOrganization", FeatureSet="ALL")
        self._root = str(self._list("ListRoots", "Roots")[0]["Id"])
        self._members = {str(each.get("Email")): str(each["Id"]) for each in self._list("ListAccounts", "Accounts")}
        self._know(str(root["Id"]), self._root)
        if any(each.get("Type") == _SCP and each.get("Status") == "ENABLED" for each in root.get("PolicyTypes", [])):
            self._do("EnablePolicyType", RootId=self._root, PolicyType=_SCP)

    def add_below(self, parent: str) -> None:
        """Make the units and accounts below the root or a unit, at every depth."""
        for account in self._found(calls.accounts_below(parent), "Accounts"):
            self._add_account(account, self._ids[parent])
        for unit in self._found(calls.units_below(parent), "OrganizationalUnits"):
            if self._add_unit(unit, self._ids[parent]):
                self.add_below(unit["Id"])

    def add_policy(self, policy: Mapping[str, Any]) -> None:
        """Make a policy, and attach it to what it was attached to."""
        old = str(policy["Id"])
        document = self._value(calls.policy_document(old)).get("Policy", {})
        if not policy.get("AwsManaged") and old != _FULL_ACCESS and document.get("Content"):
            wanted = {"Name": policy["Name"], "Description": policy.get("Description", ""), "Type": _SCP}
            answer = self._do("CreatePolicy", **wanted, Content=self._renamed(str(document["Content"])))
            made = (
                answer["Policy"]["PolicySummary"]
                if answer
                else self._named("ListPolicies", "Policies", wanted["Name"], Filter=_SCP)
            )
            if made is not None:
                self._ids[old] = str(made["Id"])
        if old in self._ids:
            for target in self._targets(old):
                if target in self._ids:
                    self._do("AttachPolicy", PolicyId=self._ids[old], TargetId=self._ids[target])

    def take_full_access_away(self) -> None:
        """Detach the policy that allows everything from what it was detached from; whatever is made has it at first."""
        if not self._value(calls.policy_targets(_FULL_ACCESS)):
            return
        for target in sorted(self._bound - set(self._targets(_FULL_ACCESS))):
            self._do("DetachPolicy", PolicyId=_FULL_ACCESS, TargetId=self._ids[target])

    def _add_unit(self, unit: Mapping[str, Any], parent: str) -> bool:
        answer = self._do("CreateOrganizationalUnit", ParentId=parent, Name=unit["Name"])
        listing = "ListOrganizationalUnitsForParent"
        made = (
            answer["OrganizationalUnit"] if answer else self._named(listing, "OrganizationalUnits", unit["Name"], ParentId=parent)
        )
        if made is not None:
            self._know(str(unit["Id"]), str(made["Id"]))
        return made is not None

    def _add_account(self, account: Mapping[str, Any], parent: str) -> None:
        old = str(account["Id"])
        if old != self._view.account_id:
            # At an address that nobody has: mail of a rehearsal reaches nobody's root.
            email = f"{old}@twin.invalid"
            made = self._members.get(email) or self._made_account(str(account["Name"]), email)
            if made is None:
                return
            self._know(old, str(made))
        self._bound.add(old)
        is_there = self._ids[old] in self._members.values()
        now = str(self._list("ListParents", "Parents", ChildId=self._ids[old])[0]["Id"]) if is_there else self._root
        if now != parent:
            self._do("MoveAccount", AccountId=self._ids[old], SourceParentId=now, DestinationParentId=parent)

    def _made_account(self, name: str, email: str) -> str | None:
        answer = self._do("CreateAccount", AccountName=name, Email=email)
        status = answer.get("CreateAccountStatus", {})
        if status.get("State") == "FAILED":
            last = self.outcomes.pop()
            self.outcomes.append(ImportedCall(last.call, "left out", str(status.get("FailureReason", ""))))
        found: str | None = status.get("AccountId")
        return found

    def _know(self, old: str, new: str) -> None:
        self._ids[old] = new
        self._bound.add(old)

    def _do(self, operation: str, **parameters: Any) -> Mapping[str, Any]:
        """Make a call, keep what became of it, and return its answer; nothing where it was refused."""
        call = PlannedCall("organizations", operation, parameters)
        try:
            answer = self._caller(call)
        except CallRefused as error:
            is_there = error.code in _THERE
            self.outcomes.append(ImportedCall(call, "there" if is_there else "left out", "" if is_there else str(error)))
            return {}
        self.outcomes.append(ImportedCall(call, "made"))
        return answer

    def _list(self, operation: str, member: str, **parameters: Any) -> list[Mapping[str, Any]]:
        """Return a whole list, every page of it; raises _Unlisted."""
        found: list[Mapping[str, Any]] = []
        token: dict[str, Any] = {}
        while True:
            call = PlannedCall("organizations", operation, {**parameters, **token})
            try:
                answer = self._caller(call)
            except CallRefused as error:
                raise _Unlisted(call, str(error)) from error
            found += answer.get(member, [])
            if not answer.get("NextToken"):
                return found
            token = {"NextToken": answer["NextToken"]}

    def _named(self, operation: str, member: str, name: str, **parameters: Any) -> Mapping[str, Any] | None:
        return next((each for each in self._list(operation, member, **parameters) if each.get("Name") == name), None)

    def _targets(self, policy_id: str) -> Iterator[str]:
        for each in self._value(calls.policy_targets(policy_id)).get("Targets", []):
            yield str(each["TargetId"])

    def _found(self, asked: ApiQuestion, member: str) -> list[Mapping[str, Any]]:
        return list(self._value(asked).get(member, []))

    def _value(self, asked: ApiQuestion) -> Mapping[str, Any]:
        try:
            return self._view.find(asked) or {}
        except CannotTell:
            return {}

    def _renamed(self, document: str) -> str:
        """Put the accounts of the twin in the place of those that a policy names."""
        accounts = {old: new for old, new in self._ids.items() if old.isdigit()}
        return calls.ACCOUNT_ID.sub(lambda found: accounts.get(found[0], found[0]), document)
