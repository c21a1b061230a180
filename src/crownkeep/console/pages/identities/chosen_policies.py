"""Several users, groups or roles at once given a managed policy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from starlette.requests import Request

from crownkeep.console.kit import parts
from crownkeep.console.kit.chosen_rows import AskedField, ChosenAct, Planned
from crownkeep.console.kit.identity_kinds import IdentityKind
from crownkeep.translation import gettext, gettext_noop

_SUGGESTED = 1000


def attaching(kind: IdentityKind) -> ChosenAct:
    """Return the act that attaches a policy to several identities of a kind."""

    async def plan(_: Request, names: Sequence[str], entered: Mapping[str, str]) -> Planned:
        arn = entered["policy"]
        if not arn:
            return Planned(())
        wanted, back = (tuple(kind.call(verb, "Policy", name, PolicyArn=arn) for name in names) for verb in ("Attach", "Detach"))
        return Planned(wanted, back)

    return ChosenAct(
        gettext_noop("Attach a policy"),
        gettext_noop("Attach a policy to them"),
        gettext_noop("Attach the policy"),
        _attached,
        plan,
        (AskedField("policy", gettext_noop("ARN of the policy"), 2048),),
        gettext_noop("Which policy?"),
        _policies,
    )


def _attached(_: Planned, rows: str, entered: Mapping[str, str]) -> str:
    return gettext(
        "The policy %(policy)s would be attached to %(chosen)s. What it allows and denies applies at once.",
        policy=entered["policy"],
        chosen=rows,
    )


async def _policies(request: Request) -> Sequence[str]:
    """Suggest the account's own policies; the page of a policy of AWS's shows its ARN."""
    listed = await parts.ask(request, "ListPolicies", Scope="Local", MaxItems=_SUGGESTED)
    return [each["Arn"] for each in listed.rows("Policies")]
