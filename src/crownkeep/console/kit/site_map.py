"""The console's pages as people look for them: what each is called, where it is, and other words for it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FindablePage:
    """One page that can be found by its name or by another word for it."""

    path: str
    label: str
    words: str = ""

    def holds(self, text: str) -> bool:
        """Tell whether a page is meant: every word that was typed begins a word of its own."""
        own = f"{self.label} {self.words}".lower().split()
        return all(any(each.startswith(word) for each in own) for word in text.lower().split())


PLACES = (
    FindablePage("/console", "Console home", "dashboard recommendations start"),
    FindablePage("/console/users", "Users", "people iam identities"),
    FindablePage("/console/create-user", "Create user", "new add person administrator"),
    FindablePage("/console/groups", "Groups", "teams"),
    FindablePage("/console/create-group", "Create group", "new add team"),
    FindablePage("/console/roles", "Roles", "assume trust"),
    FindablePage("/console/create-role", "Create role", "new add trust"),
    FindablePage("/console/access-keys", "Access keys", "programs secret old unused credentials"),
    FindablePage("/console/identity-providers", "Identity providers", "saml oidc federation sso"),
    FindablePage("/console/policies", "Policies", "permissions managed"),
    FindablePage("/console/policies/create", "Create policy", "new add permissions"),
    FindablePage("/console/simulator", "Policy simulator", "test why denied allowed permissions"),
    FindablePage("/console/what-if", "What if", "denied replay trail scp boundary key"),
    FindablePage("/console/password-policy", "Password policy", "rules length expiry"),
    FindablePage("/console/organization", "Accounts and units", "organization ou tree"),
    FindablePage("/console/organization/accounts", "All accounts", "organization members list root csv"),
    FindablePage("/console/organization/credential-report", "Credentials of all accounts", "report csv mfa keys"),
    FindablePage("/console/organization/policies", "Control policies", "scp rcp service resource organization"),
    FindablePage("/console/organization/invitations", "Invitations", "handshakes organization"),
    FindablePage("/console/organization/settings", "Organization settings", "delegated administrators trusted services"),
    FindablePage("/console/organization/create-account", "Create account", "new add organization member"),
    FindablePage("/console/organization/invite", "Invite account", "organization member"),
    FindablePage("/console/single-sign-on", "Single sign-on", "instance sso identity center start url portal mfa"),
    FindablePage("/console/single-sign-on/people", "People", "single sign-on sso users directory"),
    FindablePage("/console/single-sign-on/groups", "Groups of people", "single sign-on sso directory"),
    FindablePage("/console/single-sign-on/permission-sets", "Permission sets", "single sign-on sso roles"),
    FindablePage("/console/single-sign-on/existing-roles", "Existing roles", "single sign-on sso entitlements account access"),
    FindablePage("/console/single-sign-on/assignments", "Assignments", "single sign-on sso access matrix administrators"),
    FindablePage("/console/account", "Account settings", "contacts alias regions close alerts mfa"),
    FindablePage("/console/account/alias", "Account alias", "sign-in address"),
    FindablePage("/console/account/contact", "Contact information", "owner address phone"),
    FindablePage("/console/security", "Security credentials", "my own mfa passkeys access keys password"),
    FindablePage("/console/sessions", "Sessions", "my own signed in browsers"),
    FindablePage("/console/password", "Change password", "my own"),
    FindablePage("/console/mfa/add", "Add MFA device", "my own passkey authenticator app second factor"),
    FindablePage("/console/recovery-codes", "Recovery codes", "my own lost"),
    FindablePage("/console/custody", "Seal and custodians", "sealed root approval teams quorum"),
    FindablePage("/console/custody/requests", "Requests for approval", "seal custodians ceremony"),
    FindablePage("/console/custody/tokens", "Physical tokens", "security keys register vault hardware"),
    FindablePage("/console/recoverability", "Recoverability", "lost mfa mailbox way back drills"),
    FindablePage("/approvals", "My approvals", "custodian seal requests"),
    FindablePage("/approvals/keys", "My keys for approvals", "custodian security keys add remove lost"),
    FindablePage("/console/credential-report", "Credential report", "csv unused old keys mfa"),
    FindablePage("/console/credential-audits", "Credential audits", "review keep revoke"),
    FindablePage("/console/alerts", "Alerts", "notices webhooks mail rules"),
    FindablePage("/console/trail", "Trail", "events history cloudtrail log"),
    FindablePage("/console/trail/root", "Use of root", "trail events"),
    FindablePage("/console/help", "Manual", "help documents documentation about"),
    FindablePage("/switchrole", "Switch role", "assume"),
)
"""Every page that stands by itself; what is named is found by its name."""


def matching(text: str) -> list[FindablePage]:
    """Return the pages that a text names, those whose own name begins with it first."""
    found = [place for place in PLACES if place.holds(text)]
    return sorted(found, key=lambda place: not place.label.lower().startswith(text.lower()))


def label(path: str) -> str:
    """Return what a page is called; one that stands below another is called by that one's name."""
    if not path:
        return ""
    above = [place for place in PLACES if f"{path}/".startswith(f"{place.path}/")]
    nearest_above = max(above, key=lambda place: len(place.path), default=None)
    if nearest_above is None or (nearest_above.path == "/console" and path != "/console"):
        return "A page of the console"
    return nearest_above.label


def nearest(words: str, *, most: int = 6) -> list[FindablePage]:
    """Return pages of which one of these words is part, those with most of them first: for an address that leads nowhere."""
    wanted = [word for word in words.split() if len(word) > 2]
    scored = [(sum(place.holds(word) or place.holds(word.rstrip("s")) for word in wanted), place) for place in PLACES]
    return [place for score, place in sorted(scored, key=lambda each: -each[0]) if score][:most]
