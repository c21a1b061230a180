"""Remedies: the button that sets a recommendation right, and the page it leads to."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.requests import Request

from crownkeep.advisor.recommendations import Recommendation, Remedy, Status
from crownkeep.console.kit import evidence_asked, report_lines, signed_audits
from crownkeep.console.kit.calls import Refused
from crownkeep.console.pages.posture import last_root_use

_CONTACT = "/console/account/alternate-contacts/"
BUTTONS = {
    Remedy.USERS: ("View users", "/console/users"),
    Remedy.CREATE_USER: ("Create administrator", "/console/create-user?for=administrator"),
    Remedy.CHOOSE_POLICY: ("Choose a policy", "/console/password-policy"),
    Remedy.PASSWORD_POLICY: ("View the policy", "/console/password-policy"),
    Remedy.CREATE_ALIAS: ("Create alias", "/console/account/alias"),
    Remedy.EDIT_ALIAS: ("Edit alias", "/console/account/alias"),
    Remedy.ADD_OWNER: ("Add contact", "/console/account/contact"),
    Remedy.ADD_BILLING: ("Add contact", f"{_CONTACT}billing"),
    Remedy.ADD_OPERATIONS: ("Add contact", f"{_CONTACT}operations"),
    Remedy.ADD_SECURITY: ("Add contact", f"{_CONTACT}security"),
    Remedy.EDIT_SECURITY: ("Edit contact", f"{_CONTACT}security"),
    Remedy.CONTACTS: ("View contacts", "/console/account"),
    Remedy.ADD_PASSKEY: ("Add a passkey", "/console/mfa/add"),
    Remedy.ASSIGN_MFA: ("Assign MFA device", "/console/mfa/add"),
    Remedy.REPORT: ("View report", report_lines.PATH),
    Remedy.MAKE_REPORT: ("Generate report", report_lines.PATH),
    Remedy.REPORT_UNUSED: ("View unused", f"{report_lines.PATH}?show=unused"),
    Remedy.REPORT_OLD: ("View old", f"{report_lines.PATH}?show=old"),
    Remedy.START_AUDIT: ("Start audit", signed_audits.PATH),
    Remedy.AUDITS: ("View audits", signed_audits.PATH),
    Remedy.ROOT_KEYS: ("Delete root's keys", last_root_use.KEYS),
    Remedy.ROOT_TRAIL: ("View root's use", "/console/trail/root"),
    Remedy.TRAIL: ("View trail", "/console/trail"),
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
    button = BUTTONS[each.remedy] if each.remedy is not None else ("", "")
    return ShownRecommendation(each.slug, each.title, each.why, each.status, each.detail, *button, refused)
