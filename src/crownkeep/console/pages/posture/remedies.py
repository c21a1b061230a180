"""Remedies: the button that sets a recommendation right, and the page it leads to."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.requests import Request

from crownkeep.advisor.recommendations import Recommendation, Remedy, Status
from crownkeep.console.kit import evidence_asked, report_lines, signed_audits
from crownkeep.console.kit.calls import Refused
from crownkeep.console.pages.posture import last_root_use
from crownkeep.translation import gettext, gettext_noop

_CONTACT = "/console/account/alternate-contacts/"
BUTTONS = {
    Remedy.USERS: (gettext_noop("View users"), "/console/users"),
    Remedy.CREATE_USER: (gettext_noop("Create administrator"), "/console/create-user?for=administrator"),
    Remedy.CHOOSE_POLICY: (gettext_noop("Choose a policy"), "/console/password-policy"),
    Remedy.PASSWORD_POLICY: (gettext_noop("View the policy"), "/console/password-policy"),
    Remedy.CREATE_ALIAS: (gettext_noop("Create alias"), "/console/account/alias"),
    Remedy.EDIT_ALIAS: (gettext_noop("Edit alias"), "/console/account/alias"),
    Remedy.ADD_OWNER: (gettext_noop("Add contact"), "/console/account/contact"),
    Remedy.ADD_BILLING: (gettext_noop("Add contact"), f"{_CONTACT}billing"),
    Remedy.ADD_OPERATIONS: (gettext_noop("Add contact"), f"{_CONTACT}operations"),
    Remedy.ADD_SECURITY: (gettext_noop("Add contact"), f"{_CONTACT}security"),
    Remedy.EDIT_SECURITY: (gettext_noop("Edit contact"), f"{_CONTACT}security"),
    Remedy.CONTACTS: (gettext_noop("View contacts"), "/console/account"),
    Remedy.ADD_PASSKEY: (gettext_noop("Add a passkey"), "/console/mfa/add"),
    Remedy.ASSIGN_MFA: (gettext_noop("Assign MFA device"), "/console/mfa/add"),
    Remedy.REPORT: (gettext_noop("View report"), report_lines.PATH),
    Remedy.MAKE_REPORT: (gettext_noop("Generate report"), report_lines.PATH),
    Remedy.REPORT_UNUSED: (gettext_noop("View unused"), f"{report_lines.PATH}?show=unused"),
    Remedy.REPORT_OLD: (gettext_noop("View old"), f"{report_lines.PATH}?show=old"),
    Remedy.START_AUDIT: (gettext_noop("Start audit"), signed_audits.PATH),
    Remedy.AUDITS: (gettext_noop("View audits"), signed_audits.PATH),
    Remedy.ROOT_KEYS: (gettext_noop("Delete root's keys"), last_root_use.KEYS),
    Remedy.ROOT_TRAIL: (gettext_noop("View root's use"), "/console/trail/root"),
    Remedy.TRAIL: (gettext_noop("View trail"), "/console/trail"),
}
"""What a button says and where it leads, by the advisor's name of the remedy."""


@dataclass(frozen=True, slots=True)
class ShownRecommendation:
    """A recommendation with its button."""

    slug: str
    title: str
    why: str
    status: Status
    detail: str
    fix: str
    path: str
    refused: Refused | None


def shown(request: Request, each: Recommendation) -> ShownRecommendation:
    """Return a recommendation as the page shows it."""
    refused = evidence_asked.refused(request, each.missing) if each.missing is not None else None
    label, path = BUTTONS[each.remedy] if each.remedy is not None else ("", "")
    return ShownRecommendation(
        each.slug, gettext(each.title), gettext(each.why), each.status, each.detail, gettext(label), path, refused
    )
