"""Users, groups and roles, as IAM's operations and the pages' paths name them."""

from __future__ import annotations

from dataclasses import dataclass

from crownkeep.console.kit import parts
from crownkeep.console.kit.equivalents import Equivalent


@dataclass(frozen=True, slots=True)
class IdentityKind:
    """One kind of identity, as IAM's operations and the pages' paths name it."""

    noun: str
    """As in `AttachUserPolicy`."""
    folder: str
    """The page that lists them."""

    @property
    def key(self) -> str:
        """The parameter that names one."""
        return f"{self.noun}Name"

    def page(self, name: str, tab: str = "") -> str:
        """Return the address of one identity's page."""
        return parts.address(f"{self.folder}/{parts.segment(name)}", tab=tab)

    def inline_page(self, name: str, policy: str) -> str:
        """Return the address of one inline policy of an identity."""
        return parts.address(f"{self.page(name)}/inline", policy=policy)

    def call(self, verb: str, rest: str, name: str, **parameters: object) -> Equivalent:
        """Name a change of one identity, such as `Attach` ... `Policy`."""
        return Equivalent("iam", f"{verb}{self.noun}{rest}", {self.key: name, **parameters})


USER = IdentityKind("User", "/console/users")
GROUP = IdentityKind("Group", "/console/groups")
ROLE = IdentityKind("Role", "/console/roles")
KINDS = {"user": USER, "group": GROUP, "role": ROLE}
