"""The console's pages as people look for them: what each is called, where it is, and other words for it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Place:
    """One page that can be found by its name or by another word for it."""

    path: str
    label: str
    words: str = ""

    def holds(self, text: str) -> bool:
        """Tell whether a page is meant: every word that was typed begins a word of its own."""
        own = f"{self.label} {self.words}".lower().split()
        return all(any(each.startswith(word) for each in own) for word in text.lower().split())


PLACES = (
    Place("/console", "Console home", "dashboard recommendations start"),
    Place("/console/users", "Users", "people iam identities"),
    Place("/console/create-user", "Create user", "new add person administrator"),
    Place("/console/groups", "Groups", "teams"),
    Place("/console/create-group", "Create group", "new add team"),
    Place("/console/roles", "Roles", "assume trust"),
    Place("/console/create-role", "Create role", "new add trust"),
    Place("/console/identity-providers", "Identity providers", "saml oidc federation sso"),
    Place("/console/policies", "Policies", "permissions managed"),
    Place("/console/policies/create", "Create policy", "new add permissions"),
    Place("/console/simulator", "Policy simulator", "test why denied allowed permissions"),
    Place("/console/password-policy", "Password policy", "rules length expiry"),
    Place("/console/organization", "Accounts and units", "organization ou tree"),
    Place("/console/organization/policies", "Control policies", "scp rcp service resource organization"),
    Place("/console/organization/invitations", "Invitations", "handshakes organization"),
    Place("/console/organization/settings", "Organization settings", "delegated administrators trusted services"),
    Place("/console/organization/create-account", "Create account", "new add organization member"),
    Place("/console/organization/invite", "Invite account", "organization member"),
    Place("/console/account", "Account settings", "contacts alias regions close alerts mfa"),
    Place("/console/account/alias", "Account alias", "sign-in address"),
    Place("/console/account/contact", "Contact information", "owner address phone"),
    Place("/console/security", "Security credentials", "my own mfa passkeys access keys password"),
    Place("/console/sessions", "Sessions", "my own signed in browsers"),
    Place("/console/password", "Change password", "my own"),
    Place("/console/mfa/add", "Add MFA device", "my own passkey authenticator app second factor"),
    Place("/console/recovery-codes", "Recovery codes", "my own lost"),
    Place("/approvals", "My approvals", "custodian seal requests"),
    Place("/console/credential-report", "Credential report", "csv unused old keys mfa"),
    Place("/console/credential-audits", "Credential audits", "review keep revoke"),
    Place("/console/alerts", "Alerts", "notices webhooks mail rules"),
    Place("/console/trail", "Trail", "events history cloudtrail log"),
    Place("/console/trail/root", "Use of root", "trail events"),
    Place("/switchrole", "Switch role", "assume"),
)
"""Every page that stands by itself; what is named is found by its name."""


def matching(text: str) -> list[Place]:
    """Return the pages that a text names, those whose own name begins with it first."""
    found = [place for place in PLACES if place.holds(text)]
    return sorted(found, key=lambda place: not place.label.lower().startswith(text.lower()))
