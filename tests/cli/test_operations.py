"""`crownkeep operations`: what is served, and what is not, of every service."""

from __future__ import annotations

from crownkeep import models
from crownkeep.operations import registry


def test_every_operation_of_every_service_is_either_served_or_not(crownkeep):
    listed = {each["service"]: each for each in crownkeep("operations", "--json").json()["services"]}

    assert set(models.SPOKEN) == set(listed)
    for name, each in listed.items():
        assert sorted(models.service(name).operations) == sorted(each["served"] + each["not_served"])
    assert "CreateUser" in listed["iam"]["served"]
    assert "CreateOrganization" in listed["organizations"]["served"]
    assert "CreateGovCloudAccount" in listed["organizations"]["not_served"]


def test_what_is_called_served_has_a_handler(crownkeep):
    for each in crownkeep("operations", "--json").json()["services"]:
        service = registry.service(each["service"])
        found = list(service.served()) if service else []

        assert each["served"] == found


def test_a_service_is_shown_operation_by_operation(crownkeep):
    lines = crownkeep("operations", "--service", "cloudtrail").out.splitlines()

    assert "LookupEvents" in [line.split()[0] for line in lines if line.endswith("  served")]
    assert "CreateChannel" in [line.split()[0] for line in lines if line.endswith("  not served")]


def test_the_overview_counts(crownkeep):
    rows = {line.split()[0]: line.split()[1:] for line in crownkeep("operations").out.splitlines()}

    assert str(len(models.service("iam").operations)) == rows["iam"][1]
    assert rows["operator"][0] == rows["operator"][1]


def test_a_service_that_is_not_spoken_is_refused_with_those_that_are(crownkeep):
    ended = crownkeep("operations", "--service", "sqs")

    assert 2 == ended.code
    assert "`sqs` is not spoken here; one of iam, sts, account" in ended.err
