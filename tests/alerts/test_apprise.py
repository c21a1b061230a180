"""Services of apprise: for the operator alone, their URLs sealed, and no way inside for what sends to them."""

from __future__ import annotations

import json
import os
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.alerts.listening import HttpReceiver
from tests.alerts.office import settle
from tests.alerts.test_webhooks import INSIDE, add
from tests.alerts.test_webhooks import listening as listening
from tests.fixtures.crown import Crowns

from crownkeep.alerts import apprise_services
from crownkeep.alerts.apprise_process import AuditHook
from crownkeep.alerts.undelivered import Undelivered
from crownkeep.credentials.secret import Secret


def test_an_alert_reaches_a_service_and_its_url_is_shown_nowhere(crowns: Crowns, listening: Callable[..., HttpReceiver]):
    crown, receiver = crowns.fresh("sqlite", alert_networks=INSIDE), listening()
    account = crown.account()
    url = receiver.url.replace("http://", "json://bot:s3cr3t-of-it@")
    made = add(crown, account, url, "apprise", rules=["alternate-contact-set"])
    with pytest.raises(ClientError, match="ValidationException"):
        account.root("alerts").create_alert_receiver(Channel="apprise", Target=url)
    account.client("account").put_alternate_contact(
        AlternateContactType="SECURITY", Name="S", Title="T", EmailAddress="s@acme.example", PhoneNumber="+1 555"
    )

    (got,) = receiver.wait()
    settle(crown)

    said = json.loads(got.body)
    assert f"An alternate contact of the account was set (account {account.id})" == said["title"]
    assert ("failure", True) == (said["type"], "/console/alerts/lock-down?event=" in said["message"])
    assert "by mail" not in said["message"]
    listed = crown.operator("GET", f"/accounts/{account.id}/alerts/receivers").json()["receivers"]
    history = crown.operator("GET", f"/accounts/{account.id}/alerts/history").json()["alerts"]
    (shown,) = (each for each in listed if each["receiver_id"] == made["id"])
    assert ("json://", False) == (shown["target"], "secret" in made)
    assert "sent" in {each["state"] for each in history if each.get("receiver_id") == made["id"]}
    crown.close()
    held = b"".join(each.read_bytes() for each in Path(crown.settings.data_directory).glob("crownkeep.db*"))
    assert "s3cr3t-of-it" not in json.dumps([listed, history, account.records()])
    assert b"s3cr3t-of-it" not in held


def test_ssrf_a_service_that_redirects_to_an_address_inside_is_not_followed(listening: Callable[..., HttpReceiver]):
    inside = listening()
    outside = listening(status=307, headers={"Location": inside.url.replace("127.0.0.1", "127.0.0.2")})

    with pytest.raises(Undelivered, match="at an address inside"):
        send(outside.url.replace("http", "json"), networks=("127.0.0.1/32",))

    assert (1, 0) == (len(outside.got), len(inside.got))


def test_an_url_of_no_service_is_given_up_with_a_reason():
    with pytest.raises(Undelivered, match="apprise knows no service by that URL"):
        send("unheard://of")


def send(url: str, networks: tuple[str, ...] = ()) -> None:
    apprise_services.send(Secret(url), "title", "body", "high", networks)


@pytest.mark.parametrize(
    ("event", "arguments"),
    [
        *(
            ("socket.connect", (None, address))
            for address in (
                ("127.0.0.1", 80),
                ("169.254.169.254", 80),
                ("10.0.0.1", 25),
                ("::1", 80, 0, 0),
                ("::ffff:169.254.169.254", 80, 0, 0),
                ("fd00:ec2::254", 80, 0, 0),
                ("localhost", 80),
                ("192.0.2.1", 80),
                "/run/docker.sock",
                b"\0abstract",
                (0, 0),
            )
        ),
        ("socket.sendto", (None, ("127.0.0.1", 514))),
        ("socket.sendmsg", (None, ("127.0.0.1", 514))),
        ("subprocess.Popen", ("sh", ["sh"], None, None)),
        ("os.system", (b"id",)),
        ("open", ("/etc/passwd", "r", os.O_RDONLY)),
        ("open", (f"{sys.prefix}/../../../../../../etc/passwd", "r", os.O_RDONLY)),
        ("open", (f"{sys.prefix}/written", "w", os.O_WRONLY | os.O_CREAT)),
    ],
)
def test_what_sends_to_services_reaches_nothing_of_ours(event: str, arguments: tuple[Any, ...]):
    with pytest.raises(PermissionError):
        AuditHook(())(event, arguments)


def test_what_sends_to_services_reaches_what_is_outside_or_named():
    hook = AuditHook(("10.0.0.0/8",))

    hook("socket.connect", (None, ("10.1.2.3", 443)))
    hook("socket.connect", (None, ("1.1.1.1", 443)))
    hook("open", (os.__file__, "r", os.O_RDONLY))

    assert not hook.has_refused


def test_the_hook_sees_connections_before_they_are_made():
    seen: list[object] = []
    sys.addaudithook(lambda event, arguments: seen.append(arguments[1]) if event == "socket.connect" else None)

    with socket.socket() as connection:
        connection.connect_ex(("127.0.0.1", 9))

    assert ("127.0.0.1", 9) in seen


def test_without_the_package_a_service_is_refused_in_one_sentence(crowns: Crowns, monkeypatch: pytest.MonkeyPatch):
    crown = crowns.shared("sqlite")
    account = crown.account()
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)

    answer = crown.operator("POST", f"/accounts/{account.id}/alerts/receivers", {"channel": "apprise", "target": "slack://a/b/c"})

    assert (400, True) == (answer.status, "pip install 'crownkeep[apprise]'" in answer.text)
