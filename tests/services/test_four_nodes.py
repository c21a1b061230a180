"""Four servers on one PostgreSQL, asked at the same moment: quotas hold, revocations reach all, and each event has one leaf."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from uuid import UUID

import pytest
from botocore.exceptions import ClientError
from tests.fixtures.crown import Account, Crown, Crowns
from tests.fixtures.nodes import at_once, of_each
from tests.trail import logs

from crownkeep.storage.database import Database
from crownkeep.storage.trail import leaves

NODES = 4
ROUNDS = 3
ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"


@pytest.fixture(scope="module")
def cluster(crowns: Crowns) -> Iterator[list[Crown]]:
    first = crowns.fresh("postgres")
    others = [crowns.fresh("postgres", data=first.settings.data, database=first.settings.database) for _ in range(NODES - 1)]
    yield [first, *others]
    for crown in (*others, first):
        crown.close()


@pytest.fixture
def owner(cluster: list[Crown]) -> Account:
    return cluster[0].account()


def test_four_nodes_hold_one_quota(cluster: list[Crown], owner: Account):
    set_to = cluster[1].operator("PUT", f"/accounts/{owner.id}/quotas/UsersQuota", {"value": 6})
    clients = [cluster[number % NODES].session(owner.created["admin"], "iam") for number in range(2 * NODES)]

    came_to = at_once(*of_each(clients, "create_user", *({"UserName": f"user-{number}"} for number in range(2 * NODES))))

    assert 200 == set_to.status, set_to.text
    assert Counter({"": 5, "LimitExceeded": 3}) == Counter(came_to)
    assert {6} == {len(each.list_users()["Users"]) for each in clients[:NODES]}


def test_what_one_of_four_nodes_revokes_no_other_accepts(cluster: list[Crown], owner: Account):
    for number in range(NODES):
        user = owner.user(f"leaving-{number}", arn=ADMINISTRATOR)
        clients = [crown.session(user.credentials, "iam") for crown in cluster]
        seen = [each.get_user()["User"]["UserName"] for each in clients]
        admin = cluster[number].session(owner.created["admin"], "iam")

        admin.update_access_key(UserName=user.name, AccessKeyId=user.credentials.access_key_id, Status="Inactive")

        assert [user.name] * NODES == seen
        assert ["InvalidClientTokenId"] * NODES == [refusal_of(each) for each in clients]


def test_four_nodes_put_each_event_into_the_tree_once(cluster: list[Crown], owner: Account):
    clients = [crown.session(owner.created["admin"], "iam") for crown in cluster]
    for number in range(ROUNDS):
        assert [""] * NODES == at_once(
            *of_each(clients, "create_user", *({"UserName": f"made-{number}-{node}"} for node in range(NODES)))
        )

    size = logs.settled(cluster[0]).size
    told = [crown.records(owner.id) for crown in cluster]

    assert [told[0]] * NODES == told
    assert NODES * ROUNDS == sum(each["eventName"] == "CreateUser" and "made-" in str(each) for each in told[0])
    places = indexes(cluster[0], [UUID(each["eventID"]) for each in told[0]])
    assert len(told[0]) == len(set(places))
    assert set(places) <= set(range(size))


def refusal_of(client: object) -> str:
    with pytest.raises(ClientError) as refused:
        client.get_user()  # type: ignore[attr-defined]  # boto3 makes its clients' methods at run time
    return str(refused.value.response["Error"]["Code"])


def indexes(crown: Crown, event_ids: list[UUID]) -> list[int]:
    database = Database(crown.settings.database_url)
    with database.snapshot() as db:
        found = [leaves.of_event(db, each) for each in event_ids]
    database.close()
    assert None not in found
    return [place for place, _ in filter(None, found)]
