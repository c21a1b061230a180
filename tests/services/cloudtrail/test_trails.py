"""Trails: made, changed, described, found by name and ARN, seen from other Regions; refused as CloudTrail refuses."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.fixtures.trails import bucket, logging_trail, trail


def refused(call: Any, **parameters: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as refusal:
        call(**parameters)
    error = refusal.value.response["Error"]
    return str(error["Code"]), str(error["Message"])


def listed(account: Any, region: str = "us-east-1", **options: Any) -> list[str]:
    return [each["Name"] for each in account.client("cloudtrail", region=region).describe_trails(**options)["trailList"]]


def test_a_trail_answers_what_was_asked_for_and_is_described_so(crown, account):
    name = bucket(crown, account)

    made = trail(account, Name="audit", S3BucketName=name, S3KeyPrefix="logs/acme", IsMultiRegionTrail=True)

    expected = {
        "Name": "audit",
        "S3BucketName": name,
        "S3KeyPrefix": "logs/acme",
        "IncludeGlobalServiceEvents": True,
        "IsMultiRegionTrail": True,
        "TrailARN": f"arn:aws:cloudtrail:us-east-1:{account.id}:trail/audit",
        "LogFileValidationEnabled": False,
        "IsOrganizationTrail": False,
    }
    assert expected == made
    described = account.client("cloudtrail").get_trail(Name="audit")["Trail"]
    further = {"HomeRegion": "us-east-1", "HasCustomEventSelectors": False, "HasInsightSelectors": False}
    assert expected | further == described
    assert described == account.client("cloudtrail").get_trail(Name=made["TrailARN"])["Trail"]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("ab", "Trail name too short. Minimum allowed length: 3 characters. Specified name length: 2 characters."),
        ("a" * 129, "Trail name too long. Maximum allowed length: 128 characters. Specified name length: 129 characters."),
        (".abc", "Trail name must starts with a letter or number."),
        ("abc-", "Trail name must ends with a letter or number."),
        (
            "a b c",
            "Trail name or ARN can only contain uppercase letters, lowercase letters, numbers, periods (.), hyphens (-), and",
        ),
        ("a..b", "Trail name cannot have adjacent periods, underscores, or hyphens."),
        ("192.168.5.4", "Trail name cannot be in IP address format."),
    ],
)
def test_what_can_be_no_trails_name_is_refused(account, name, text):
    code, message = refused(account.client("cloudtrail").create_trail, Name=name, S3BucketName="any-bucket")

    assert ("InvalidTrailNameException", True) == (code, message.startswith(text))


def test_a_bucket_that_the_operator_did_not_give_the_account_does_not_exist(crown, account):
    others = bucket(crown, crown.account())
    create = account.client("cloudtrail").create_trail

    for name in ("no-such-bucket", others):
        answer = refused(create, Name="audit", S3BucketName=name)
        assert ("S3BucketDoesNotExistException", f"S3 bucket {name} does not exist!") == answer


def test_a_name_is_taken_where_the_trail_is_seen(account):
    trail(account, Name="audit", IsMultiRegionTrail=True)
    message = f"Trail audit already exists for customer: {account.id}"

    for region in ("us-east-1", "eu-west-1"):
        create = account.client("cloudtrail", region=region).create_trail
        answer = refused(create, Name="audit", S3BucketName=bucket(account.crown, account))
        assert ("TrailAlreadyExistsException", message) == answer


def test_a_sixth_trail_in_a_region_is_refused_shadow_trails_counted(account):
    name = bucket(account.crown, account)
    for number in range(4):
        trail(account, Name=f"trail-{number}", S3BucketName=name)
    trail(account, Name="everywhere", S3BucketName=name, IsMultiRegionTrail=True, region="eu-west-1")

    answer = refused(account.client("cloudtrail").create_trail, Name="sixth", S3BucketName=name)

    message = f"User: {account.id} already has 5 trails in us-east-1."
    assert ("MaximumNumberOfTrailsExceededException", message) == answer
    assert "sixth" == trail(account, Name="sixth", S3BucketName=name, region="ap-south-1")["Name"]


@pytest.mark.parametrize(
    ("parameters", "code"),
    [
        ({"SnsTopicName": "topic"}, "InsufficientSnsTopicPolicyException"),
        ({"KmsKeyId": "alias/key"}, "KmsKeyNotFoundException"),
        ({"CloudWatchLogsLogGroupArn": "arn:aws:logs:us-east-1:1:log-group:x:*"}, "InvalidCloudWatchLogsLogGroupArnException"),
        ({"S3KeyPrefix": "../up"}, "InvalidS3PrefixException"),
        ({"S3KeyPrefix": "a//b"}, "InvalidS3PrefixException"),
        ({"S3KeyPrefix": "x" * 201}, "InvalidS3PrefixException"),
        ({"IsMultiRegionTrail": True, "IncludeGlobalServiceEvents": False}, "InvalidParameterCombinationException"),
        ({"IsOrganizationTrail": True}, "OrganizationsNotInUseException"),
    ],
)
def test_what_a_trail_cannot_have_is_refused(account, parameters, code):
    name = bucket(account.crown, account)

    assert code == refused(account.client("cloudtrail").create_trail, Name="audit", S3BucketName=name, **parameters)[0]
    assert [] == listed(account)


def test_a_trail_is_seen_elsewhere_where_it_covers_all_regions(account):
    trail(account, Name="here")
    everywhere = trail(account, Name="everywhere", IsMultiRegionTrail=True)
    abroad = account.client("cloudtrail", region="eu-west-1")

    assert ["everywhere", "here"] == listed(account)
    assert ["everywhere"] == listed(account, "eu-west-1")
    assert [] == listed(account, "eu-west-1", includeShadowTrails=False)
    assert ["everywhere"] == listed(account, "eu-west-1", trailNameList=[everywhere["TrailARN"]])
    assert [] == listed(account, "eu-west-1", trailNameList=["everywhere"])
    assert {"everywhere", "here"} == {each["Name"] for each in abroad.list_trails()["Trails"]}
    assert abroad.get_trail_status(Name=everywhere["TrailARN"])["IsLogging"] is False
    unknown = f"Unknown trail: arn:aws:cloudtrail:eu-west-1:{account.id}:trail/everywhere for the user: {account.id}"
    assert ("TrailNotFoundException", unknown) == refused(abroad.get_event_selectors, TrailName="everywhere")


@pytest.mark.parametrize("operation", ["stop_logging", "start_logging", "delete_trail", "update_trail"])
def test_a_trail_is_changed_at_home_alone(account, operation):
    made = trail(account, IsMultiRegionTrail=True)
    abroad = account.client("cloudtrail", region="eu-west-1")

    assert "InvalidHomeRegionException" == refused(getattr(abroad, operation), Name=made["TrailARN"])[0]


@pytest.mark.parametrize(
    "arn",
    [
        "arn:aws:cloudtrail:us-east-1:123456789012:trail",
        "arn:aws:cloudtrail:us-east-1:123456789012:eventdatastore/x",
        "arn:aws-cn:cloudtrail:us-east-1:123456789012:trail/audit",
        "arn:aws:s3:us-east-1:123456789012:trail/audit",
    ],
)
def test_what_is_no_trails_arn_is_refused(account, arn):
    assert "CloudTrailARNInvalidException" == refused(account.client("cloudtrail").get_trail, Name=arn)[0]


def test_trails_of_others_are_unknown(crown, account):
    theirs = trail(crown.account(), IsMultiRegionTrail=True)["TrailARN"]
    client = account.client("cloudtrail")

    for operation in (client.get_trail, client.get_trail_status, client.stop_logging, client.delete_trail):
        assert "TrailNotFoundException" == refused(operation, Name=theirs)[0]
    assert "ResourceNotFoundException" == refused(client.list_tags, ResourceIdList=[theirs])[0]


def test_a_trail_is_updated_member_by_member(account):
    made = trail(account, Name="audit", S3KeyPrefix="logs")
    client = account.client("cloudtrail")

    changed = client.update_trail(Name="audit", IsMultiRegionTrail=True, EnableLogFileValidation=True, RecursiveLogging=False)
    bare = client.update_trail(Name="audit", S3KeyPrefix="")

    assert (True, True, False, "logs") == (
        changed["IsMultiRegionTrail"],
        changed["LogFileValidationEnabled"],
        changed["RecursiveLogging"],
        changed["S3KeyPrefix"],
    )
    assert ("S3KeyPrefix" in bare, made["S3BucketName"]) == (False, bare["S3BucketName"])
    combined = refused(client.update_trail, Name="audit", IncludeGlobalServiceEvents=False)
    assert ("InvalidParameterCombinationException", "Multi-Region trail must include global service events.") == combined


def test_a_name_can_be_used_again_once_its_trail_is_deleted(account):
    made = logging_trail(account, Name="audit")
    client = account.client("cloudtrail")

    client.delete_trail(Name="audit")

    assert [] == listed(account)
    assert "TrailNotFoundException" == refused(client.get_trail, Name="audit")[0]
    again = trail(account, Name="audit")
    assert made["TrailARN"] == again["TrailARN"]
    assert client.get_trail_status(Name="audit")["IsLogging"] is False


def test_a_trail_says_since_when_it_logs_and_no_more(account):
    made = trail(account)
    client = account.client("cloudtrail")
    before = client.get_trail_status(Name=made["Name"])
    client.start_logging(Name=made["Name"])
    client.start_logging(Name=made["Name"])
    during = client.get_trail_status(Name=made["Name"])

    client.stop_logging(Name=made["Name"])

    after = client.get_trail_status(Name=made["Name"])
    assert (False, True, False) == (before["IsLogging"], during["IsLogging"], after["IsLogging"])
    assert ("StartLoggingTime" in before, "StopLoggingTime" in during) == (False, False)
    assert during["StartLoggingTime"] == after["StartLoggingTime"]
    assert after["StopLoggingTime"] >= after["StartLoggingTime"]


# Selectors.

EVERYTHING = {
    "ReadWriteType": "All",
    "IncludeManagementEvents": True,
    "DataResources": [],
    "ExcludeManagementEventSources": [],
}


def test_a_trail_takes_every_management_event_until_it_is_told_otherwise(account):
    made = trail(account)
    client = account.client("cloudtrail")

    before = client.get_event_selectors(TrailName=made["Name"])
    put = client.put_event_selectors(TrailName=made["Name"], EventSelectors=[{"ReadWriteType": "WriteOnly"}])

    assert [EVERYTHING] == before["EventSelectors"]
    assert [EVERYTHING | {"ReadWriteType": "WriteOnly"}] == put["EventSelectors"]
    assert put["EventSelectors"] == client.get_event_selectors(TrailName=made["TrailARN"])["EventSelectors"]
    assert client.get_trail(Name=made["Name"])["Trail"]["HasCustomEventSelectors"] is True
    client.put_event_selectors(TrailName=made["Name"], EventSelectors=[EVERYTHING])
    assert client.get_trail(Name=made["Name"])["Trail"]["HasCustomEventSelectors"] is False


def field(name: str, **values: list[str]) -> dict[str, Any]:
    return {"Field": name, **values}


MANAGEMENT = field("eventCategory", Equals=["Management"])


def test_advanced_selectors_take_the_place_of_basic_ones(account):
    made = trail(account)
    client = account.client("cloudtrail")
    wanted = [{"Name": "changes", "FieldSelectors": [MANAGEMENT, field("readOnly", Equals=["false"])]}]

    client.put_event_selectors(TrailName=made["Name"], AdvancedEventSelectors=wanted)

    found = client.get_event_selectors(TrailName=made["Name"])
    assert (wanted, False) == (found["AdvancedEventSelectors"], "EventSelectors" in found)


@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"EventSelectors": [{}], "AdvancedEventSelectors": [{"FieldSelectors": [MANAGEMENT]}]},
        {"EventSelectors": [{}] * 6},
        {"EventSelectors": [{"DataResources": [{"Type": "AWS::S3::Object", "Values": ["arn:aws:s3:::bucket/"]}]}]},
        {"EventSelectors": [{"IncludeManagementEvents": False}]},
        {"EventSelectors": [{"ExcludeManagementEventSources": ["iam.amazonaws.com"]}]},
        {"AdvancedEventSelectors": [{"FieldSelectors": [field("eventCategory", Equals=["Data"])]}]},
        {"AdvancedEventSelectors": [{"FieldSelectors": [field("eventCategory", Equals=["NetworkActivity"])]}]},
        {"AdvancedEventSelectors": [{"FieldSelectors": [field("readOnly", Equals=["true"])]}]},
        {"AdvancedEventSelectors": [{"FieldSelectors": [MANAGEMENT, field("readOnly", Equals=["maybe"])]}]},
        {"AdvancedEventSelectors": [{"FieldSelectors": [MANAGEMENT, field("resources.ARN", Equals=["x"])]}]},
        {"AdvancedEventSelectors": [{"FieldSelectors": [MANAGEMENT, field("eventSource", Equals=["iam.amazonaws.com"])]}]},
        {"AdvancedEventSelectors": [{"FieldSelectors": [MANAGEMENT, MANAGEMENT]}]},
    ],
)
def test_a_selector_of_data_events_or_of_nothing_is_refused(account, parameters):
    made = trail(account)

    answer = refused(account.client("cloudtrail").put_event_selectors, TrailName=made["Name"], **parameters)

    assert "InvalidEventSelectorsException" == answer[0]


def test_insights_are_refused_by_name_and_none_are_there(account):
    made = trail(account)
    client = account.client("cloudtrail")
    wanted = [{"InsightType": "ApiCallRateInsight"}]

    put = refused(client.put_insight_selectors, TrailName=made["Name"], InsightSelectors=wanted)
    got = refused(client.get_insight_selectors, TrailName=made["Name"])

    assert "UnsupportedOperationException" == put[0]
    message = f"Trail {made['TrailARN']} does not have Insights enabled. Edit the trail settings to enable Insights, and then try"
    assert ("InsightNotEnabledException", True) == (got[0], got[1].startswith(message))
    assert [] == client.put_insight_selectors(TrailName=made["Name"], InsightSelectors=[])["InsightSelectors"]


def test_the_event_configuration_is_empty_and_stays_so(account):
    made = trail(account)
    client = account.client("cloudtrail")
    aggregations = [{"Templates": ["API_ACTIVITY"], "EventCategory": "Data"}]

    assert [] == client.get_event_configuration(TrailName=made["Name"])["AggregationConfigurations"]
    put = client.put_event_configuration
    assert made["TrailARN"] == put(TrailName=made["Name"], AggregationConfigurations=[])["TrailARN"]
    refusal = refused(put, TrailName=made["Name"], AggregationConfigurations=aggregations)
    assert "InvalidParameterException" == refusal[0]
    assert "InvalidParameterCombinationException" == refused(put, TrailName=made["Name"], MaxEventSize="Large")[0]
    assert "UnsupportedOperationException" == refused(client.get_event_configuration, EventDataStore="x" * 8)[0]


# Tags, and who may do what.


def test_a_trail_is_tagged_when_made_and_later(account):
    made = trail(account, TagsList=[{"Key": "team", "Value": "red"}])
    client = account.client("cloudtrail")
    arn = made["TrailARN"]

    client.add_tags(ResourceId=arn, TagsList=[{"Key": "env", "Value": "prod"}, {"Key": "bare"}])
    client.remove_tags(ResourceId=arn, TagsList=[{"Key": "team"}])

    [listed_tags] = client.list_tags(ResourceIdList=[arn])["ResourceTagList"]
    expected = [{"Key": "bare", "Value": ""}, {"Key": "env", "Value": "prod"}]
    assert {"ResourceId": arn, "TagsList": expected} == listed_tags
    many = [{"Key": f"key-{number}"} for number in range(50)]
    assert "TagsLimitExceededException" == refused(client.add_tags, ResourceId=arn, TagsList=many)[0]
    twice = [{"Key": "a"}, {"Key": "A"}]
    assert "InvalidTagParameterException" == refused(client.add_tags, ResourceId=arn, TagsList=twice)[0]
    store = f"arn:aws:cloudtrail:us-east-1:{account.id}:eventdatastore/abc"
    assert "ResourceTypeNotSupportedException" == refused(client.add_tags, ResourceId=store, TagsList=[])[0]


def allow(*actions: str, resource: str | list[str] = "*", **condition: Any) -> dict[str, Any]:
    statement: dict[str, Any] = {"Effect": "Allow", "Action": list(actions), "Resource": resource}
    return {"Version": "2012-10-17", "Statement": [statement | ({"Condition": condition} if condition else {})]}


def test_a_policy_decides_on_a_trail_by_its_arn_however_it_is_named(account):
    mine, other = trail(account, Name="mine"), trail(account, Name="other")
    user = account.user("carol", policy=allow("cloudtrail:StopLogging", resource=mine["TrailARN"])).client("cloudtrail")

    user.stop_logging(Name="mine")
    user.stop_logging(Name=mine["TrailARN"])

    for name in ("other", other["TrailARN"]):
        code, message = refused(user.stop_logging, Name=name)
        assert ("AccessDeniedException", True) == (code, other["TrailARN"] in message)


def test_a_policy_decides_on_a_trail_by_its_tags(account):
    red = trail(account, Name="red", TagsList=[{"Key": "team", "Value": "red"}])
    trail(account, Name="blue")
    policy = allow("cloudtrail:GetTrail", StringEquals={"aws:ResourceTag/team": "red"})
    user = account.user("carol", policy=policy).client("cloudtrail")

    assert red["Name"] == user.get_trail(Name="red")["Trail"]["Name"]
    assert "AccessDeniedException" == refused(user.get_trail, Name="blue")[0]


def test_tags_of_every_listed_trail_are_asked_about(account):
    mine, other = trail(account)["TrailARN"], trail(account)["TrailARN"]
    user = account.user("carol", policy=allow("cloudtrail:ListTags", resource=mine)).client("cloudtrail")

    assert mine == user.list_tags(ResourceIdList=[mine])["ResourceTagList"][0]["ResourceId"]
    assert "AccessDeniedException" == refused(user.list_tags, ResourceIdList=[mine, other])[0]


def test_whether_one_listed_trail_exists_is_told_to_nobody_who_may_not_list_the_next(account):
    mine, other = trail(account)["TrailARN"], trail(account)["TrailARN"]
    gone = f"arn:aws:cloudtrail:us-east-1:{account.id}:trail/gone"
    user = account.user("carol", policy=allow("cloudtrail:ListTags", resource=[mine, gone])).client("cloudtrail")

    code, message = refused(user.list_tags, ResourceIdList=[mine, gone, other])

    assert ("AccessDeniedException", True) == (code, other in message)


def test_who_may_make_a_trail_may_not_therefore_tag_it(account):
    name = bucket(account.crown, account)
    user = account.user("carol", policy=allow("cloudtrail:CreateTrail")).client("cloudtrail")

    answer = refused(user.create_trail, Name="audit", S3BucketName=name, TagsList=[{"Key": "team", "Value": "red"}])

    assert ("AccessDeniedException", True) == (answer[0], "cloudtrail:AddTags" in answer[1])


def test_stopping_and_deleting_a_trail_are_recorded_with_the_trail_and_the_record_goes_on(account):
    made = logging_trail(account)
    client = account.client("cloudtrail")

    client.stop_logging(Name=made["Name"])
    client.delete_trail(Name=made["Name"])
    account.client("iam").create_user(UserName="later")

    kept = {each["eventName"]: each for each in account.records()}
    for name in ("StopLogging", "DeleteTrail"):
        assert [{"accountId": account.id, "type": "AWS::CloudTrail::Trail", "ARN": made["TrailARN"]}] == kept[name]["resources"]
        assert ({"name": made["Name"]}, False) == (kept[name]["requestParameters"], kept[name]["readOnly"])
    assert "CreateUser" in kept
    found = client.lookup_events(LookupAttributes=[{"AttributeKey": "ResourceName", "AttributeValue": made["TrailARN"]}])
    assert {"StopLogging", "DeleteTrail"} <= {json.loads(each["CloudTrailEvent"])["eventName"] for each in found["Events"]}
