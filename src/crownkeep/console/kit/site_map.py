"""The console's pages as people look for them: what each is called, where it is, and other words for it."""

from __future__ import annotations

from dataclasses import dataclass

from crownkeep.translation import gettext, gettext_noop


@dataclass(frozen=True, slots=True)
class FindablePage:
    """One page that can be found by its name or by another word for it."""

    path: str
    label: str
    words: str = ""

    def holds(self, text: str) -> bool:
        """Tell whether a page is meant: every word that was typed begins a word of its own."""
        # English, too: manuals, other people and AWS's own console say it so.
        own = f"{self.label} {self.words} {gettext(self.label)} {gettext(self.words)}".lower().split()
        return all(any(each.startswith(word) for each in own) for word in text.lower().split())

    def is_called(self, text: str) -> bool:
        """Tell whether its own name begins with what was typed."""
        return gettext(self.label).lower().startswith(text.lower()) or self.label.lower().startswith(text.lower())


PLACES = (
    FindablePage("/console", gettext_noop("Console home"), gettext_noop("dashboard recommendations start")),
    FindablePage("/console/users", gettext_noop("Users"), gettext_noop("people iam identities")),
    FindablePage("/console/create-user", gettext_noop("Create user"), gettext_noop("new add person administrator")),
    FindablePage("/console/groups", gettext_noop("Groups"), gettext_noop("teams")),
    FindablePage("/console/create-group", gettext_noop("Create group"), gettext_noop("new add team")),
    FindablePage("/console/roles", gettext_noop("Roles"), gettext_noop("assume trust")),
    FindablePage("/console/create-role", gettext_noop("Create role"), gettext_noop("new add trust")),
    FindablePage("/console/access-keys", gettext_noop("Access keys"), gettext_noop("programs secret old unused credentials")),
    FindablePage("/console/identity-providers", gettext_noop("Identity providers"), gettext_noop("saml oidc federation sso")),
    FindablePage("/console/policies", gettext_noop("Policies"), gettext_noop("permissions managed")),
    FindablePage("/console/policies/create", gettext_noop("Create policy"), gettext_noop("new add permissions")),
    FindablePage("/console/simulator", gettext_noop("Policy simulator"), gettext_noop("test why denied allowed permissions")),
    FindablePage("/console/what-if", gettext_noop("What if"), gettext_noop("denied replay trail scp boundary key")),
    FindablePage("/console/password-policy", gettext_noop("Password policy"), gettext_noop("rules length expiry")),
    FindablePage("/console/organization", gettext_noop("Accounts and units"), gettext_noop("organization ou tree")),
    FindablePage(
        "/console/organization/accounts", gettext_noop("All accounts"), gettext_noop("organization members list root csv")
    ),
    FindablePage(
        "/console/organization/credential-report",
        gettext_noop("Credentials of all accounts"),
        gettext_noop("report csv mfa keys"),
    ),
    FindablePage(
        "/console/organization/policies", gettext_noop("Control policies"), gettext_noop("scp rcp service resource organization")
    ),
    FindablePage("/console/organization/invitations", gettext_noop("Invitations"), gettext_noop("handshakes organization")),
    FindablePage(
        "/console/organization/settings",
        gettext_noop("Organization settings"),
        gettext_noop("delegated administrators trusted services"),
    ),
    FindablePage(
        "/console/organization/create-account", gettext_noop("Create account"), gettext_noop("new add organization member")
    ),
    FindablePage("/console/organization/invite", gettext_noop("Invite account"), gettext_noop("organization member")),
    FindablePage(
        "/console/single-sign-on",
        gettext_noop("Single sign-on"),
        gettext_noop("instance sso identity center start url portal mfa"),
    ),
    FindablePage("/console/single-sign-on/people", gettext_noop("People"), gettext_noop("single sign-on sso users directory")),
    FindablePage(
        "/console/single-sign-on/groups", gettext_noop("Groups of people"), gettext_noop("single sign-on sso directory")
    ),
    FindablePage(
        "/console/single-sign-on/permission-sets", gettext_noop("Permission sets"), gettext_noop("single sign-on sso roles")
    ),
    FindablePage(
        "/console/single-sign-on/existing-roles",
        gettext_noop("Existing roles"),
        gettext_noop("single sign-on sso entitlements account access"),
    ),
    FindablePage(
        "/console/single-sign-on/assignments",
        gettext_noop("Assignments"),
        gettext_noop("single sign-on sso access matrix administrators"),
    ),
    FindablePage("/console/account", gettext_noop("Account settings"), gettext_noop("contacts alias regions close alerts mfa")),
    FindablePage("/console/account/alias", gettext_noop("Account alias"), gettext_noop("sign-in address")),
    FindablePage("/console/account/contact", gettext_noop("Contact information"), gettext_noop("owner address phone")),
    FindablePage(
        "/console/security", gettext_noop("Security credentials"), gettext_noop("my own mfa passkeys access keys password")
    ),
    FindablePage("/console/sessions", gettext_noop("Sessions"), gettext_noop("my own signed in browsers")),
    FindablePage("/console/password", gettext_noop("Change password"), gettext_noop("my own")),
    FindablePage(
        "/console/mfa/add", gettext_noop("Add MFA device"), gettext_noop("my own passkey authenticator app second factor")
    ),
    FindablePage("/console/recovery-codes", gettext_noop("Recovery codes"), gettext_noop("my own lost")),
    FindablePage("/console/custody", gettext_noop("Seal and custodians"), gettext_noop("sealed root approval teams quorum")),
    FindablePage("/console/custody/requests", gettext_noop("Requests for approval"), gettext_noop("seal custodians ceremony")),
    FindablePage(
        "/console/custody/tokens", gettext_noop("Physical tokens"), gettext_noop("security keys register vault hardware")
    ),
    FindablePage("/console/recoverability", gettext_noop("Recoverability"), gettext_noop("lost mfa mailbox way back drills")),
    FindablePage("/approvals", gettext_noop("My approvals"), gettext_noop("custodian seal requests")),
    FindablePage(
        "/approvals/keys", gettext_noop("My keys for approvals"), gettext_noop("custodian security keys add remove lost")
    ),
    FindablePage("/console/credential-report", gettext_noop("Credential report"), gettext_noop("csv unused old keys mfa")),
    FindablePage("/console/credential-audits", gettext_noop("Credential audits"), gettext_noop("review keep revoke")),
    FindablePage("/console/alerts", gettext_noop("Alerts"), gettext_noop("notices webhooks mail rules")),
    FindablePage("/console/trail", gettext_noop("Trail"), gettext_noop("events history cloudtrail log")),
    FindablePage("/console/trail/root", gettext_noop("Use of root"), gettext_noop("trail events")),
    FindablePage("/console/help", gettext_noop("Manual"), gettext_noop("help documents documentation about")),
    FindablePage("/switchrole", gettext_noop("Switch role"), gettext_noop("assume")),
)
"""Every page that stands by itself; what is named is found by its name."""


def matching(text: str) -> list[FindablePage]:
    """Return the pages that a text names, those whose own name begins with it first."""
    found = [place for place in PLACES if place.holds(text)]
    return sorted(found, key=lambda place: not place.is_called(text))


def label(path: str) -> str:
    """Return what a page is called; one that stands below another is called by that one's name."""
    if not path:
        return ""
    above = [place for place in PLACES if f"{path}/".startswith(f"{place.path}/")]
    nearest_above = max(above, key=lambda place: len(place.path), default=None)
    if nearest_above is None or (nearest_above.path == "/console" and path != "/console"):
        return gettext("A page of the console")
    return gettext(nearest_above.label)


def nearest(words: str, *, most: int = 6) -> list[FindablePage]:
    """Return pages of which one of these words is part, those with most of them first: for an address that leads nowhere."""
    wanted = [word for word in words.split() if len(word) > 2]
    scored = [(sum(place.holds(word) or place.holds(word.rstrip("s")) for word in wanted), place) for place in PLACES]
    return [place for score, place in sorted(scored, key=lambda each: -each[0]) if score][:most]
