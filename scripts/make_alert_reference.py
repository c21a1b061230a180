"""Write the table of built-in rules into docs/alerts.md: `python -m scripts.make_alert_reference`."""

from __future__ import annotations

from pathlib import Path

from crownkeep.alerts import built_in
from crownkeep.alerts.rule import Rule, Whom

DOCUMENT = Path(__file__).parents[1] / "docs/alerts.md"
BEGIN, END = "<!-- rules: made by scripts/make_alert_reference.py -->\n", "<!-- end of rules -->\n"
_BY_CODE = {
    built_in.KEY_FROM_NEW_NETWORK: "a long-term key that was used before is used from a new /24 (IPv4) or /48 (IPv6)",
    built_in.ADMINISTRATOR_BY_POLICY: "`PutUserPolicy`, `PutGroupPolicy`, `PutRolePolicy` or `CreatePolicyVersion`"
    " with a statement that allows `*` or `iam:*` on all resources",
    built_in.MANY_FAILURES: "20 refusals of one caller within five minutes, counted by each process",
}

_ALSO_BY_CODE = {
    built_in.ADMINISTRATOR: ", and whoever gets a policy that allows `*` or `iam:*` on all resources: attached,"
    " by a version put in force, or by joining a group",
}


def table() -> str:
    """Return the table."""
    lines = ["| Rule | Says | Severity | Who hears | Pattern |", "|---|---|---|---|---|"]
    return "\n".join([*lines, *map(_line, built_in.RULES.values())]) + "\n"


def document(text: str) -> str:
    """Return the document with the table of today."""
    before, _, rest = text.partition(BEGIN)
    return before + BEGIN + table() + END + rest.partition(END)[2]


def _line(rule: Rule) -> str:
    name = f"`{rule.name}`" + (" (protected)" if rule.is_protected else "")
    heard = [
        *(["the operator's receivers"] if rule.whom is Whom.OPERATOR else []),
        *(["root"] if rule.root_hears else []),
        *(each.value.lower() for each in rule.contact_types),
    ]
    pattern = f"`{rule.pattern}`".replace("|", "\\|") if rule.pattern else _BY_CODE[rule.name]
    pattern += _ALSO_BY_CODE.get(rule.name, "")
    return f"| {name} | {rule.subject} | {rule.severity.value} | {', '.join(heard)} | {pattern} |"


if __name__ == "__main__":
    DOCUMENT.write_text(document(DOCUMENT.read_text()))
    print(DOCUMENT)
