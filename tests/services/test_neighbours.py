"""Services that scanners ask beside ours: refused at once, in 4xx and in a form that no SDK repeats or stumbles over."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError


@pytest.mark.parametrize(
    ("service", "operation", "code"),
    [
        ("ec2", "describe_regions", "InvalidAction"),
        ("s3", "list_buckets", "MissingAction"),
        ("resourcegroupstaggingapi", "get_resources", "UnknownOperationException"),
    ],
)
def test_a_service_that_is_not_here_says_so_at_once(account, service, operation, code):
    with pytest.raises(ClientError) as refused:
        getattr(account.client(service), operation)()

    error = refused.value.response
    assert (400, code) == (error["ResponseMetadata"]["HTTPStatusCode"], error["Error"]["Code"])
