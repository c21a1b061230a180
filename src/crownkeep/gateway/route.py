"""Which service, which operation, which protocol: what a request means before anybody is believed.

X-Amz-Target: PREFIX.Operation        AWS JSON      the prefix names the service; its last part does, too
/service/PREFIX/operation/Operation   RPC in CBOR   with `smithy-protocol: rpc-v2-cbor`, whatever else is there
Action=...&Version=... at the root    query, EC2       the version names the service
a method and a path                   REST          the signature's scope names the service; unsigned, any service's
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache, lru_cache

from crownkeep import errors, models
from crownkeep.errors import AwsError
from crownkeep.gateway.form import read_one, read_pairs
from crownkeep.models import OperationModel, ServiceModel
from crownkeep.values import value_type

FORM = "application/x-www-form-urlencoded"
_LONGEST_TOLD = 128


@value_type(frozen=True, slots=True)
class Route:
    """A request that names an operation."""

    operation: OperationModel
    sources: tuple[bytes, ...] = field(default=(), repr=False)
    """Where the parameters of a query request are: nobody reads them before it is known who sent them."""
    labels: Mapping[str, str] = field(default_factory=dict, repr=False)
    """The labelled parts of a REST request's path, still percent-encoded."""

    spoken: str = ""
    """The protocol that the request speaks, where that is not the first of its service."""

    @property
    def protocol(self) -> str:
        """The protocol that the answer is written in."""
        return self.spoken or self.operation.service.protocol

    @property
    def service(self) -> ServiceModel:
        """The service of the operation."""
        return self.operation.service


@dataclass(frozen=True, slots=True)
class Unroutable:
    """A request that names no operation, with AWS's error for it and the protocol to say it in."""

    error: AwsError
    protocol: str
    service: ServiceModel | None = None


def find(*, method: str, path: str, query: str, headers: Mapping[str, str], body: bytes, scope: str | None) -> Route | Unroutable:
    """Find the operation that a request means.

    `path` and `query` are raw, as signed; `headers` have lower case names; `scope` is the service that the signature is
    scoped to, None where there is no signature. Never raises, whatever is sent.
    """
    target = headers.get("x-amz-target")
    # First, and whatever else is there: a proxy or a client library may add a content type or a target (Smithy 2.0, "RPC v2
    # CBOR").
    if headers.get("smithy-protocol") == "rpc-v2-cbor":
        return _by_rpc(method, path)
    if target is not None:
        return _by_target(method, target, headers.get("content-type", ""))
    if path in ("/", "") and not _is_rest_xml(scope):
        return _by_action(method, query, headers.get("content-type", ""), body, scope)
    return _by_path(method, path, query, body, headers.get("content-type", ""), scope)


def _by_target(method: str, target: str, content_type: str) -> Route | Unroutable:
    prefix, _, name = target.rpartition(".")
    service = _json_services().get(prefix) or _partly_served_with_target(prefix)
    operation = service.operation(name) if service else None
    media_type = _media_type(content_type)
    # An empty content type is taken: minimal clients leave it out.
    is_json = media_type.startswith("application/x-amz-json-") or media_type in ("application/json", "")
    if operation is None or method != "POST" or not is_json:
        return Unroutable(errors.UnknownOperation(_unserved(target, service)), "json", service)
    return Route(operation, spoken="json")


def _by_rpc(method: str, path: str) -> Route | Unroutable:
    found = _RPC.fullmatch(path)
    service = _partly_served_with_target(found[1]) if found else None
    operation = service.operation(found[2]) if service and found else None
    if operation is None or method != "POST":
        message = f"no operation that is served here is asked for by {method[:16]} {path[:_LONGEST_TOLD]}"
        return Unroutable(errors.UnknownOperation(message), "smithy-rpc-v2-cbor", service)
    return Route(operation, spoken="smithy-rpc-v2-cbor")


_RPC = re.compile(r"/service/([A-Za-z0-9_]{1,128})/operation/([A-Za-z0-9_]{1,128})")


def _partly_served_with_target(prefix: str) -> ServiceModel | None:
    found = (name for name, each in models.PARTLY_SERVED.items() if each.target_prefix and each.target_prefix == prefix)
    name = next(found, None)
    return None if name is None else models.service(name)


def _unserved(target: str, service: ServiceModel | None) -> str:
    """Return what a JSON request that can't be routed is told; AWS says nothing, and leaves people guessing."""
    if service is None:
        return f"no service that is served here has the target `{target[:_LONGEST_TOLD]}`"
    return f"`{target[:_LONGEST_TOLD]}` is no operation of `{service.name}`, or wasn't sent as JSON by POST"


def _by_action(method: str, query: str, content_type: str, body: bytes, scope: str | None) -> Route | Unroutable:
    media_type = _media_type(content_type)
    sources = [query.encode("latin-1", "replace")]
    if method == "POST" and media_type in (FORM, ""):
        sources.append(body)
    try:
        usual = _usual_action(sources)
        action, version = usual or (read_one(b"Action", *sources), read_one(b"Version", *sources))
    except AwsError as refusal:
        return _unroutable_query(refusal, _scoped_query_service(scope))
    if method not in ("GET", "POST") or action is None:
        return _without_action(method, media_type, scope)
    # AWS's own placeholder, which shows in its error.
    version = version or "NO_VERSION_SPECIFIED"
    service = _query_service(version, scope)
    operation = service.operation(action) if service else None
    if operation is None:
        error = errors.InvalidAction(f"Could not find operation {action[:128]} for version {version[:32]}")
        return _unroutable_query(error, service or _scoped_query_service(scope))
    # A body that only names its operation, as GetCallerIdentity's does, holds no parameters to be read.
    return Route(operation, sources=() if usual and len(body) == _length_of(usual) else tuple(sources))


_USUAL_ACTION = re.compile(rb"Action=([A-Za-z0-9]{1,128})&Version=([0-9-]{10})(?=&|$)")


def _usual_action(sources: list[bytes]) -> tuple[str, str] | None:
    """Return the action and the version that a body begins with as SDKs send it; None where another may be named as well."""
    query, body = sources[0], sources[-1]
    found = None if query else _USUAL_ACTION.match(body)
    # A second Action or Version anywhere makes two readers possible: then the strict reader decides.
    if found is None or body.find(b"&Action=") >= 0 or body.find(b"&Version=", found.start(2)) >= 0:
        return None
    return found[1].decode(), found[2].decode()


def _length_of(usual: tuple[str, str]) -> int:
    return len("Action=&Version=") + len(usual[0]) + len(usual[1])


def _without_action(method: str, media_type: str, scope: str | None) -> Unroutable:
    asks_for_json = media_type.startswith("application/") and media_type != FORM
    if asks_for_json or method not in ("GET", "POST"):
        message = f"no operation that is served here is asked for by {method[:16]} at the root without a target"
        return Unroutable(errors.UnknownOperation(message), "json" if asks_for_json else "rest-json")
    return _unroutable_query(errors.MissingAction("Missing Action"), _scoped_query_service(scope))


def _unroutable_query(error: AwsError, service: ServiceModel | None) -> Unroutable:
    return Unroutable(error, service.protocol if service else "query", service)


def _by_path(method: str, path: str, query: str, body: bytes, content_type: str, scope: str | None) -> Route | Unroutable:
    candidates = _rest_services(scope)
    # The first service that has the path wins; unsigned requests try them all, since nothing says which is meant.
    for service in candidates:
        route = _match(service, method, path or "/", query)
        if route is not None and service.protocol == "rest-xml":
            return _without_strange_parameters(route, query)
        if route is not None:
            if body and _media_type(content_type) not in _JSON_BODIES and not _takes_any_body(route.operation):
                return Unroutable(errors.UnsupportedMediaType("send the body as `application/json`"), "rest-json", service)
            return route
    message = f"no operation that is served here is asked for by {method[:16]} {path[:_LONGEST_TOLD]}"
    only = candidates[0] if len(candidates) == 1 else None
    spoken = "rest-xml" if scope in _SPEAK_XML else "rest-json"
    return Unroutable(errors.UnknownOperation(message), only.protocol if only else spoken, only)


_SPEAK_XML = frozenset({"route53", "cloudfront"})
"""The services of which nothing is served here and whose clients read errors as XML at a path (botocore's models)."""


def _without_strange_parameters(route: Route, query: str) -> Route | Unroutable:
    """Refuse a request at S3's root that means a bucket, which its host names: its parameters are not those of ListBuckets."""
    shape = route.operation.input
    known = {member.wire_name for member in shape.members.values()} if shape else set()
    strange = next((name for name, _ in _given(query) if name not in known and not name.startswith(("X-Amz-", "x-id"))), None)
    if strange is None or "{" in route.operation.request_uri:
        return route
    message = (
        f"`{route.operation.name}` has no parameter `{strange[:_LONGEST_TOLD]}`, and no operation on a bucket is served here"
    )
    return Unroutable(errors.UnknownOperation(message), route.protocol, route.service)


_JSON_BODIES = ("application/json", "application/x-amz-json-1.1", "application/x-amz-json-1.0", "")


def _takes_any_body(operation: OperationModel) -> bool:
    shape = operation.input
    return bool(shape and shape.payload and shape.members[shape.payload].shape.type in ("blob", "string"))


@lru_cache(maxsize=64)
def _media_type(content_type: str) -> str:
    return content_type.partition(";")[0].strip().lower()


@cache
def _services(protocol: str) -> tuple[ServiceModel, ...]:
    spoken = (*models.SERVICES, *models.OWN_SERVICES)
    return tuple(service for service in map(models.service, spoken) if service.protocol == protocol)


def _partly_served(protocol: str, scope: str | None) -> ServiceModel | None:
    """Return the service served in part that a signature is for, in this protocol; its model is read for its own requests."""
    found = (name for name, each in models.PARTLY_SERVED.items() if each.protocol == protocol and each.signing_name == scope)
    name = next(found, None)
    return None if name is None else models.service(name)


@lru_cache(maxsize=256)
def _is_rest_xml(scope: str | None) -> bool:
    return any(each.protocol == "rest-xml" and each.signing_name == scope for each in models.PARTLY_SERVED.values())


@cache
def _json_services() -> Mapping[str, ServiceModel]:
    prefixes = {service.target_prefix: service for service in _services("json") if service.target_prefix}
    # SDKs that are made from Smithy's models (JavaScript, Go, Rust, and Terraform with them) send the bare name of the service's
    # shape, which is the last part where botocore's prefix has several: `CloudTrail_20131101`.
    return {prefix.rpartition(".")[2]: service for prefix, service in prefixes.items()} | prefixes


@cache
def _query_versions() -> Mapping[str, tuple[ServiceModel, ...]]:
    versions: dict[str, tuple[ServiceModel, ...]] = {}
    for service in _services("query"):
        versions[service.api_version] = (*versions.get(service.api_version, ()), service)
    return versions


@lru_cache(maxsize=256)
def _query_service(version: str, scope: str | None) -> ServiceModel | None:
    found = next((name for name, each in models.PARTLY_SERVED.items() if each.api_version == version), None)
    if found is not None:
        return models.service(found)
    published = _query_versions().get(version, ())
    # A version is a date, and two services may share one: then the signature's scope decides.
    if len(published) > 1:
        published = tuple(service for service in published if scope in service.signing_names) or published
    return published[0] if published else None


def _scoped_query_service(scope: str | None) -> ServiceModel | None:
    found = next((service for service in _services("query") if scope in service.signing_names), None)
    return found or _partly_served("ec2", scope)


def _rest_services(scope: str | None) -> tuple[ServiceModel, ...]:
    """Return the services a path may belong to: those of the signature, or all where none of them is signed for."""
    found = _partly_served("rest-xml", scope)
    if found is not None:
        return (found,)
    services = _services("rest-json")
    return tuple(service for service in services if scope in service.signing_names) or services


@dataclass(frozen=True, slots=True)
class _Template:
    operation: OperationModel
    constants: tuple[tuple[str, str], ...]
    """What the query string must hold."""


def _match(service: ServiceModel, method: str, path: str, query: str) -> Route | None:
    best: Route | None = None
    best_constants = -1
    given: set[tuple[str, str]] | None = None
    for template, labels in _paths(service, method, path):
        if template.constants and given is None:
            given = _given(query)
        # Of two that fit, the one with more constants in its query is the more specific.
        if len(template.constants) > best_constants and all(pair in (given or ()) for pair in template.constants):
            best, best_constants = Route(template.operation, labels=labels), len(template.constants)
    return best


def _paths(service: ServiceModel, method: str, path: str) -> Iterator[tuple[_Template, Mapping[str, str]]]:
    plain, labelled = _templates(service)
    for template in plain.get((method, path), ()):
        yield template, {}
    for pattern, template in labelled.get(method, ()):
        found = pattern.fullmatch(path)
        if found:
            yield template, found.groupdict()


def _given(query: str) -> set[tuple[str, str]]:
    try:
        return set(read_pairs(query.encode("latin-1", "replace")))
    except AwsError:
        # Decoding reads the query string again and says what is wrong with it.
        return set()


@cache
def _templates(
    service: ServiceModel,
) -> tuple[Mapping[tuple[str, str], list[_Template]], Mapping[str, list[tuple[re.Pattern[str], _Template]]]]:
    plain: dict[tuple[str, str], list[_Template]] = {}
    labelled: dict[str, list[tuple[re.Pattern[str], _Template]]] = {}
    for operation in service.operations.values():
        path, _, query = operation.request_uri.partition("?")
        constants = tuple(read_pairs(query.encode()))
        template = _Template(operation, constants)
        if "{" in path:
            labelled.setdefault(operation.method, []).append((_pattern(path), template))
        else:
            plain.setdefault((operation.method, path), []).append(template)
    return plain, labelled


_LABEL = re.compile(r"\{(\w+)(\+?)\}", re.ASCII)


def _pattern(path: str) -> re.Pattern[str]:
    """Translate `/tags/{resourceArn}` and the greedy `/{Key+}`; a label is never empty."""
    parts: list[str] = []
    position = 0
    for label in _LABEL.finditer(path):
        kind = ".+" if label[2] else "[^/]+"
        parts += [re.escape(path[position : label.start()]), f"(?P<{label[1]}>{kind})"]
        position = label.end()
    return re.compile("".join([*parts, re.escape(path[position:])]))
