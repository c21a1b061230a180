"""An identity provider is the one that was meant."""

from __future__ import annotations

from collections.abc import Iterator

from crownkeep.advisor import calls
from crownkeep.advisor.check import CheckSeverity, Fix, Verdict, check, failed, passed
from crownkeep.advisor.view import DoesNotApply, View


@check(
    "oidc-audiences",
    title="Identity providers name whom their tokens are for",
    topic="roles",
    severity=CheckSeverity.MEDIUM,
    why="A token that was made for another application must not open this account.",
    fix=Fix(
        "IAM, Identity providers, the provider, Audiences",
        "aws iam add-client-id-to-open-id-connect-provider --open-id-connect-provider-arn ARN --client-id ID",
        'resource "aws_iam_openid_connect_provider"',
    ),
)
def oidc_audiences(view: View) -> Iterator[Verdict]:
    """Read each provider's client ids; thumbprints matter only where AWS does not trust the certificate by itself."""
    listed = view.get(calls.OIDC_PROVIDERS)["OpenIDConnectProviderList"]
    found = view.answers("iam", "GetOpenIDConnectProvider")
    if not listed:
        raise DoesNotApply("There is no OpenID Connect provider.")
    for asked, answer in found:
        arn = str(asked.arguments()["OpenIDConnectProviderArn"])
        clients = (answer or {}).get("ClientIDList", [])
        yield passed(f"{len(clients)} audiences are named.", arn) if clients else failed("No audience is named.", arn)
