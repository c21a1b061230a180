"""Facts of an event, for tests of what becomes of them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from crownkeep.audit.event import EventFacts
from crownkeep.principals import Principal, PrincipalKind, Session

NOON = datetime(2026, 11, 24, 12, 0, 0, 123456, tzinfo=UTC)
ACCOUNT = "111122223333"
BOB = Principal(PrincipalKind.USER, ACCOUNT, "AIDABOB", "bob", "/division/", "AKIABOB")
SESSION = Session(issued_at=NOON, expires_at=NOON + timedelta(hours=1), name="deploy")
FACTS = EventFacts(
    event_id="e-1",
    happened_at=NOON,
    event_type="AwsApiCall",
    source="iam.amazonaws.com",
    name="CreateUser",
    caller=BOB,
    account_id=ACCOUNT,
    region="us-east-1",
    source_ip="192.0.2.7",
    user_agent="aws-cli/2",
    request_id="r-1",
    read_only=False,
)
