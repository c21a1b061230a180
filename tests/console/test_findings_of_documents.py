"""Findings of policy documents in every form that saves one: errors are never saved, warnings once they were read."""

from __future__ import annotations

import json
import re

import pytest
from tests.console.forms import send
from tests.fixtures.crown import Crowns
from tests.fixtures.single_sign_on import SingleSignOn
from tests.signin.browser import Browser, signed_in

BROKEN = '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow"'
OPEN = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "iam:PassRole", "Resource": "*"}]}
TRUST = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}]}
CONTROL = "/console/organization/policies"
SETS = "/console/single-sign-on/permission-sets"
FORMS = {
    "managed": ("/console/policies/create", "/console/policies/create", {"name": "mine", "path": "/"}),
    "inline": ("/console/users/admin/inline-editor", "/console/users/admin/inline-editor", {"policy": "mine", "is_new": "1"}),
    "trust": ("/console/roles/doer/trust", "/console/roles/doer/trust", {}),
    "new role": ("/console/create-role", "/console/create-role", {"trust": "custom", "name": "mine", "path": "/"}),
    "service control": (f"{CONTROL}/create", f"{CONTROL}/create", {"type": "SERVICE_CONTROL_POLICY", "name": "mine"}),
    "resource control": (f"{CONTROL}/create", f"{CONTROL}/create", {"type": "RESOURCE_CONTROL_POLICY", "name": "mine"}),
    "permission set": (f"{SETS}/one", f"{SETS}/change", {"act": "inline"}),
}


@pytest.fixture(scope="module")
def sso(crowns: Crowns) -> SingleSignOn:
    """A management account with single sign-on, and a role of it."""
    made = SingleSignOn(crowns.shared("sqlite"))
    trust = json.dumps(TRUST).replace('"*"', f'"{made.management.id}"')
    made.management.client("iam").create_role(RoleName="doer", AssumeRolePolicyDocument=trust)
    return made


@pytest.fixture(scope="module")
def browser(sso: SingleSignOn) -> Browser:
    """The browser of its administrator."""
    return signed_in(sso.management, user="admin")


@pytest.fixture(scope="module")
def permission_set(sso: SingleSignOn) -> str:
    """The ARN of a permission set."""
    return sso.permission_set()["PermissionSetArn"]


def written(sso: SingleSignOn) -> list[str]:
    """Return the changes of the management account."""
    return [each["eventName"] for each in sso.management.records(limit=300) if not each["readOnly"]]


def fields_of(kind: str, arn: str) -> tuple[str, str, dict[str, str]]:
    """Return the page of a form, where it is sent and with what; `arn` is a permission set's."""
    page, path, fields = FORMS[kind]
    return (f"{page}?arn={arn}", path, {**fields, "arn": arn}) if kind == "permission set" else (page, path, fields)


@pytest.mark.parametrize("kind", FORMS)
def test_an_error_is_never_saved_all_the_same(sso: SingleSignOn, browser: Browser, permission_set: str, kind: str):
    page, path, fields = fields_of(kind, permission_set)
    before = written(sso)

    first = send(browser, page, path, **fields, document=BROKEN)
    mark = re.findall(r'name="(?:read|reviewed)" value="([0-9a-f]{64})"', first.text)
    again = send(browser, page, path, **fields, document=BROKEN, read=mark[0], reviewed=mark[0])

    assert 'data-type="ERROR"' in first.text
    assert "all the same" not in first.text + again.text
    assert 'data-type="ERROR"' in again.text
    assert before == written(sso)


def test_a_warning_about_a_permission_set_is_read_and_then_saved(sso: SingleSignOn, browser: Browser, permission_set: str):
    page, path, fields = fields_of("permission set", permission_set)
    document = json.dumps(OPEN)

    first = send(browser, page, path, **fields, document=document)
    mark = re.findall(r'name="read" value="([0-9a-f]{64})"', first.text)
    saved = send(browser, page, path, **fields, document=document, read=mark[0])

    assert "Save all the same" in first.text
    assert "SECURITY_WARNING" in first.text
    assert 303 == saved.status
