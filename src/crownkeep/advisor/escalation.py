"""Ways to become an administrator: each step is decided by the engine that enforces, and the shortest path is shown."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from crownkeep.advisor import entities, policy_sets
from crownkeep.advisor.permissions import Grantee, Grantees
from crownkeep.advisor.view import View
from crownkeep.policy import (
    Context,
    MalformedPolicy,
    PolicyKind,
    PolicyRequest,
    PolicySet,
    PolicySource,
    ResourcePolicyRole,
    authorize,
)

MOST_SHOWN = 50

_PASSING = (
    ("lambda:CreateFunction", "lambda:InvokeFunction", "lambda.amazonaws.com"),
    ("ec2:RunInstances", "", "ec2.amazonaws.com"),
    ("cloudformation:CreateStack", "", "cloudformation.amazonaws.com"),
    ("glue:CreateDevEndpoint", "", "glue.amazonaws.com"),
    ("codebuild:CreateProject", "codebuild:StartBuild", "codebuild.amazonaws.com"),
    ("ecs:RegisterTaskDefinition", "ecs:RunTask", "ecs-tasks.amazonaws.com"),
    ("sagemaker:CreateNotebookInstance", "sagemaker:CreatePresignedNotebookInstanceUrl", "sagemaker.amazonaws.com"),
)
"""What runs with a role that is passed to it: the action that makes it, the one that runs it, and the service."""


@dataclass(frozen=True, slots=True)
class Path:
    """How somebody becomes an administrator, step by step."""

    arn: str
    text: str


def paths(found: Grantees, view: View) -> list[Path]:
    """Return the shortest way of everybody who has one and is no administrator.

    It is searched backwards, from administrators to those who reach them: what a thousand users may do to one another matters
    only where one of them leads on.
    """
    everybody = [*found.users, *found.roles]
    # They are where every path ends, so none is searched for from them.
    administrators = {each.arn for each in found.administrators}
    ways = _Ways(entities.of(view), administrators, view.account_id)
    said: dict[str, str] = {}
    left = [each for each in everybody if each.arn not in administrators]
    for each in left:
        # The first way found is enough: one is as bad as several.
        alone = next(ways.alone(each), None)
        if alone is not None:
            said[each.arn] = alone
    reached = [*(each.arn for each in found.administrators), *said]
    while reached:
        left = [each for each in left if each.arn not in said]
        # Breadth first: whoever is reached in one round needs one step more than in the round before, so each path is the
        # shortest.
        newly = {each.arn: way for each in left if (way := _way_to_any(ways, each, reached, said)) is not None}
        said |= newly
        reached = list(newly)
    return [Path(each.arn, f"{each.name}: {said[each.arn]}.") for each in everybody if each.arn in said][:MOST_SHOWN]


def _way_to_any(ways: _Ways, actor: Grantee, targets: list[str], said: dict[str, str]) -> str | None:
    for target in targets:
        # The way on from the target is known already, and is written behind this step.
        step = ways.step(actor, target)
        if step is not None:
            return f"{step}; then {said[target]}" if target in said else step
    return None


class _Ways:
    """The steps that somebody can take."""

    def __init__(self, account: entities.Entities, administrators: set[str], account_id: str) -> None:
        self._account = account
        self._administrators = administrators
        self._account_id = account_id
        self._users = {each.arn: each for each in account.users}
        self._roles = {each.arn: each for each in account.roles if not each.is_service_linked}
        self._trusts = {arn: _trust(role) for arn, role in self._roles.items()}

    def alone(self, actor: Grantee) -> Iterator[str]:
        """Yield what makes an administrator of somebody without anybody else.

        A boundary holds whatever somebody gives itself: changing its own policies then leads nowhere.
        """
        # The boundary stays, whatever is attached.
        if actor.applicable.boundary is not None:
            return
        user, role = self._users.get(actor.arn), self._roles.get(actor.arn)
        kind = "User" if user is not None else "Role"
        # Either lets somebody give themselves any permission there is.
        for action in (f"iam:Attach{kind}Policy", f"iam:Put{kind}Policy"):
            if actor.may(action, actor.arn):
                yield f"{action} on itself"
        held = self._account.of_user(user) if user is not None else role.own if role is not None else ()
        for arn in [each.arn for each in held]:
            # Nobody can change AWS's own policies, and an inline one has no versions.
            if arn and ":iam::aws:" not in arn and actor.may("iam:CreatePolicyVersion", arn):
                yield f"iam:CreatePolicyVersion on its own policy {arn.rpartition('/')[2]}"
        if user is not None:
            yield from self._by_groups(actor, user)

    def step(self, actor: Grantee, target: str) -> str | None:
        """Return how somebody takes the place of somebody else."""
        if target == actor.arn:
            return None
        if target in self._users:
            return self._by_credentials(actor, self._users[target])
        return self._by_role(actor, self._roles[target])

    def _by_groups(self, actor: Grantee, user: entities.User) -> Iterator[str]:
        # A group that one is in can be given more; one that has it all can be joined.
        for group in self._account.groups.values():
            if group.name in user.groups:
                for action in ("iam:AttachGroupPolicy", "iam:PutGroupPolicy"):
                    if actor.may(action, group.arn):
                        yield f"{action} on its group {group.name}"
            elif _is_of_administrators(group) and actor.may("iam:AddUserToGroup", group.arn):
                yield f"iam:AddUserToGroup into {group.name}"

    def _by_credentials(self, actor: Grantee, user: entities.User) -> str | None:
        # Each of them makes a credential of the other user, and with it all that the user may do.
        for action in ("iam:CreateAccessKey", "iam:CreateLoginProfile", "iam:UpdateLoginProfile"):
            if actor.may(action, user.arn):
                return f"{action} of {user.name}"
        return None

    def _by_role(self, actor: Grantee, role: entities.Role) -> str | None:
        if actor.may("iam:UpdateAssumeRolePolicy", role.arn):
            return f"iam:UpdateAssumeRolePolicy of {role.name}"
        if self._may_assume(actor, role):
            return f"sts:AssumeRole of {role.name}"
        # Most can't pass any role, and for them the services need not be looked at one by one.
        if not actor.could("iam:PassRole"):
            return None
        for makes, runs, service in _PASSING:
            # A policy may allow PassRole for one service only, so the question names the service.
            known = Context({"iam:PassedToService": service, "aws:PrincipalArn": actor.arn})
            passes = _trusts_service(role, service) and actor.may("iam:PassRole", role.arn, context=known)
            # All of it is needed: to pass the role, to make what runs with it and, where it doesn't start by itself, to run it.
            if passes and actor.may(makes) and (not runs or actor.may(runs)):
                return f"iam:PassRole of {role.name} with {makes}"
        return None

    def _may_assume(self, actor: Grantee, role: entities.Role) -> bool:
        trust = self._trusts[role.arn]
        # A trust policy that can't be read trusts nobody; the engine takes it so, too.
        if trust is None:
            return False
        # Taken to have MFA: whoever misuses their own rights has their own device, too.
        values = {"aws:MultiFactorAuthPresent": "true", "aws:PrincipalArn": actor.arn, "aws:PrincipalAccount": self._account_id}
        applicable = replace(actor.applicable, resource=trust, resource_role=ResourcePolicyRole.TRUST)
        return authorize(PolicyRequest(actor.principal, "sts:AssumeRole", role.arn, Context(values)), applicable).allowed


def _is_of_administrators(group: entities.AccountGroup) -> bool:
    return any(held.arn.endswith(entities.ADMINISTRATOR_ACCESS) for held in group.own)


def _trusts_service(role: entities.Role, service: str) -> bool:
    # By name alone: a condition on the service's call can't be judged from here.
    found = [each.get("Principal") for each in entities.statements(role.trust)]
    return any(isinstance(each, dict) and service in entities.listed(each.get("Service")) for each in found)


def _trust(role: entities.Role) -> PolicySet | None:
    held = entities.Held(role.name, role.arn, role.trust)
    try:
        source = PolicySource(PolicyKind.TRUST, role.name, role.name)
        return policy_sets.of([(source, held.text)])
    except MalformedPolicy:
        return None
