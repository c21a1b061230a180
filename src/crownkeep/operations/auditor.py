"""The auditor: who the server reads an account as, when it audits it by its schedule.

It is a service's own role that is in no database, so nobody can take it on, hold a credential of it or attach anything to it.
What it may do is AWS's managed policy SecurityAudit and the one permission that an audit needs beside it. It can only read: a
write looks its caller up again, and finds no such role.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from crownkeep.principals import Principal, PrincipalKind, Session

AUDITOR_ID = "AROACROWNKEEPAUDITOR"
"""Shorter than an id that is ever made, so that no role of an account has it."""
NAME = "AWSServiceRoleForAccountAudit"
POLICY = "arn:aws:iam::aws:policy/SecurityAudit"
BESIDE = """{"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Action": "account:GetContactInformation", "Resource": "*"}]}"""
"""What SecurityAudit leaves out, and a check asks for."""

_PATH = "/aws-service-role/audit.crownkeep/"
_LASTS = timedelta(hours=1)


def of_account(account_id: str, now: datetime) -> Principal:
    """Return the auditor of an account."""
    session = Session(now, now + _LASTS, name="scheduled-audit")
    return Principal(PrincipalKind.ROLE, account_id, AUDITOR_ID, NAME, _PATH, session=session)
