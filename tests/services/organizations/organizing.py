"""What the tests of Organizations begin with: an organization, its root, and accounts that join it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tests.fixtures.crown import Account


@dataclass(frozen=True, slots=True)
class Organized:
    """An organization and the client of its management account's administrator."""

    management: Account
    client: Any
    id: str
    root_id: str

    def unit(self, name: str, *, under: str = "") -> str:
        """Make a unit under the root or another unit, and answer its id."""
        made = self.client.create_organizational_unit(ParentId=under or self.root_id, Name=name)
        return str(made["OrganizationalUnit"]["Id"])

    def created(self, name: str = "member") -> str:
        """Create a member account and answer its id."""
        email = f"{name}-of-{self.management.id}@test.example"
        return str(self.client.create_account(Email=email, AccountName=name)["CreateAccountStatus"]["AccountId"])

    def invite(self, account: Account, **options: Any) -> str:
        """Invite an account and answer the handshake's id."""
        target = {"Type": "ACCOUNT", "Id": account.id}
        return str(self.client.invite_account_to_organization(Target=target, **options)["Handshake"]["Id"])

    def joined(self, **options: Any) -> Account:
        """Make a fresh account that joins by invitation."""
        account = self.management.crown.account(**options)
        account.client("organizations").accept_handshake(HandshakeId=self.invite(account))
        return account

    def enter(self, account_id: str, service: str = "organizations") -> Any:
        """Answer a client that has taken on the role by which the management account enters a created member."""
        role = f"arn:aws:iam::{account_id}:role/OrganizationAccountAccessRole"
        sts = self.management.client("sts")
        session = sts.assume_role(RoleArn=role, RoleSessionName="entering")["Credentials"]
        return self.management.crown.session(session, service)


def organize(account: Account, **options: Any) -> Organized:
    """Make an organization that the account manages."""
    client = account.client("organizations")
    made = client.create_organization(**options)["Organization"]
    return Organized(account, client, made["Id"], client.list_roots()["Roots"][0]["Id"])


def service_events(account: Account, name: str) -> list[dict[str, Any]]:
    """Answer the details of the events with this name that Organizations itself made in an account's trail."""
    found = [each for each in account.records() if each["eventName"] == name and each["eventType"] == "AwsServiceEvent"]
    return [each["serviceEventDetails"] for each in found]
