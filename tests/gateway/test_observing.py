"""What stands beside the AWS endpoints: health for everybody, metrics for those who have a token, a page for lost browsers."""

from __future__ import annotations

import pytest
from tests.fixtures.crown import Crown

BROWSER = {"accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}


def token(crown: Crown, name: str) -> str:
    return (crown.settings.data_directory / name).read_text().strip()


@pytest.mark.parametrize("headers", [{}, {"authorization": "Bearer wrong"}, {"authorization": "Basic eDp5"}, BROWSER])
def test_the_metrics_are_not_open_to_whoever_reaches_the_port(crown: Crown, headers: dict[str, str]):
    answer = crown.request("GET", "/metrics", headers=headers)

    assert 401 == answer.status
    assert "Bearer" in (answer.header("www-authenticate") or "")
    assert "crownkeep_requests" not in answer.text


@pytest.mark.parametrize("name", ["metrics.token", "operator.token"])
def test_the_metrics_are_for_whoever_has_their_token_or_the_operator_s(crown: Crown, name: str):
    answer = crown.request("GET", "/metrics", headers={"authorization": f"Bearer {token(crown, name)}"})

    assert 200 == answer.status
    assert "crownkeep_connections 0.0" in answer.text
    assert 'crownkeep_connections_ended_total{reason="made_room"} 0.0' in answer.text


def test_the_metrics_token_opens_nothing_else(crown: Crown):
    headers = {"authorization": f"Bearer {token(crown, 'metrics.token')}"}

    assert 403 == crown.request("GET", "/operator/v1/accounts", headers=headers).status


@pytest.mark.parametrize("path", ["/health", "/ready"])
def test_health_is_open_and_tells_nothing(crown: Crown, path: str):
    answer = crown.request("GET", path)

    assert (200, {"status"}) == (answer.status, set(answer.json()))


@pytest.mark.parametrize("path", ["/nonexistent", "/a/b?c=d", "/index.php"])
def test_a_browser_that_is_lost_sees_a_page(crown: Crown, path: str):
    answer = crown.request("GET", path, headers=BROWSER)

    assert 404 == answer.status
    assert "There is no such page" in answer.text
    assert (answer.header("content-type") or "").startswith("text/html")


@pytest.mark.parametrize(
    ("method", "path", "headers"),
    [
        ("GET", "/nonexistent", {}),
        ("GET", "/nonexistent", {"accept": "*/*"}),
        ("POST", "/nonexistent", BROWSER),
        ("GET", "/nonexistent", {**BROWSER, "authorization": "AWS4-HMAC-SHA256 x"}),
        ("GET", "/nonexistent?X-Amz-Signature=0", BROWSER),
        ("GET", "/operator/v1/accounts", BROWSER),
    ],
)
def test_programs_get_aws_s_answer_for_a_path_that_there_is_not(crown: Crown, method: str, path: str, headers: dict[str, str]):
    answer = crown.request(method, path, headers=headers)

    assert 400 <= answer.status < 500
    assert "<html" not in answer.text.lower()
