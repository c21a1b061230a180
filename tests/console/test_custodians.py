"""The ceremony of a sealed root in real browsers: three custodians enrol keys, two let root in, the third signs its use off."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from playwright.sync_api import Page, expect
from tests.alerts.office import Mailbox, link_in
from tests.console.test_sign_in import People
from tests.fixtures.process import Process
from tests.signin.people import code

from crownkeep.credentials import approval_proofs

Visit = Callable[..., Page]
Faults = Callable[[Page], list[str]]
NAMES = ("Ann Abbot", "Bob Byrne", "Cid Clark")
POLICY = "arn:aws:mpa:::aws:policy/crownkeep/SealedRoot/1"
APPROVE, REFUSE, SIGN_OFF = "Approve with your key", "Refuse with your key", "Sign off with your key"


class Seat:
    """A custodian at a desk of their own: a browser that nobody else uses, and the one security key that is plugged in."""

    def __init__(self, served: Process, page: Page, name: str) -> None:
        self.page, email = page, f"{name[:3].lower()}@keys.example"
        made = served.operator("POST", "/custodians", {"name": name, "email": email})["custodian"]
        self.custodian_id = str(made["custodian_id"])
        self.mailbox = Mailbox(served, email)
        self.errors: list[str] = []
        page.on("console", lambda message: self.errors.append(message.text) if message.type == "error" else None)
        key = page.context.new_cdp_session(page)
        key.send("WebAuthn.enable")
        options: dict[str, Any] = {"protocol": "ctap2", "transport": "usb", "hasResidentKey": True, "hasUserVerification": True}
        options |= {"isUserVerified": True, "automaticPresenceSimulation": True}
        key.send("WebAuthn.addVirtualAuthenticator", {"options": options})

    def follow_link(self) -> Page:
        """Open the invitation that was mailed."""
        self.page.goto(link_in(self.mailbox.wait("asked to be an approver")))
        expect(self.page.get_by_role("heading", name="Join an approval team")).to_be_visible()
        return self.page

    def join(self) -> None:
        """Enrol the key and accept by it."""
        self.page.get_by_role("button", name="Enrol a security key").click()
        self.page.get_by_role("button", name="Accept with your key").click()
        expect(self.page.get_by_role("heading", name="You are an approver")).to_be_visible()

    def open(self, path: str = "/approvals") -> Page:
        """Show the key at the page of custodians."""
        self.page.goto(path)
        self.page.get_by_role("button", name="Use your security key").click()
        return self.page

    def decide(self, button: str, told: str) -> Page:
        """Decide on the one request that waits."""
        self.open().get_by_role("button", name=button).click()
        expect(self.page.get_by_role("heading", name=told)).to_be_visible()
        return self.page


def make_team(served: Process, people: People, seats: list[Seat]) -> str:
    source = f"arn:aws:mpa:us-east-1:{people.id}:identity-source/custodians"
    made = served.client("mpa", people.created["admin"]).create_approval_team(
        Name="RootQuorum",
        Description="Who lets root be used.",
        ApprovalStrategy={"MofN": {"MinApprovalsRequired": 2}},
        Approvers=[{"PrimaryIdentityId": each.custodian_id, "PrimaryIdentitySourceArn": source} for each in seats],
        Policies=[{"PolicyArn": POLICY}],
    )
    return str(made["Arn"])


def enter_sealed(root: Page, people: People, seed: bytes) -> None:
    """Prove root's password and MFA, and ask the custodians."""
    root.context.clear_cookies()
    people.enter_as_root(root)
    root.get_by_label("MFA code").fill(code(seed, ahead=1))
    root.get_by_role("button", name="Submit").click()
    root.get_by_label("Reason").fill("quarterly review of root")
    root.get_by_role("button", name="Ask the custodians").click()


def test_a_sealed_root_is_let_in_by_two_custodians_in_their_own_browsers_and_reviewed_by_the_third(
    visit: Visit, served: Process, faults: Faults, overflow: Faults
):
    found: list[str] = []

    def look(page: Page) -> None:
        found.extend([*overflow(page), *(f"{page.url}: {fault}" for fault in faults(page))])

    # The operator names custodians, each enrols a key at their own invitation, and root is sealed under the team.
    people, root = People(served), visit()
    people.choose_password(root)
    seed = people.enrol_app(root)
    root.get_by_role("button", name="Not now").click()
    seats = ann, bob, cid = [Seat(served, visit(), each) for each in NAMES]
    team = make_team(served, people, seats)
    look(ann.follow_link())
    ann.join()
    link = bob.follow_link().url
    bob.join()
    bob.page.goto(link)
    expect(bob.page.get_by_role("heading", name="This link is not valid")).to_be_visible()
    cid.follow_link()
    cid.join()
    look(ann.open("/approvals/keys"))
    expect(ann.page.get_by_role("button", name="Add a security key")).to_be_visible()
    served.operator("PUT", f"/accounts/{people.id}/seal", {"team_arn": team})

    # Root asks, is not let in by one approval, and is by two.
    enter_sealed(root, people, seed)
    look(root)
    expect(ann.open().get_by_role("heading", name="Sign in as root")).to_be_visible()
    expect(ann.page.get_by_text("quarterly review of root")).to_be_visible()
    look(ann.page)
    expect(ann.decide(APPROVE, "You have approved the request").get_by_text("It waits for others")).to_be_visible()
    root.get_by_role("button", name="Continue once it is approved").click()
    expect(root.get_by_role("heading", name="The root user is sealed")).to_be_visible()
    expect(bob.decide(APPROVE, "You have approved the request").get_by_text("The team has approved it")).to_be_visible()
    root.get_by_role("button", name="Continue once it is approved").click()
    expect(root.get_by_role("heading", name="Console home")).to_be_visible()

    # Another custodian signs the use off. What the operator asks is refused by two. Who was removed by two is told so.
    look(cid.open())
    cid.decide(SIGN_OFF, "You have signed off the review")
    asked = {"action": "signin:PasswordRecovery", "parameters": "{}", "reason": "rotation"}
    request_id = str(served.operator("POST", f"/accounts/{people.id}/approval-requests", asked)["request_id"])
    ann.open(f"/approvals?request={request_id}").get_by_role("button", name=REFUSE).click()
    look(bob.decide(REFUSE, "You have refused the request"))
    waits = served.crownkeep("custodian", "remove", cid.custodian_id, "--json")
    ann.decide(APPROVE, "You have approved the request")
    bob.decide(APPROVE, "You have approved the request")
    removed = served.crownkeep("custodian", "remove", cid.custodian_id, "--request", json.loads(waits.stdout)["request_id"])
    assert [3, 0] == [waits.returncode, removed.returncode], removed.stderr
    expect(cid.open().get_by_role("alert")).to_contain_text("this security key is of no custodian")
    look(cid.page)

    assert [] == found, "\n".join(found)
    # A refusal is a 403, which Chromium notes as an error; whatever the content security policy stops would be another.
    assert [] == [error for seat in seats for error in seat.errors if "status of 403" not in error]
    seal = served.operator("GET", f"/accounts/{people.id}/seal")
    assert (False, True) == (seal["review_is_due"], seal["password_is_due"])
    used = served.operator("GET", f"/approval-requests/{seal['last_request_id']}")
    assert {"Ann Abbot", "Bob Byrne"} == {
        each.name for each in approval_proofs.verify(approval_proofs.read(used["proof"].encode()))
    }
    assert "refused" == served.operator("GET", f"/approval-requests/{request_id}")["state"]
