"""Write docs/advisor.md: what stands before the checks by hand, here; the checks from themselves.

.venv/bin/python scripts/make_advisor_reference.py
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from crownkeep.advisor import catalogue
from crownkeep.advisor.check import AccountCheck

REFERENCE = Path(__file__).parent.parent / "docs/advisor.md"

_OPENING = """\
# The advisor

`crownkeep audit` shows how far an account is from locked down. It asks the AWS API and nothing else, so it runs
against Amazon's AWS as well as against Crownkeep, and needs no server of ours.

    crownkeep audit                                  the account that the usual AWS variables name
    crownkeep audit --profile acme                   a profile of yours: keys, roles and single sign-on as botocore has them
    crownkeep audit --endpoint-url http://localhost:4747
    crownkeep audit --format html > report.html      also json, csv, sarif, junit, ocsf, oscal; pdf with `crownkeep[pdf]`
    crownkeep audit --fail-on high                   for a pipeline: ends with 1 where something high or critical fails

## What it needs

AWS's managed policy `SecurityAudit`. That policy leaves `account:GetContactInformation` out: allow it too, or the
check of the primary contact can't tell. What may not be asked is `UNKNOWN`, and the finding names the permission it
needs. It is never a pass.

Nothing is changed. The one thing that is made is the credential report, where there is no fresh one.

Throttled calls are tried again, as long as AWS asks for it.

## What it says

| State | Means |
|---|---|
| `PASS` | it is as it should be |
| `FAIL` | it is not |
| `NOT_APPLICABLE` | there is nothing here that the check is about, such as a root user without credentials |
| `UNKNOWN` | it can't be told; the detail says what it takes |
| `ACCEPTED` | it fails, and somebody has taken that on until a date |

The command ends with 0 whatever it finds. With `--fail-on SEVERITY` it ends with 1 where something at least that
severe fails, and with 2 where it was called wrongly or nobody could be asked. `--json` prints one object:

    {"account_id": "...", "at": "...", "findings": [{"check": "root-mfa", "state": "FAIL", "severity": "critical",
     "resource": "...", "detail": "...", "evidence": [{"call": "...", "at": "..."}],
     "fix": {"console": "...", "cli": "...", "terraform": "..."},
     "maps": {"cis-3.0": ["1.5"], ...}}]}

**Keep evidence** with `--save FILE`: every answer with its call and its time. `--from FILE` judges it later, without
a network and with the checks of that day. The file says what an account lets in, so it is readable for its owner
alone.

**An organization.** `crownkeep audit --organization`, from the management account, audits every active account and
prints a row for each, or with `--json` `{"accounts": [...], "unreachable": [{"account_id", "name", "reason"}]}`, each account as
above. Accounts are entered by `--role NAME` (`OrganizationAccountAccessRole` unless given), or with `--as-root` in a session of
AssumeRoot for the task `IAMAuditRootUserCredentials`, which lets the root checks see and leaves the rest unknown. An account
that can't be entered is listed with the reason, and counts as a failure for `--fail-on`.

**Accept** what you live with in a file for `--baseline`: `{"accepted": [{"check": "...", "resource": "...", "until":
"2027-01-01", "reason": "...", "who": "..."}]}`. Without `resource` it holds for all of them. After its date the
finding fails again.

**Compare** with `--since FILE`, an earlier JSON report.

**Formats.** SARIF holds failures alone, with fingerprints that stay the same, so that code scanning closes what is
set right. OCSF is version 1.5.0, class Compliance Finding. OSCAL is version 1.1.2, assessment results. The HTML file
needs nothing beside it, and prints.

**In GitHub Actions.** `deploy/github-action` is a composite action: it installs Crownkeep, audits the account that the job's AWS
credentials are for, uploads SARIF to code scanning, writes the table into the job's summary, and fails for what is severe. A
private repository without code scanning refuses the upload; the job goes on.

    permissions:
      contents: read
      id-token: write
      security-events: write
    steps:
      - uses: actions/checkout@v5
      - uses: aws-actions/configure-aws-credentials@v5
        with: {role-to-assume: "arn:aws:iam::123456789012:role/audit", aws-region: us-east-1}
      - uses: ./deploy/github-action
        with: {fail-on: high, baseline: accepted.json}

Pin actions of others to a commit. Nightly tests run the action's script, hold its file against SchemaStore's schema, and give its
steps and the example above to actionlint; nobody runs it on GitHub for us.

## By a schedule

A Crownkeep server audits each of its accounts by itself, once a quarter, and a new one when it is a day old. Setting
`audit_every_days` says how often; `0` switches it off. It asks the same questions and runs the same checks as
`crownkeep audit`, as a role of its own that has SecurityAudit's permissions (and `account:GetContactInformation`), can change
nothing, and that nobody can take on.

- The security contact and receivers hear of each audit (`account-audited`) with what became worse and better. Where something
  fails that did not, or for more users or roles than before, it is an alert of severity high (`account-audit-worse`).
- The console's first page draws the results as a line, and who has MFA and how many credentials are 90 days old or older as
  another, with the figures beneath. `crownkeep audit --history --endpoint-url U`
  prints them; the API has `account-security:ListAccountAudits`.
- One server of several does it, one account after another. After each it waits nine times as long as that took, so that audits
  take a tenth of one thread at most. Lists of more than 20 pages are not read: what depends on them is `UNKNOWN`.
- What is kept of an audit is how many findings came out how, which checks fail for how many resources, and how many passwords and
  access keys there are, of the last 120 audits. Whoever may list audits can read it; no user is named. The single reads of
  an audit are not in the trail; the audit is one event, `AccountAudited`.
- Nothing can be accepted there: `--baseline` is for `crownkeep audit`.

Reminders to rotate come from the same server: `credential-over-age` after 90, 180 and 365 days, and more under
[built-in rules](alerts.md#the-rules-that-every-account-has).

## From exposed to locked down

    crownkeep lockdown plan --out plan.json --wishes wishes.json
    crownkeep lockdown apply plan.json               asks before each step; --yes takes them all
    crownkeep lockdown verify plan.json              ends with 0 where every applied step holds
    crownkeep lockdown undo plan.json                takes the applied steps back, the last first

**The plan** changes nothing. It is a JSON file that a person reads first. Each step has its one call, its reverse, the
same as a command and in Terraform, and what it would break. The least dangerous steps come first. What only people can
do, such as enrolling MFA, is listed with a link. What no machine can know comes from `--wishes`:

    {"alias": "acme-prod", "contacts": {"SECURITY": {"Name": "...", "Title": "...", "EmailAddress": "...",
     "PhoneNumber": "..."}}}

Steps exist for the alias, the contacts, the password policy (never weaker than it is), a role for support cases, unused
access keys, central management of root, and a control policy for members. Everything else is left to people.

**The signature.** The plan is signed with a key that is made at its first use in `~/.config/crownkeep/lockdown.key`
(`XDG_CONFIG_HOME` is read). A changed plan is refused. One from another machine is refused unless `--key` names its key.

**Apply** takes a step only where what it reads is as it was when the plan was made. What somebody else changed there is
refused. What changed elsewhere is told and blocks nothing. Before a credential is switched off, the policy engine must
find another administrator who can get in, and it is never the key that the command signs with. Of administrators whose
key an earlier step took, only a password counts. After each call its
effect is read. The first surprise stops it all, with exit code 1.

**Kill it at any point**, and call it again: `plan.json.journal` says what was begun and what was done, and each step is
one call, so that it either happened or did not. Where a call was not answered, as in a timeout, the step counts as begun:
`apply`, `verify` and `undo` read first how it stands. A step whose undoing failed still counts as done.

**Verify** reads everything again, runs all checks, lists what people still have to do, and writes what it found, signed,
to `plan.json.proof`.

## What if

    crownkeep what-if root-off                       what root's own password and keys did
    crownkeep what-if require-mfa [--user ARN]       what users did without MFA, beside setting it up
    crownkeep what-if attach-scp policy.json
    crownkeep what-if set-boundary ARN policy.json
    crownkeep what-if delete-key AKIA...
    crownkeep what-if remove-policy ARN-OR-NAME [--principal ARN]    from a user, a group or a role alone
    crownkeep what-if leave-group USER-ARN GROUP

`what-if` says who and what, of all that was recorded in the last `--days` (90), a change would have denied, with counts
and when it was last seen. Nothing is changed. Events come from LookupEvents of the account, from CloudTrail's files
with `--events PATH` (log files, plain or compressed, whole directories, what LookupEvents answered, our exports), or
from our database with `--data` and `--account`.

Decisions are the policy engine's, the one that Crownkeep enforces with. What was recorded was allowed by every policy
that was in force, so a change is judged by what it changes alone. What was refused when it was recorded doesn't count.

What a record doesn't tell is listed apart as unknown, with the reason, and never taken for harmless: a condition key
that CloudTrail doesn't record, or a resource that it doesn't name. LookupEvents knows management events of 90 days only:
give `--events` where data events matter. Policies of resources, but for roles' trust policies, are not read: what only a
bucket's own policy allows may be listed as denied. `remove-policy`, and taking on roles under `set-boundary`, need to
know who has what: it is asked of the account, or given as kept evidence with `--from`.

On a terminal a bar on standard error says how many events have been read.

The console asks the same before a change is made: **What if?** beside an access key, beneath the policies of a user, a
group or a role, beside each group of a user, and where a control policy is attached. It looks at the
newest events of the last 90 days, up to
5,000, for two seconds at most, and says how far back that reaches. The caller needs `trail:ListRecordedEvents`, and for
policies `iam:GetAccountAuthorizationDetails`. The management account of an organization sees
events of members since they joined; of a root or unit, those of up to ten accounts below it.

## Least privilege

    crownkeep least-privilege arn:aws:iam::123456789012:role/deploy --out policy.json

`least-privilege` makes a policy for a user or a role of what was recorded of it, from the same sources as `what-if`.
Resources are named one by one; where there are many, their folder is. Actions that only read are put together under
their verb (`iam:Get*`) where there are many, and only where no action of that name writes. The policy is then proven:
everything that was recorded is decided again by it. The command says how many actions each pattern adds, how many
actions the policy takes away, and which services can't be used any more. It ends with 1 where the policy would deny
anything recorded, or is larger than a managed policy may be. Nothing is changed.

What was not recorded is not in it: yearly work that lies further back than `--days`, and data events that no trail
keeps. Read the policy before you attach it.

## A twin for drills

    crownkeep audit --profile acme --save acme.json
    crownkeep account create --account-id 123456789012 --email twin@acme.example --name acme-twin --admin-user drill
    crownkeep import aws --from acme.json --to-endpoint-url http://localhost:4747 --to-profile drill

`import aws` makes an account's users, groups, roles, policies, identity providers, password policy, alias and contacts anew
in an account of a Crownkeep server, through its API. With the same account id ARNs stay the same; another id takes its place
in them. No secret is read or made: nobody can sign in as anybody of the twin until you give them a credential. A user, group
or role of the same name is kept, and gets the policies. What can't be made, such as a role that trusts an account which is
not here, is listed with the reason, and the command ends with 1. Nothing is ever written to AWS.

Where the account leads an organization, its units, service control policies and what they are attached to are made as well,
and each member as an empty account at an address that nobody has (`ID@twin.invalid`), in its unit. Policies then name the
twin's accounts. A server makes ten accounts of an organization unless `accounts_per_organization` says more, and units
beyond the first 500 are left out.

## For an auditor

    crownkeep evidence pack --out pack.zip --plan plan.json --events logs/ --trail-proof record.tlog-proof
    crownkeep evidence check pack.zip --key KEY --log-key VKEY

A pack is one zip file: the raw evidence (`evidence.json`), the report made of it (`report.json`, `report.html`), what
was accepted (`baseline.json`), the plan with its journal and its proof, events (`events.json`), proofs from
our trail (`trail-proofs/`) and the evidence of a credential audit. `manifest.json` names every part with its SHA-256
and is signed with Ed25519, by the same key as plans.

`check` needs the file and public keys, and asks nobody. It ends with 1 where the signature or a digest is wrong, a part
is missing or was added, or parts don't fit one another: the findings are made anew from the evidence, the journal and
the proof must be of the plan, and a credential audit must be the one that its events say was signed off.
Without `--key` it holds the pack against the key inside it: compare that key with the one that you were told.

A credential audit has the same format. `crownkeep credential-audit export AUDIT-ID --out FILE` packs its evidence, the two
records that hold its digests, and a proof of each from the trail. With `--log-key` (what `crownkeep trail keys` prints) or
`--policy` the audit is held against records that are proven to be in the log, and not only against the pack's own events. The
file that `GetCredentialAuditEvidence` answers with by itself is checked, too, with `--events`.

## How it decides

Each check is one module with one pure function over evidence: `src/crownkeep/advisor/checks`. One more check is one
more file. Who is an administrator, what control policies deny, and who could become an administrator is decided by
the policy engine that Crownkeep enforces with, not by comparing texts.

What an audit does not do: of an organization's policies it follows those at the root and at the account itself. Where
one at a unit might count, the check is `UNKNOWN`.

The nightly tests compare it with Prowler on a bad account and on one that was set right: both say the same of root's
keys and MFA, the password policy, users' keys and passwords, contacts and the support role.

Versions of the CIS AWS Foundations Benchmark are named by their control's number only.

## The checks
"""


def main() -> int:
    """Write the page and say where."""
    REFERENCE.write_text(page())
    print(REFERENCE)
    return 0


def page() -> str:
    """Return the page's text."""
    checks = catalogue.load()
    parts = [_OPENING, f"There are {len(checks)}. `crownkeep audit --explain CHECK` says the same of one.\n"]
    for topic in catalogue.TOPICS:
        parts.append(f"### {topic.capitalize()}\n")
        parts += [section for check in checks if check.topic == topic for section in _section(check)]
    return "\n".join(parts)


def _section(check: AccountCheck) -> Iterator[str]:
    known = "; ".join(f"{where} {', '.join(ids)}" for where, ids in check.maps.items())
    yield f"#### {check.title}\n"
    yield f"`{check.name}`, {check.severity.value}. {check.why}\n"
    yield f"- Console: {check.fix.console}"
    if check.fix.cli:
        yield f"- CLI: `{check.fix.cli}`"
    if check.fix.terraform:
        yield f"- Terraform: `{check.fix.terraform}`"
    if known:
        yield f"- Known as: {known}"
    yield ""


if __name__ == "__main__":
    sys.exit(main())
