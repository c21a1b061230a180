"""Delivery: what a trail covered arrives whole and once, under CloudTrail's names, whatever becomes of the trail meanwhile."""

from __future__ import annotations

import gzip
import hashlib
import itertools
import json
import re
import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import delete
from tests.fixtures.crown import Account, Crown, Crowns
from tests.fixtures.organization import Organization
from tests.fixtures.trails import bucket, eventually, files, logging_trail, place, records, trail

from crownkeep.storage.database import Database
from crownkeep.storage.trail import trails

SECONDS = {"trail_delivery_seconds": 1, "trail_digest_seconds": 2}


@pytest.fixture(scope="module")
def delivering(crowns: Crowns) -> Iterator[Callable[[str], Crown]]:
    """Servers of this module's own: `delivering("sqlite")`."""
    started: dict[str, Crown] = {}

    def start(kind: str) -> Crown:
        if kind not in started:
            started[kind] = crowns.fresh(kind, **SECONDS)
        return started[kind]

    yield start
    for each in started.values():
        each.close()


@pytest.fixture
def crown(delivering: Callable[[str], Crown], database_kind: str) -> Crown:
    """A server that delivers each second and makes digests each other."""
    return delivering(database_kind)


@pytest.fixture
def account(crown: Crown) -> Account:
    """A fresh account of it."""
    return crown.account()


NAME = re.compile(
    r"(?P<account>\d{12})_CloudTrail_(?P<region>[a-z0-9-]+)_(?P<time>\d{8}T\d{4}Z)_[A-Za-z0-9]{16}\.json\.gz", re.ASCII
)


def names(root: Any) -> list[str]:
    return [each["eventName"] for each in records(root)]


def test_what_a_trail_covers_arrives_as_it_was_recorded_under_cloudtrails_names(crown, account):
    made = logging_trail(account, S3KeyPrefix="logs/acme")
    root = place(crown, made["S3BucketName"])
    account.client("iam").create_user(UserName="bob")

    eventually(lambda: "CreateUser" in names(root))

    kept = {each["eventID"]: each for each in account.records()}
    delivered = records(root)
    assert all(kept[each["eventID"]] == each for each in delivered)
    assert len(delivered) == len({each["eventID"] for each in delivered})
    for path in files(root):
        found = NAME.fullmatch(path.name)
        assert found is not None
        folder = f"logs/acme/AWSLogs/{account.id}/CloudTrail/{found['region']}"
        assert str(path.relative_to(root)).startswith(folder)
        assert f"{found['time'][:4]}/{found['time'][4:6]}/{found['time'][6:8]}" == "/".join(path.parts[-4:-1])
        assert account.id == found["account"]
        assert list(json.loads(gzip.decompress(path.read_bytes()))) == ["Records"]


def test_the_call_that_stops_a_trail_is_the_last_that_arrives(crown, account):
    made = logging_trail(account)
    root = place(crown, made["S3BucketName"])
    client = account.client("cloudtrail")

    client.stop_logging(Name=made["Name"])
    account.client("iam").create_user(UserName="unseen")

    eventually(lambda: "StopLogging" in names(root))
    assert {"StartLogging", "StopLogging"} <= set(names(root))
    assert eventually(lambda: client.get_trail_status(Name=made["Name"]).get("LatestDeliveryTime"))
    assert "CreateUser" not in names(root)
    assert "CreateUser" in [each["eventName"] for each in account.records()]


def test_a_deleted_trail_still_delivers_what_it_had_covered_the_deletion_included(crown, account):
    made = logging_trail(account, EnableLogFileValidation=True)
    root = place(crown, made["S3BucketName"])
    account.client("iam").create_user(UserName="bob")

    account.client("cloudtrail").delete_trail(Name=made["Name"])

    eventually(lambda: "DeleteTrail" in names(root))
    assert "CreateUser" in names(root)
    eventually(lambda: files(root, "/CloudTrail-Digest/"))


def test_selectors_that_change_later_take_nothing_out_of_what_was_covered(crown, account):
    name = bucket(crown, account)
    made = logging_trail(account, S3BucketName=name)
    client = account.client("cloudtrail")
    account.client("iam").create_user(UserName="bob")

    client.put_event_selectors(TrailName=made["Name"], EventSelectors=[{"ReadWriteType": "ReadOnly"}])
    account.client("iam").create_user(UserName="carol")
    account.client("iam").get_user(UserName="bob")

    root = place(crown, name)
    eventually(lambda: "GetUser" in names(root))
    made_users = [each["requestParameters"]["userName"] for each in records(root) if each["eventName"] == "CreateUser"]
    assert ["bob"] == made_users


def test_a_single_region_trail_covers_its_region_and_a_multi_region_trail_files_each_apart(crown, account):
    abroad = logging_trail(account, region="eu-west-1")
    everywhere = logging_trail(account, IsMultiRegionTrail=True)
    account.client("sts", region="eu-west-1").get_caller_identity()
    account.client("iam").create_user(UserName="bob")

    root = place(crown, everywhere["S3BucketName"])
    eventually(lambda: {"CreateUser", "GetCallerIdentity"} <= set(names(root)))
    regions = {NAME.fullmatch(path.name)["region"] for path in files(root)}  # type: ignore[index]
    assert {"us-east-1", "eu-west-1"} == regions
    there = place(crown, abroad["S3BucketName"])
    eventually(lambda: "GetCallerIdentity" in names(there))
    assert {"eu-west-1"} == {each["awsRegion"] for each in records(there)}


def test_reading_the_files_is_recorded_and_delivered_by_no_trail(crown, account):
    made = logging_trail(account)
    root = place(crown, made["S3BucketName"])
    eventually(lambda: files(root))
    s3 = account.client("s3")

    [key, *_] = [each["Key"] for each in s3.list_objects_v2(Bucket=made["S3BucketName"])["Contents"]]
    s3.get_object(Bucket=made["S3BucketName"], Key=key)
    account.client("iam").create_user(UserName="after")

    eventually(lambda: "CreateUser" in names(root))
    assert not {"GetObject", "ListObjects", "ListObjectsV2"} & set(names(root))
    kept = next(each for each in account.records() if each["eventName"] == "GetObject")
    assert ("Data", False, True) == (kept["eventCategory"], kept["managementEvent"], kept["readOnly"])


def test_what_a_bucket_refuses_is_shown_recorded_and_delivered_once_it_takes_it(crown, account, tmp_path):
    target = tmp_path / "logs"
    target.mkdir()
    name = bucket(crown, account, directory=str(target))
    shutil.rmtree(target)
    target.write_text("in the way")
    made = logging_trail(account, S3BucketName=name)
    client = account.client("cloudtrail")
    account.client("iam").create_user(UserName="bob")
    status = eventually(lambda: client.get_trail_status(Name=made["Name"]).get("LatestDeliveryError"))
    assert status.startswith("InternalError: the directory can't be written to")
    failed = next(each for each in account.records() if each["eventName"] == "TrailDeliveryFailed")
    assert ("AwsServiceEvent", "InternalError", name) == (
        failed["eventType"],
        failed["errorCode"],
        failed["serviceEventDetails"]["s3BucketName"],
    )
    told = crown.operator("GET", f"/accounts/{account.id}/alerts/history").json()["alerts"]
    assert "trail-delivery-failed" in {each.get("rule") for each in told}

    target.unlink()
    target.mkdir()
    client.update_trail(Name=made["Name"], S3BucketName=bucket(crown, account))
    client.update_trail(Name=made["Name"], S3BucketName=name)

    eventually(lambda: "CreateUser" in names(target))
    eventually(lambda: "LatestDeliveryError" not in client.get_trail_status(Name=made["Name"]))


def test_a_bucket_that_is_taken_away_is_an_error_that_the_trail_shows(crown, account):
    made = logging_trail(account)
    crown.operator("DELETE", f"/trail-buckets/{made['S3BucketName']}")
    client = account.client("cloudtrail")

    shown = eventually(lambda: client.get_trail_status(Name=made["Name"]).get("LatestDeliveryError"))

    assert "NoSuchBucket: The specified bucket does not exist" == shown
    other = crown.account()
    bucket(crown, other, name=made["S3BucketName"])
    client.update_trail(Name=made["Name"], EnableLogFileValidation=True)
    again = eventually(lambda: client.get_trail_status(Name=made["Name"]).get("LatestDeliveryError"))
    assert ("NoSuchBucket", []) == (again.partition(":")[0], files(place(crown, made["S3BucketName"])))


def test_a_trail_that_can_not_be_served_keeps_no_other_from_its_files(crown, account, caplog):
    broken, made = logging_trail(account), logging_trail(crown.account())
    database = Database(crown.settings.database_url)
    with database.transaction() as db:
        mine = next(row for row in trails.of_account(db, account.id) if row.arn == broken["TrailARN"])
        db.execute(delete(trails.scopes).where(trails.scopes.c.trail_id == mine.trail_id))
    database.close()

    account.client("iam").create_user(UserName="bob")

    eventually(lambda: f"the trail of id `{mine.trail_id}` could not be served" in caplog.text)
    eventually(lambda: files(place(crown, made["S3BucketName"])))


# Organizations.


def organized(crown: Any) -> tuple[Organization, Any]:
    organization = Organization(crown)
    organization.client.enable_aws_service_access(ServicePrincipal="cloudtrail.amazonaws.com")
    return organization, organization.invited()


def test_an_organizations_trail_covers_its_members_each_in_a_folder_of_its_own(crown):
    organization, member = organized(crown)
    made = logging_trail(organization.management, IsOrganizationTrail=True, IsMultiRegionTrail=True)
    root = place(crown, made["S3BucketName"])
    member.client("iam").create_user(UserName="bob")
    organization.management.client("iam").create_user(UserName="carol")
    crown.account().client("iam").create_user(UserName="stranger")

    eventually(lambda: names(root).count("CreateUser") == 2)

    folders = {path.relative_to(root).parts[:3] for path in files(root)}
    ids = {organization.management.id, member.id}
    assert {("AWSLogs", organization.id, each) for each in ids} == folders
    assert {each["recipientAccountId"] for each in records(root)} == ids


def test_a_member_sees_the_organizations_trail_and_cannot_stop_it(crown):
    organization, member = organized(crown)
    arn = logging_trail(organization.management, IsOrganizationTrail=True)["TrailARN"]
    client = member.client("cloudtrail")

    assert [arn] == [each["TrailARN"] for each in client.describe_trails()["trailList"]]
    assert [] == client.describe_trails(includeShadowTrails=False)["trailList"]
    assert client.get_trail_status(Name=arn)["IsLogging"] is True
    for operation in (client.stop_logging, client.delete_trail, client.update_trail):
        with pytest.raises(client.exceptions.NotOrganizationMasterAccountException):
            operation(Name=arn)
    assert client.get_trail_status(Name=arn)["IsLogging"] is True


def test_an_organizations_trail_takes_trusted_access_and_ends_with_it_for_members(crown):
    organization = Organization(crown)
    management = organization.management.client("cloudtrail")
    name = bucket(crown, organization.management)
    with pytest.raises(management.exceptions.CloudTrailAccessNotEnabledException, match="hasn't enabled CloudTrail service"):
        management.create_trail(Name="audit", S3BucketName=name, IsOrganizationTrail=True)
    organization.client.enable_aws_service_access(ServicePrincipal="cloudtrail.amazonaws.com")
    member = organization.invited()
    made = logging_trail(organization.management, S3BucketName=name, IsOrganizationTrail=True)

    organization.client.disable_aws_service_access(ServicePrincipal="cloudtrail.amazonaws.com")

    member.client("iam").create_user(UserName="bob")
    organization.management.client("iam").create_user(UserName="carol")
    root = place(crown, made["S3BucketName"])
    eventually(lambda: "CreateUser" in names(root))
    users = [each["requestParameters"]["userName"] for each in records(root) if each["eventName"] == "CreateUser"]
    assert ["carol"] == users
    assert [] == member.client("cloudtrail").describe_trails()["trailList"]


def test_a_delegated_administrator_makes_and_stops_the_organizations_trails(crown):
    organization, member = organized(crown)
    management = organization.management.client("cloudtrail")
    client = member.client("cloudtrail")
    name = bucket(crown, member)
    not_yet = client.exceptions.NotOrganizationMasterAccountException
    with pytest.raises(not_yet):
        client.create_trail(Name="audit", S3BucketName=name, IsOrganizationTrail=True)
    management.register_organization_delegated_admin(MemberAccountId=member.id)

    made = client.create_trail(Name="audit", S3BucketName=name, IsOrganizationTrail=True)
    client.start_logging(Name=made["TrailARN"])

    assert f"arn:aws:cloudtrail:us-east-1:{organization.management.id}:trail/audit" == made["TrailARN"]
    assert management.get_trail_status(Name="audit")["IsLogging"] is True
    with pytest.raises(management.exceptions.AccountRegisteredException):
        management.register_organization_delegated_admin(MemberAccountId=member.id)
    management.deregister_organization_delegated_admin(DelegatedAdminAccountId=member.id)
    with pytest.raises(not_yet):
        client.stop_logging(Name=made["TrailARN"])
    assert management.get_trail_status(Name="audit")["IsLogging"] is True


def test_registering_a_delegated_administrator_takes_the_permission_of_organizations_too(crown):
    organization, member = organized(crown)
    statement = {"Effect": "Allow", "Action": "cloudtrail:*", "Resource": "*"}
    user = organization.management.user("carol", policy={"Version": "2012-10-17", "Statement": [statement]})
    client = user.client("cloudtrail")

    refusal = client.exceptions.InsufficientDependencyServiceAccessPermissionException
    with pytest.raises(refusal, match="organizations:RegisterDelegatedAdministrator"):
        client.register_organization_delegated_admin(MemberAccountId=member.id)
    assert [] == organization.client.list_delegated_administrators()["DelegatedAdministrators"]


# Purging.


def test_whoever_has_a_purged_accounts_id_next_sees_none_of_its_files(crown):
    first = crown.account()
    made = logging_trail(first)
    root = place(crown, made["S3BucketName"])
    eventually(lambda: files(root))

    crown.operator("DELETE", f"/accounts/{first.id}")
    second = crown.account(account_id=first.id)
    bucket(crown, second, name=made["S3BucketName"])

    assert root != place(crown, made["S3BucketName"])
    assert [] == second.client("s3").list_objects_v2(Bucket=made["S3BucketName"]).get("Contents", [])
    assert [] == second.client("cloudtrail").describe_trails()["trailList"]


# Digests.


def test_digests_list_every_log_file_and_lead_to_one_another(crown, account):
    made = logging_trail(account, EnableLogFileValidation=True)
    root = place(crown, made["S3BucketName"])
    account.client("iam").create_user(UserName="bob")
    eventually(lambda: "CreateUser" in names(root) and digests(root))
    account.client("cloudtrail").stop_logging(Name=made["Name"])

    eventually(lambda: "StopLogging" in names(root) and len(digests(root)) >= 2)
    status = eventually(lambda: account.client("cloudtrail").get_trail_status(Name=made["Name"]).get("LatestDigestDeliveryTime"))

    assert status is not None
    expected = {str(path.relative_to(root)) for path in files(root, "/CloudTrail/")}
    eventually(lambda: expected == {each["s3Object"] for digest in digests(root) for each in digest["logFiles"]})
    found = digests(root)
    for before, after in itertools.pairwise(found):
        assert before["digestS3Object"] == after["previousDigestS3Object"]
        assert before["digestEndTime"] == after["digestStartTime"]
        text = gzip.decompress((root / before["digestS3Object"]).read_bytes())
        assert hashlib.sha256(text).hexdigest() == after["previousDigestHashValue"]
    assert found[0]["previousDigestS3Object"] is None
    for digest in found:
        for each in digest["logFiles"]:
            text = gzip.decompress((root / each["s3Object"]).read_bytes())
            assert hashlib.sha256(text).hexdigest() == each["hashValue"]


def digests(root: Any) -> list[dict[str, Any]]:
    return [json.loads(gzip.decompress(path.read_bytes())) for path in files(root, "/CloudTrail-Digest/")]


def test_a_trail_without_validation_has_no_digests(crown, account):
    made = logging_trail(account)
    root = place(crown, made["S3BucketName"])
    eventually(lambda: files(root))

    account.client("cloudtrail").stop_logging(Name=made["Name"])

    eventually(lambda: "StopLogging" in names(root))
    assert [] == files(root, "/CloudTrail-Digest/")
    assert trail(account)["LogFileValidationEnabled"] is False
