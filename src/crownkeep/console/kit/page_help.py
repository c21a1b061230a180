"""What each page of the console is for, in two sentences, and where the manual says more."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from crownkeep.console.kit import manual
from crownkeep.translation import gettext_noop

_CONSOLE: Final = "console"


@dataclass(frozen=True, slots=True)
class PageHelp:
    """Two sentences about a page, and a heading of a document."""

    text: str
    document: str
    heading: str = ""

    @property
    def address(self) -> str:
        """Where the manual says more."""
        return manual.address(self.document, self.heading)


_USERS = PageHelp(
    gettext_noop(
        "A user is a person or a program of this account, with credentials of its own. What it may do comes from its "
        "policies, its groups' and its boundary."
    ),
    _CONSOLE,
    "users-groups-and-roles",
)
_GROUPS = PageHelp(
    gettext_noop("A group gives several users the same permissions. A group can't sign in, and no policy can trust it."),
    _CONSOLE,
    "users-groups-and-roles",
)
_ROLES = PageHelp(
    gettext_noop(
        "A role has permissions and no credentials: whoever its trust policy names takes it on for a few hours. People "
        "and programs that use roles leave no lasting key behind."
    ),
    _CONSOLE,
    "users-groups-and-roles",
)
_POLICIES = PageHelp(
    gettext_noop(
        "A managed policy is written once and attached to many. A denial in any policy wins over everything that others allow."
    ),
    _CONSOLE,
    "policies",
)
_DEVICES = PageHelp(
    gettext_noop(
        "A second factor keeps others out who have learned your password. Have two devices, and keep the second one elsewhere."
    ),
    "sign-in",
    "factors",
)
_PASSWORD_POLICY = PageHelp(
    gettext_noop(
        "These rules hold for the passwords of IAM users, not for root's. They apply to each password when it is next changed."
    ),
    _CONSOLE,
    "password-policy",
)
_SEAL = PageHelp(
    gettext_noop(
        "In a sealed account nobody uses root alone: custodians approve each act with their own security keys. The "
        "operator of this server seals an account and can't approve."
    ),
    "sealed-root",
)
_CONTROLS = PageHelp(
    gettext_noop("A control policy limits what accounts can do, whatever their own policies allow. It grants nothing."),
    "organization-policies",
)
_ORGANIZATION = PageHelp(
    gettext_noop(
        "An organization holds accounts in units, and policies bind all that is below them. Only the account that manages"
        " it can change it."
    ),
    _CONSOLE,
    "the-organization",
)
_SIGN_ON = PageHelp(
    gettext_noop(
        "Single sign-on gives people one password and one second factor for all accounts. What they may do in an account "
        "is an assignment of a permission set."
    ),
    "single-sign-on",
    "in-the-console",
)
_ALERTS = PageHelp(
    gettext_noop(
        "Every record of the trail is held against these rules, and a match is sent to people at once. What protects root"
        " can't be turned off from inside the account."
    ),
    "alerts",
)
_AUDITS = PageHelp(
    gettext_noop(
        "In an audit somebody decides on every credential: it is still needed, or it goes. The result is a file that an "
        "auditor can verify."
    ),
    "credential-audit",
    "in-the-console",
)
_SETTINGS = PageHelp(
    gettext_noop("These settings concern the whole account. Each change is an event in the trail."),
    _CONSOLE,
    "account-settings",
)
_OWN = PageHelp(
    gettext_noop(
        "These are your own credentials, and nobody else's. To take access away needs no proof; to add some, you prove "
        "again who you are."
    ),
    _CONSOLE,
    "my-security-credentials",
)

PAGES: Final[dict[str, PageHelp]] = {
    "/console": PageHelp(
        gettext_noop(
            "The first page says how secure the account is and what to do next. It asks with your permissions, each time anew."
        ),
        _CONSOLE,
        "console-home",
    ),
    "/console/users": _USERS,
    "/console/create-user": _USERS,
    "/console/user-list": _USERS,
    "/console/group-list": _GROUPS,
    "/console/role-list": _ROLES,
    "/console/groups": _GROUPS,
    "/console/create-group": _GROUPS,
    "/console/roles": _ROLES,
    "/console/create-role": _ROLES,
    "/switchrole": PageHelp(
        gettext_noop(
            "You act as the role until you switch back, with the role's permissions alone. The trail names you all the same."
        ),
        "federation",
        "switching-roles-at-the-console",
    ),
    "/console/attach": PageHelp(
        gettext_noop("Policies are found by any part of their name. Before one is attached, a review shows what it grants."),
        _CONSOLE,
        "policies-boundaries-and-passwords",
    ),
    "/console/access-keys": PageHelp(
        gettext_noop(
            "Whoever has a key and its secret acts as its user, from anywhere. Deactivate a key first and delete it "
            "later: until then you can turn it on again."
        ),
        _CONSOLE,
        "lists",
    ),
    "/console/access-key-list": PageHelp(
        gettext_noop("Several keys are changed at once, each by a call of its own. After a refusal the rest stay as they are."),
        _CONSOLE,
        "lists",
    ),
    "/console/root-keys": PageHelp(
        gettext_noop(
            "A key of root's can do everything, and no policy of the account limits it. `aws login` gives root's "
            "credentials without one."
        ),
        _CONSOLE,
        "my-security-credentials",
    ),
    "/console/identity-providers": PageHelp(
        gettext_noop("A provider vouches for people and programs elsewhere. They get in by a role whose trust policy names it."),
        _CONSOLE,
        "identity-providers",
    ),
    "/console/policies": _POLICIES,
    "/console/policy-list": _POLICIES,
    "/console/last-access": PageHelp(
        gettext_noop(
            "The report says which services the policies open, and when each was last made use of. What is never used can"
            " be taken away."
        ),
        _CONSOLE,
        "users-groups-and-roles",
    ),
    "/console/simulator": PageHelp(
        gettext_noop(
            "The simulator decides as a real request would, and changes nothing. Each decision names the statements that made it."
        ),
        _CONSOLE,
        "the-policy-simulator",
    ),
    "/console/what-if": PageHelp(
        gettext_noop(
            "Requests of the past are decided again as if the change had been made. What was allowed then and would be "
            "denied now is listed."
        ),
        "how-crownkeep-decides",
    ),
    "/console/password-policy": _PASSWORD_POLICY,
    "/console/organization": _ORGANIZATION,
    "/console/account-list": _ORGANIZATION,
    "/console/organization/policies": _CONTROLS,
    "/console/organization/invitations": PageHelp(
        gettext_noop("An account joins when somebody there accepts. Until then nothing is changed, and either side can end it."),
        "organizations",
        "invite-an-account",
    ),
    "/console/organization/root": PageHelp(
        gettext_noop(
            "The organization takes on a member's root user for one task and a few minutes. Root's own password and keys "
            "are not used."
        ),
        "root-access",
    ),
    "/console/organization/settings": PageHelp(
        gettext_noop("Services and delegated administrators act in the organization's accounts. Trust as few as you need."),
        "organizations",
        "let-services-and-members-help",
    ),
    "/console/single-sign-on": _SIGN_ON,
    "/console/account": _SETTINGS,
    "/console/sign-in-settings": _SETTINGS,
    "/console/account/close": PageHelp(
        gettext_noop(
            "A closed account lets nobody in, and deletes nothing. The operator of this server can reopen it for 90 days."
        ),
        _CONSOLE,
        "closing-the-account",
    ),
    "/console/account/notices": PageHelp(
        gettext_noop(
            "Notices go to root's mailbox and to the account's contacts. This list says what left the server, and what could not."
        ),
        "mail",
    ),
    "/console/email": PageHelp(
        gettext_noop(
            "Root signs in with this address, and gets its notices there. A code proves that you can read the new mailbox."
        ),
        "recovery",
        "another-e-mail-address",
    ),
    "/console/security": _OWN,
    "/console/mfa": _DEVICES,
    "/console/recovery-codes": PageHelp(
        gettext_noop("A recovery code stands in for a lost device, once. Keep the codes on paper, away from your devices."),
        "recovery",
        "lost-devices",
    ),
    "/console/password": _OWN,
    "/console/confirm": _OWN,
    "/console/sessions": PageHelp(
        gettext_noop(
            "A session is a browser in which you are signed in. End those that you don't know, and change your password."
        ),
        "sign-in",
        "sessions",
    ),
    "/console/custody": _SEAL,
    "/console/custody/tokens": PageHelp(
        gettext_noop(
            "The register says where each security key of root's lies and who has it out. The operator of this server keeps it."
        ),
        "recoverability-and-drills",
        "the-register-of-physical-tokens",
    ),
    "/console/recoverability": PageHelp(
        gettext_noop(
            "This page shows what would be left if any one thing were lost. A drill rehearses it on a copy, so that you "
            "know instead of hoping."
        ),
        "recoverability-and-drills",
        "can-we-still-get-in",
    ),
    "/console/credential-report": PageHelp(
        gettext_noop(
            "The report lists every user's credentials, and when each was used last. It is the same file that IAM's API gives."
        ),
        _CONSOLE,
        "lists",
    ),
    "/console/credential-audits": _AUDITS,
    "/console/alerts": _ALERTS,
    "/console/trail": PageHelp(
        gettext_noop(
            "Every call to this account is recorded, also those that were refused. Nobody can change a record without its"
            " being noticed."
        ),
        _CONSOLE,
        "trail",
    ),
    "/console/find": PageHelp(
        gettext_noop(
            "One box finds pages, people, policies and accounts by part of a name, and keys and events by their ID. You "
            "find what you may list."
        ),
        _CONSOLE,
        "find-anything",
    ),
    manual.PLACE: PageHelp(
        gettext_noop(
            "These documents came with the server that runs, and so speak of its version. None of them is fetched from elsewhere."
        ),
        _CONSOLE,
    ),
}
"""By the beginning of a path: the longest that fits counts."""


def of(path: str) -> PageHelp:
    """Return what helps on a page."""
    fits = [place for place in PAGES if f"{path}/".startswith(f"{place}/")]
    return PAGES[max(fits, key=len, default="/console")]
