"""OpenID Connect providers: registered by URL, with AWS's limits and texts."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.fixtures.crown import Account

THUMBPRINT = "a" * 40


def create(account: Account, url: str = "https://oidc.example/path", **options: Any) -> Any:
    return account.client("iam").create_open_id_connect_provider(Url=url, **{"ThumbprintList": [THUMBPRINT], **options})


def refusal(call: Any, *arguments: Any, **parameters: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as refused:
        call(*arguments, **parameters)
    error = refused.value.response["Error"]
    return error["Code"], error["Message"]


def test_a_provider_is_made_shown_and_forgotten(account: Account):
    iam = account.client("iam")

    created = create(account, ClientIDList=["one"], Tags=[{"Key": "k", "Value": "v"}])

    arn = created["OpenIDConnectProviderArn"]
    assert f"arn:aws:iam::{account.id}:oidc-provider/oidc.example/path" == arn
    assert [{"Key": "k", "Value": "v"}] == created["Tags"]
    got = iam.get_open_id_connect_provider(OpenIDConnectProviderArn=arn)
    assert "oidc.example/path" == got["Url"]
    assert (["one"], [THUMBPRINT]) == (got["ClientIDList"], got["ThumbprintList"])
    listed = iam.list_open_id_connect_providers()["OpenIDConnectProviderList"]
    assert [{"Arn": arn, "IsTrustedIdentityPropagationEnabled": False}] == listed
    iam.delete_open_id_connect_provider(OpenIDConnectProviderArn=arn)
    missing = refusal(iam.get_open_id_connect_provider, OpenIDConnectProviderArn=arn)
    assert ("NoSuchEntity", f"OpenIDConnect Provider not found for arn {arn}") == missing


def test_a_provider_that_is_gone_may_be_deleted_once_more(account: Account):
    iam = account.client("iam")
    arn = create(account)["OpenIDConnectProviderArn"]
    iam.delete_open_id_connect_provider(OpenIDConnectProviderArn=arn)

    again = iam.delete_open_id_connect_provider(OpenIDConnectProviderArn=arn)

    assert 200 == again["ResponseMetadata"]["HTTPStatusCode"]
    nonsense = refusal(iam.delete_open_id_connect_provider, OpenIDConnectProviderArn="arn:aws:iam::123456789012:role/R")
    assert "InvalidInput" == nonsense[0]


def test_lists_of_a_provider_are_shown_also_where_empty(account: Account):
    arn = create(account)["OpenIDConnectProviderArn"]

    got = account.client("iam").get_open_id_connect_provider(OpenIDConnectProviderArn=arn)

    assert ([], []) == (got["ClientIDList"], got["Tags"])


def test_the_same_url_comes_once(account: Account):
    create(account)

    again = refusal(create, account)

    assert ("EntityAlreadyExists", "Provider with url https://oidc.example/path already exists.") == again


@pytest.mark.parametrize("url", ["oidc.example", "http://oidc.example", "https://oidc.example/?a=b", "https://u@oidc.example"])
def test_what_is_no_issuers_url_is_refused(account: Account, url: str):
    assert ("ValidationError", "Invalid Open ID Connect Provider URL") == refusal(create, account, url)


def test_limits_are_those_of_aws(account: Account):
    thumbprints = [character * 40 for character in "abcdef"]
    clients = [str(number) for number in range(101)]

    assert ("InvalidInput", "Thumbprint list must contain fewer than 5 entries.") == refusal(
        create, account, ThumbprintList=thumbprints
    )
    assert ("LimitExceeded", "Cannot exceed quota for ClientIdsPerOpenIdConnectProvider: 100") == refusal(
        create, account, ClientIDList=clients
    )


def test_client_ids_are_added_and_removed(account: Account):
    iam = account.client("iam")
    arn = create(account, ClientIDList=["one"])["OpenIDConnectProviderArn"]

    for client in ("two", "two"):
        iam.add_client_id_to_open_id_connect_provider(OpenIDConnectProviderArn=arn, ClientID=client)
    for client in ("one", "absent"):
        iam.remove_client_id_from_open_id_connect_provider(OpenIDConnectProviderArn=arn, ClientID=client)

    assert ["two"] == iam.get_open_id_connect_provider(OpenIDConnectProviderArn=arn)["ClientIDList"]


def test_tags_are_put_listed_and_taken(account: Account):
    iam = account.client("iam")
    arn = create(account)["OpenIDConnectProviderArn"]
    tags = [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}]

    iam.tag_open_id_connect_provider(OpenIDConnectProviderArn=arn, Tags=tags)
    iam.untag_open_id_connect_provider(OpenIDConnectProviderArn=arn, TagKeys=["a"])

    listed = iam.list_open_id_connect_provider_tags(OpenIDConnectProviderArn=arn)
    assert ([{"Key": "b", "Value": "2"}], False) == (listed["Tags"], listed["IsTruncated"])


def test_another_accounts_provider_is_not_there(account: Account):
    arn = create(account.crown.account())["OpenIDConnectProviderArn"]

    assert "NoSuchEntity" == refusal(account.client("iam").get_open_id_connect_provider, OpenIDConnectProviderArn=arn)[0]
