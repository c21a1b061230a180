"""`crownkeep trail bucket`: given to an account, listed and taken away."""

from __future__ import annotations


def test_buckets_are_given_listed_and_taken_away(crownkeep, made, data):
    account_id = made()["account_id"]
    secret = data.parent / "secret"
    secret.write_text("an-endpoints-secret\n")
    remote = ("--s3-endpoint", "https://minio.example", "--s3-access-key-id", "writer", "--s3-secret-file", str(secret))

    first = crownkeep("trail", "bucket", "add", "acme-logs", "--account", account_id)
    second = crownkeep("trail", "bucket", "add", "acme-remote", "--account", account_id, *remote, "--json")

    assert f"Trails of account {account_id} may deliver to the bucket `acme-logs`" in first.out
    assert "https://minio.example/acme-remote" == second.json()["place"]
    shown = crownkeep("trail", "bucket", "list").out
    assert [True, True] == [name in shown for name in ("acme-logs", "acme-remote")]
    assert {"acme-logs", "acme-remote"} == {
        each["name"] for each in crownkeep("trail", "bucket", "list", "--json").json()["buckets"]
    }
    assert "its files stay in" in crownkeep("trail", "bucket", "remove", "acme-logs").out
    again = crownkeep("trail", "bucket", "remove", "acme-logs")
    assert (1, True) == (again.code, "`crownkeep trail bucket list` shows them all" in again.err)


def test_a_secret_that_is_not_there_is_a_wrong_call(crownkeep, made, data):
    account_id = made()["account_id"]
    empty = data.parent / "empty"
    empty.write_text("")

    for file in (empty, data.parent / "missing"):
        ended = crownkeep("trail", "bucket", "add", "acme-logs", "--account", account_id, "--s3-secret-file", str(file))
        assert (2, True) == (ended.code, "put the secret access key into it, as one line" in ended.err)
