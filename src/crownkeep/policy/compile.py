"""Documents compiled once into statements that answer by calls, and sets of policies indexed by action, then by resource."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum
from functools import partial

from crownkeep.policy import work
from crownkeep.policy.context import PolicyRequest
from crownkeep.policy.document import Document, PolicyKind, Statement
from crownkeep.policy.naming import NamedBy, Naming, compile_not_principal, compile_principal
from crownkeep.policy.operators import Test, compile_condition
from crownkeep.policy.patterns import Matcher, read_pattern
from crownkeep.policy.resource_patterns import (
    Between,
    ResourceMatcher,
    ResourcePattern,
    at_once,
    compile_resources,
    resource_matches,
)
from crownkeep.policy.work import Work

# How many actions a set remembers the statements of; a caller that asks for ever new names must not grow it for ever.
MAX_REMEMBERED_ACTIONS = 2048
# About what a character of a document takes when it is compiled and indexed for its actions, at most (measured).
_BYTES_OF_CHARACTER = 40
# How often the resource patterns of a set may be indexed anew for an action before what is remembered is let go.
_TIMES_REMEMBERED = 32


class SourceType(Enum):
    """Where a policy comes from, in the words of SimulatePrincipalPolicy's SourcePolicyType."""

    USER = "user"
    GROUP = "group"
    ROLE = "role"
    AWS_MANAGED = "aws-managed"
    USER_MANAGED = "user-managed"
    RESOURCE = "resource"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class PolicySource:
    """Which policy a statement belongs to: what decisions, denials and simulations cite."""

    kind: PolicyKind
    id: str
    name: str = ""
    arn: str | None = None
    type: SourceType = SourceType.NONE


@dataclass(frozen=True, slots=True, eq=False)
class CompiledStatement:
    """One statement as predicates; compared by identity, because two policies may hold equal statements."""

    allows: bool
    source: PolicySource
    document: Document
    statement: Statement
    resources: tuple[ResourcePattern, ...]
    named_by: NamedBy | None
    conditions: tuple[Test, ...]
    is_unconditional: bool
    work: Work

    def holds(self, request: PolicyRequest) -> bool:
        """Whether principal and conditions match; action and resource are the index's part."""
        if self.is_unconditional:
            return True
        if self.named_by is not None and not self.named_by(request.principal):
            return False
        # Bound once: the tests call it for each key.
        lookup = request.context.get
        return all(test(lookup) for test in self.conditions)

    def matches_resource(self, request: PolicyRequest) -> bool:
        """Whether the Resource or NotResource element matches."""
        resource, lookup = request.resource, request.context.get
        return any(resource_matches(pattern, resource, lookup) for pattern in self.resources)

    def naming(self, request: PolicyRequest) -> Naming:
        """How the statement names the caller; DIRECT where there is no Principal element."""
        return Naming.DIRECT if self.named_by is None else self.named_by(request.principal)


@dataclass(frozen=True, slots=True, eq=False)
class CompiledPolicy:
    """One policy, ready to be put into sets."""

    source: PolicySource
    document: Document
    statements: tuple[CompiledStatement, ...]
    size: int
    """How many resource patterns it holds, at least one for each statement."""


def compile_policy(document: Document, *, source: PolicySource, between: Between = at_once) -> CompiledPolicy:
    """Compile a document that was parsed (and, where it comes from outside, validated); done once per policy version.

    `between` is called after each pattern and condition: whoever compiles what callers send may give way to others there.
    """
    statements = tuple(_compile_statement(document, statement, source, between) for statement in document.statements)
    return CompiledPolicy(source, document, statements, sum(max(1, len(each.resources)) for each in statements))


def _compile_statement(document: Document, statement: Statement, source: PolicySource, between: Between) -> CompiledStatement:
    variables = document.expands_variables
    # Resource control policies name everybody and can name nobody else: whoever comes with an identity provider's token as well.
    named_by = None if source.kind is PolicyKind.RESOURCE_CONTROL else _named_by(statement)
    # All of them must hold; they are kept in the document's order, by which explanations show them.
    conditions = tuple(
        _then(between, compile_condition(condition, effect=statement.effect, variables=variables))
        for condition in statement.conditions
    )
    return CompiledStatement(
        allows=statement.effect.lower() == "allow",
        source=source,
        document=document,
        statement=statement,
        resources=compile_resources(statement, variables=variables, between=between),
        named_by=named_by,
        conditions=conditions,
        is_unconditional=named_by is None and not conditions,
        work=work.of_statement(statement),
    )


def _then(between: Between, compiled: Test) -> Test:
    between()
    return compiled


def _named_by(statement: Statement) -> NamedBy | None:
    if statement.principal is not None:
        return compile_principal(statement.principal)
    if statement.not_principal is not None:
        return compile_not_principal(statement.not_principal, denies=not statement.allows)
    return None


Entry = tuple[ResourceMatcher | None, CompiledStatement]


class ResourceIndex:
    """Statements that an action matches, found by resource: exactly, or by the literal start of their patterns."""

    __slots__ = ("_anywhere", "_by_prefix", "_exact", "_lengths")

    def __init__(self, statements: Iterable[CompiledStatement]) -> None:
        self._anywhere: list[Entry] = []
        self._exact: dict[str, list[Entry]] = {}
        self._by_prefix: dict[str, list[Entry]] = {}
        patterns = [(pattern, statement) for statement in statements for pattern in statement.resources]
        self._lengths = _bucket_lengths({len(pattern.prefix) for pattern, _ in patterns if not pattern.is_exact})
        for pattern, statement in patterns:
            self._add(pattern, statement)

    def _add(self, pattern: ResourcePattern, statement: CompiledStatement) -> None:
        if pattern.is_exact:
            self._exact.setdefault(pattern.prefix, []).append((None, statement))
            return
        # The longest length that is looked up and is no longer than the prefix: so a resource is found by slicing it at few
        # places.
        length = max((length for length in self._lengths if length <= len(pattern.prefix)), default=0)
        matcher = pattern.matcher
        if length < len(pattern.prefix) and matcher is None:  # the bucket is coarser than the prefix
            matcher = partial(resource_matches, pattern)
        if length:
            self._by_prefix.setdefault(pattern.prefix[:length], []).append((matcher, statement))
        else:
            self._anywhere.append((matcher, statement))

    def first(self, request: PolicyRequest) -> CompiledStatement | None:
        """A statement that applies to the request, or None."""
        # Which of several that apply is found first doesn't matter: all of an index have one effect.
        for matcher, statement in self._anywhere:
            # The cheap test first. Conditions ask the context, which may have to look things up.
            if (matcher is None or matcher(request.resource, request.context.get)) and (
                statement.is_unconditional or statement.holds(request)
            ):
                return statement
        resource = request.resource
        if self._exact:
            for _, statement in self._exact.get(resource, ()):
                if statement.is_unconditional or statement.holds(request):
                    return statement
        # One slice and one lookup for each length, however many statements the set holds.
        for length in self._lengths:
            for matcher, statement in self._by_prefix.get(resource[:length], ()):
                if (matcher is None or matcher(resource, request.context.get)) and (
                    statement.is_unconditional or statement.holds(request)
                ):
                    return statement
        return None


def _bucket_lengths(lengths: set[int]) -> tuple[int, ...]:
    """The prefix lengths to look up, longest first: every one that occurs, or multiples of eight when they are many."""
    if len(lengths) > 12:
        lengths = {length // 8 * 8 for length in lengths}
    return tuple(sorted(lengths - {0}, reverse=True))


class ActionSlice:
    """What a set says to one action: its denies and its allows, each indexed by resource."""

    __slots__ = ("allows", "denies", "is_heavy", "size", "statements", "work")

    def __init__(self, statements: tuple[CompiledStatement, ...]) -> None:
        self.statements = statements
        self.size = 1 + sum(len(statement.resources) for statement in statements)
        denies = [statement for statement in statements if not statement.allows]
        self.denies = ResourceIndex(denies) if denies else None
        self.allows = ResourceIndex(statement for statement in statements if statement.allows)
        self.work = work.together(statement.work for statement in statements)
        # Most slices are far below the bound, and then no request pays for counting.
        self.is_heavy = self.work.total > work.LITTLE

    def require_bounded(self, request: PolicyRequest) -> None:
        """Raise TooMuchWork where what these statements ask of the request is more than a decision may take."""
        if self.is_heavy and self.work.steps(request.context.get) > work.MOST:
            raise work.TooMuchWork


class PolicySet:
    """Policies of one purpose (a user's, a boundary, one level of SCPs), indexed by action; immutable, shareable.

    What an action matches is worked out on its first use and remembered, so a set is meant to be kept as long as its
    policies stay the same, and combining sets costs nothing until an action is asked for.
    """

    __slots__ = ("_anywhere", "_by_service", "_exact", "_held", "_known", "_most_held", "_parts", "_slices", "bytes", "policies")

    def __init__(self, policies: tuple[CompiledPolicy, ...] = (), parts: tuple[PolicySet, ...] = ()) -> None:
        self.policies: tuple[CompiledPolicy, ...] = policies + tuple(policy for part in parts for policy in part.policies)
        self._parts = parts
        self._slices: dict[str, ActionSlice] = {}
        self._known: dict[str, tuple[CompiledStatement, ...]] = {}
        self._held = 0
        self.bytes = _BYTES_OF_CHARACTER * sum(len(policy.document.text) for policy in self.policies)
        self._most_held = MAX_REMEMBERED_ACTIONS + _TIMES_REMEMBERED * sum(policy.size for policy in self.policies)
        # By action: exact names, patterns within one service, and what may match any service.
        self._exact: dict[str, list[CompiledStatement]] = {}
        self._by_service: dict[str, list[tuple[Matcher, CompiledStatement]]] = {}
        self._anywhere: list[tuple[Matcher, CompiledStatement]] = []
        for policy in policies:
            for statement in policy.statements:
                self._index(statement)

    def _index(self, compiled: CompiledStatement) -> None:
        statement = compiled.statement
        if statement.not_actions is not None:
            excluded = tuple(read_pattern(pattern.lower()) for pattern in statement.not_actions)
            self._anywhere.append((partial(_matches_no_action, excluded), compiled))
        # A dict without values keeps the order and drops what is written twice.
        for pattern in {pattern.lower(): None for pattern in statement.actions or ()}:
            service, colon, name = pattern.partition(":")
            if "*" in service or "?" in service or not colon:
                self._anywhere.append((read_pattern(pattern), compiled))
            elif "*" in name or "?" in name:
                self._by_service.setdefault(service, []).append((read_pattern(pattern), compiled))
            else:
                self._exact.setdefault(pattern, []).append(compiled)

    def for_action(self, action: str) -> ActionSlice:
        """The statements that an action matches, without regard to case."""
        found = self._slices.get(action)
        if found is None:
            found = ActionSlice(self._matched(action.lower()))
            self._held += found.size
            # Forgotten all at once: a caller who makes names up costs recompiling, and never memory.
            if self._held > self._most_held:
                self._slices.clear()
                self._held = found.size
            self._slices[action] = found
        return found

    def _matched(self, action: str) -> tuple[CompiledStatement, ...]:
        """The statements that an action in lower case matches; a part answers every set that it is in from one memory."""
        found = self._known.get(action)
        if found is None:
            if len(self._known) >= MAX_REMEMBERED_ACTIONS:
                self._known.clear()
            # A statement may be found by several of its patterns, and counts once.
            found = self._known[action] = tuple(dict.fromkeys(self._matching(action)))
        return found

    def _matching(self, action: str) -> Iterator[CompiledStatement]:
        for part in self._parts:
            yield from part._matched(action)
        yield from self._exact.get(action, ())
        for matches, statement in self._by_service.get(action.partition(":")[0], ()):
            if matches(action):
                yield statement
        for matches, statement in self._anywhere:
            if matches(action):
                yield statement

    def decide(self, request: PolicyRequest) -> CompiledStatement | None:
        """The statement that decides: a Deny that applies, else an Allow that does, else None (nothing is said).

        Raises TooMuchWork where the policies ask for more comparing than a decision may take.
        """
        # The usual case without a call: this line runs several times for every request.
        found = self._slices.get(request.action) or self.for_action(request.action)
        if found.is_heavy:
            found.require_bounded(request)
        if found.denies is not None:
            denied = found.denies.first(request)
            if denied is not None:
                return denied
        return found.allows.first(request)

    def matching(self, request: PolicyRequest) -> list[CompiledStatement]:
        """Every statement that applies to the request, in the order of policies and statements; raises TooMuchWork."""
        found = self.for_action(request.action)
        found.require_bounded(request)
        applying = {
            statement for statement in found.statements if statement.matches_resource(request) and statement.holds(request)
        }
        # Statements are compared by identity, so the order of the documents is kept by walking them.
        ordered = (statement for policy in self.policies for statement in policy.statements)
        return [statement for statement in ordered if statement in applying]


def _matches_no_action(excluded: tuple[Matcher, ...], action: str) -> bool:
    return not any(matches(action) for matches in excluded)


def compile_set(policies: Iterable[CompiledPolicy]) -> PolicySet:
    """Index policies that are evaluated together."""
    return PolicySet(tuple(policies))


def combine(*sets: PolicySet) -> PolicySet:
    """One set that says what all of them say, such as a user's own and those of each group; shares their indexes."""
    return sets[0] if len(sets) == 1 else PolicySet(parts=sets)


EMPTY = PolicySet()
