"""Webhooks: what is sent is verified by the specification's own package; who hangs or comes back gets everything once."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from standardwebhooks import Webhook
from tests.alerts.listening import Got, HttpReceiver, wait_until
from tests.alerts.office import Mailbox
from tests.fixtures.crown import Account, Crown

from crownkeep import clock
from crownkeep.alerts import outbound, rule, webhooks
from crownkeep.alerts.undelivered import Undelivered

INSIDE = ("127.0.0.0/8",)


@pytest.fixture
def listening() -> Iterator[Callable[..., HttpReceiver]]:
    """Start HTTP receivers."""
    started: list[HttpReceiver] = []

    def start(**options: Any) -> HttpReceiver:
        started.append(HttpReceiver(**options))
        return started[-1]

    yield start
    for each in started:
        each.stop()


@pytest.fixture
def inside(fresh_crown: Callable[..., Crown]) -> Crown:
    """A server whose receivers may be on this machine."""
    return fresh_crown(alert_networks=INSIDE)


def add(crown: Crown, account: Account, target: str, channel: str = "webhook", **options: Any) -> dict[str, Any]:
    body = {"channel": channel, "target": target, **options}
    answer = crown.operator("POST", f"/accounts/{account.id}/alerts/receivers", body)
    assert answer.status == 201, answer.text
    return dict(answer.json())


def history(crown: Crown, account: Account, receiver_id: str) -> list[dict[str, Any]]:
    found = crown.operator("GET", f"/accounts/{account.id}/alerts/history").json()["alerts"]
    return [each for each in found if each.get("receiver_id") == receiver_id]


def kinds(got: list[Got]) -> list[str]:
    return [json.loads(each.body)["type"] for each in got]


def test_an_alert_arrives_signed_as_the_specification_s_own_package_verifies(
    inside: Crown, listening: Callable[..., HttpReceiver]
):
    account, receiver = inside.account(), listening()
    made = add(inside, account, receiver.url, rules=["root-access-key-created"])

    key = account.root("iam").create_access_key()["AccessKey"]

    (got,) = receiver.wait()
    verified = Webhook(made["secret"]).verify(got.body, {name.lower(): value for name, value in got.headers.items()})
    assert ("alert.root-access-key-created", account.id) == (verified["type"], verified["data"]["account_id"])
    assert key["AccessKeyId"] == verified["data"]["detail"]
    assert "." not in got.headers["webhook-id"]
    wait_until(lambda: ["sent"] == [each["state"] for each in history(inside, account, made["id"])])


def test_a_flood_of_uses_of_root_is_counted_by_machines_to_the_last(
    inside: Crown, listening: Callable[..., HttpReceiver], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(rule, "MOST_MAILS", 2)
    account, receiver = inside.account(), listening()
    add(inside, account, receiver.url, rules=["root-access-key-used"])
    soc = f"soc-{account.id}@acme.example"
    add(inside, account, soc, "mail", rules=["root-access-key-used"])
    iam = account.root("iam")

    for _ in range(6):
        iam.list_users()

    answer = [json.loads(each.body)["data"]["event_id"] for each in receiver.wait(6)]
    assert 6 == len(set(answer)) == len(answer)
    assert 2 == len(Mailbox(inside, soc).subjects())
    with time_machine.travel(clock.now() + rule.FIRST_SUMMARY, tick=True):
        wait_until(lambda: len(Mailbox(inside, soc).subjects()) == 3)
    assert 6 == len(receiver.got)


def test_after_a_rotation_the_former_and_the_new_secret_both_verify(inside: Crown, listening: Callable[..., HttpReceiver]):
    account, receiver = inside.account(), listening()
    made = add(inside, account, receiver.url, rules=["root-access-key-created"])
    path = f"/accounts/{account.id}/alerts/receivers/{made['id']}"

    rotated = inside.operator("POST", f"{path}/secret", {}).json()
    inside.operator("POST", f"{path}/test", {})

    (got,) = receiver.wait()
    headers = {name.lower(): value for name, value in got.headers.items()}
    for secret in (made["secret"], rotated["secret"]):
        assert "receiver.test" == Webhook(secret).verify(got.body, headers)["type"]


def test_a_receiver_of_its_own_key_verifies_with_the_public_one(inside: Crown, listening: Callable[..., HttpReceiver]):
    account, receiver = inside.account(), listening()
    made = add(inside, account, receiver.url, signing="ed25519", rules=["root-signed-in"])
    inside.operator("POST", f"/accounts/{account.id}/alerts/receivers/{made['id']}/test", {})

    (got,) = receiver.wait()

    assert "secret" not in made
    version, _, signature = got.headers["webhook-signature"].partition(",")
    key = Ed25519PublicKey.from_public_bytes(base64.b64decode(made["public_key"].removeprefix("whpk_")))
    content = f"{got.headers['webhook-id']}.{got.headers['webhook-timestamp']}.".encode() + got.body
    key.verify(base64.b64decode(signature), content)
    with pytest.raises(InvalidSignature):
        key.verify(base64.b64decode(signature), content + b" ")
    assert "v1a" == version


def test_a_receiver_that_is_down_for_an_hour_gets_everything_in_order_and_under_the_same_ids(
    inside: Crown, listening: Callable[..., HttpReceiver]
):
    account, receiver = inside.account(), listening(status=503)
    made = add(inside, account, receiver.url, rules=["root-access-key-changed"])
    iam, key = account.root("iam"), account.created["root"]["access_key_id"]
    for status in ("Inactive", "Active")[1:] * 3:
        iam.update_access_key(AccessKeyId=key, Status=status)
    wait_until(lambda: any(each["attempts"] for each in history(inside, account, made["id"])))
    first = receiver.got[0].headers["webhook-id"]

    receiver.status = 200
    with time_machine.travel(clock.now() + timedelta(hours=1), tick=True):
        wait_until(lambda: ["sent"] * 3 == [each["state"] for each in history(inside, account, made["id"])])

    ids = [each.headers["webhook-id"] for each in receiver.got]
    arrived = ids[ids.index(first, 1) :]
    assert first == arrived[0]
    assert sorted(arrived) == arrived
    assert 3 == len(set(arrived)) == len(arrived)


def test_a_receiver_that_is_gone_is_disabled_and_others_hear_of_it(inside: Crown, listening: Callable[..., HttpReceiver]):
    account, gone, other = inside.account(), listening(status=410), listening()
    made = add(inside, account, gone.url, rules=["root-access-key-created"])
    add(inside, account, other.url, rules=["receiver-unreachable"])

    account.root("iam").create_access_key()

    assert ["alert.receiver-unreachable"] == kinds(other.wait())
    (state,) = history(inside, account, made["id"])
    assert ("given-up", "the receiver answers with status 410") == (state["state"], state["fault"])
    listed = inside.operator("GET", f"/accounts/{account.id}/alerts/receivers").json()["receivers"]
    assert "disabled" == next(each["state"] for each in listed if each["receiver_id"] == made["id"])

    gone.status = 204
    inside.operator("POST", f"/accounts/{account.id}/alerts/receivers/{made['id']}/enable", {})
    assert 1 == inside.operator("POST", f"/accounts/{account.id}/alerts/replay", {}).json()["replayed"]
    wait_until(lambda: ["sent"] == [each["state"] for each in history(inside, account, made["id"])])


def test_a_receiver_that_hangs_or_drops_holds_up_no_other(inside: Crown, listening: Callable[..., HttpReceiver]):
    until = threading.Event()
    account, hanging, dropping, other = inside.account(), listening(hangs=until), listening(drops=True), listening()
    for receiver in (hanging, dropping, other):
        add(inside, account, receiver.url, rules=["root-access-key-created"])

    account.root("iam").create_access_key()

    assert ["alert.root-access-key-created"] == kinds(other.wait())
    assert hanging.wait()
    assert dropping.wait()
    until.set()


def test_a_redirect_to_metadata_is_not_followed(listening: Callable[..., HttpReceiver]):
    inner = listening()
    outer = listening(status=307, headers={"Location": inner.url})

    assert 307 == outbound.post(outer.url, b"{}", {}, INSIDE).status
    assert [] == inner.got


INTERNAL = [
    "127.0.0.1",
    "127.1.2.3",
    "0.0.0.0",
    "10.1.2.3",
    "172.16.0.1",
    "192.168.1.1",
    "100.64.0.1",
    "100.100.100.200",
    "169.254.169.254",
    "192.0.0.192",
    "198.18.0.1",
    "224.0.0.1",
    "255.255.255.255",
    "::1",
    "::",
    "fe80::1",
    "fd00:ec2::254",
    "fec0::1",
    "ff02::1",
    "::ffff:127.0.0.1",
    "::ffff:169.254.169.254",
    "::127.0.0.1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::1",
    "2002:7f00:1::",
    "2001::1",
]


@pytest.mark.parametrize("address", INTERNAL)
def test_ssrf_by_an_address_inside_is_refused_when_the_receiver_is_added_and_when_it_is_sent_to(
    address: str, monkeypatch: pytest.MonkeyPatch
):
    host = f"[{address}]" if ":" in address else address
    monkeypatch.setattr("socket.getaddrinfo", lambda *_, **__: [(0, 0, 0, "", (address, 443))])

    assert outbound.check_url(f"https://{host}/latest/meta-data", ())
    with pytest.raises(Undelivered, match="alert_networks"):
        outbound.post("https://hook.acme.example/", b"{}", {}, ())


def test_ssrf_by_dns_rebinding_connects_to_no_address_but_the_one_that_was_checked(monkeypatch: pytest.MonkeyPatch):
    answers = iter(["93.184.216.34", "127.0.0.1"])
    monkeypatch.setattr("socket.getaddrinfo", lambda *_, **__: [(0, 0, 0, "", (next(answers), 443))])
    connected: list[Any] = []

    def connect(address: Any, **_: Any) -> None:
        connected.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr("socket.create_connection", connect)

    with pytest.raises(Undelivered):
        outbound.post("https://hook.acme.example/", b"{}", {}, ())

    assert [("93.184.216.34", 443)] == connected


def test_a_name_of_which_one_address_is_inside_is_refused(monkeypatch: pytest.MonkeyPatch):
    both = [(0, 0, 0, "", ("93.184.216.34", 443)), (0, 0, 0, "", ("10.0.0.1", 443))]
    monkeypatch.setattr("socket.getaddrinfo", lambda *_, **__: both)

    with pytest.raises(Undelivered):
        outbound.post("https://hook.acme.example/", b"{}", {}, ())


@pytest.mark.parametrize(
    "url",
    ["http://hook.acme.example/", "ftp://x/", "https://user:pw@x/", "https:///x", "https://x:0/", "https://x/#a", "https://[x/"],
)
def test_an_url_that_can_not_be_a_receiver_s_is_refused(url: str):
    assert outbound.check_url(url, ())


def test_attempts_follow_the_schedule_of_the_specification_with_jitter_and_end():
    assert [5, 300, 1800] == [webhooks.delay(attempts, 0).total_seconds() for attempts in (1, 2, 3)]
    assert timedelta(seconds=6) == webhooks.delay(1, 1.0)
    assert webhooks.delay(10, 0.5) is None


def test_retry_after_is_obeyed(listening: Callable[..., HttpReceiver]):
    from crownkeep.storage.notices.outbox import NoticeRow

    receiver = listening(status=429, headers={"Retry-After": "7200"})
    now = datetime(2026, 11, 29, tzinfo=UTC)
    row = NoticeRow("ab" * 16, "111122223333", "x", "notice", b"", now, now, now, rule="root-signed-in")
    secret = webhooks.hmac_secret(bytes(32))

    with pytest.raises(Undelivered, match="429") as refused:
        webhooks.send(receiver.url, row, b"{}", [secret], now=now, networks=INSIDE)

    assert timedelta(hours=2) == refused.value.retry_after
