"""A document under lint: its kind, the catalogue, and short ways to remark on a place in it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from crownkeep.policy.document import Document, PolicyKind, Statement
from crownkeep.policy.patterns import read_pattern
from crownkeep.policy.positions import Path
from crownkeep.policy.remarks import ActionCatalogue, Location, Remark, Severity

# A document may hold thousands of patterns; trying each on each action of a service would let one request cost seconds.
_MAX_PATTERNS = 512


@dataclass(frozen=True, slots=True)
class Linted:
    """What every check of lint gets."""

    document: Document
    kind: PolicyKind
    catalogue: ActionCatalogue | None
    _names: dict[str, frozenset[str]] = field(default_factory=dict)
    _formats: dict[str, list[tuple[str, str, str]]] = field(default_factory=dict)
    _patterns: dict[tuple[str, str], bool] = field(default_factory=dict)

    def action_names(self, prefix: str) -> frozenset[str]:
        """The names of a service's actions in lower case, asked for once: a document may name thousands of actions."""
        if prefix not in self._names:
            known = self.catalogue.action_names(prefix) if self.catalogue is not None else ()
            self._names[prefix] = frozenset(name.lower() for name in known)
        return self._names[prefix]

    def is_action(self, prefix: str, name: str) -> bool:
        """Whether a service has an action of this name in lower case, or one that it matches where it has wildcards.

        Of the patterns of one document only the first several hundred are tried; what comes after them passes for known.
        """
        names = self.action_names(prefix)
        # A service that was registered without its actions can have any.
        if not names or name in names or name == "*":
            return True
        found = self._patterns.get((prefix, name))
        if found is None:
            if "*" not in name and "?" not in name:
                return False
            if len(self._patterns) >= _MAX_PATTERNS:
                return True
            found = self._patterns[prefix, name] = any(map(read_pattern(name), names))
        return found

    def arn_formats(self, service: str) -> list[tuple[str, str, str]]:
        """Region, account and resource of each ARN format of a service, with `*` for what varies; asked for once."""
        if service not in self._formats:
            patterns = self.catalogue.arn_patterns(service) if self.catalogue is not None else ()
            fields = [pattern.split(":", 5) for pattern in patterns]
            self._formats[service] = [(each[3], each[4], each[5]) for each in fields if len(each) == 6 and each[2] == service]
        return self._formats[service]

    def remark(self, severity: Severity, code: str, details: str, *paths: Path) -> Remark:
        """A remark on one or more places, given by path."""
        spans = self.document.spans
        return Remark(severity, code, details, tuple(Location(path, spans[path]) for path in paths))

    def path(self, statement: Statement, *steps: str | int) -> Path:
        """The path of something in a statement."""
        return (*self.document.statement_path(statement), *steps)

    def entries(self, statement: Statement, element: str) -> Iterator[tuple[str, Path]]:
        """Each string of an element that is one string or a list, with its path."""
        values = {
            "Action": statement.actions,
            "NotAction": statement.not_actions,
            "Resource": statement.resources,
            "NotResource": statement.not_resources,
        }[element]
        path = self.path(statement, element)
        if values is None:
            return
        if len(values) == 1 and (*path, 0) not in self.document.spans:
            yield values[0], path
            return
        for index, value in enumerate(values):
            yield value, (*path, index)

    def actions(self, statement: Statement) -> Iterator[tuple[str, Path]]:
        """The entries of Action or NotAction."""
        yield from self.entries(statement, "Action")
        yield from self.entries(statement, "NotAction")

    def resources(self, statement: Statement) -> Iterator[tuple[str, Path]]:
        """The entries of Resource or NotResource."""
        yield from self.entries(statement, "Resource")
        yield from self.entries(statement, "NotResource")
