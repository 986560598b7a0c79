"""What only several values together can get wrong: names that must exist, things that must be unique."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from ipaddress import ip_address
from urllib.parse import urlsplit

from contracts.schema import Schema
from gateway.settings.entities import EntitySettings, NavigationSettings, data_model
from gateway.settings.model import (
    ALL_TENANTS,
    ClientSettings,
    EnvironmentSettings,
    ServerSettings,
    Settings,
    TenantSettings,
)
from gateway.settings.problems import Problem, suggestion
from gateway.settings.secret import Secret
from gateway.settings.traffic import CacheSettings
from gateway.settings.traffic_checks import check_traffic

LEAST_SECRET_BYTES = 32
"""What a secret that signs must have (RFC 7518 §3.2)."""

_OWN_ADDRESSES = ("rest", "site")


def check(settings: Settings, document: Mapping[str, object]) -> Iterator[Problem]:
    """The problems of ``settings``, which may lack entries that could not be decoded.

    ``document`` has them all, so that an entry with a mistake of its own is not said to be absent as well.
    """
    for part in ("environments", "tenants", "clients"):
        if not getattr(settings, part):
            yield Problem(part, "expected at least one entry")
    yield from _server(settings.server)
    standard = data_model({})
    for name, environment in settings.environments.items():
        path, entry = f"environments.{name}", _entry(document, "environments", name)
        yield from _environment(path, environment)
        yield from _entities(f"{path}.entities", environment.entities, standard, _names(entry, "entities"))
    yield from _tenants(settings, document)
    tenants, tokens = _names(document, "tenants"), "jwt" in _names(document, "server")
    for name, client in settings.clients.items():
        yield from _client(f"clients.{name}", client, tenants, tokens)
    yield from _shared(settings.clients)
    yield from check_traffic(settings, document)


def advice(settings: Settings) -> Iterator[Problem]:
    """What is allowed and yet looks like a mistake."""
    for name, environment in settings.environments.items():
        if environment.rest is not None and _path(environment.rest)[-2:] != ["api", "v1"]:
            yield Problem(
                f"environments.{name}.rest",
                "does not end in '/api/v1', as addresses of the REST interface do",
            )


def _entry(document: Mapping[str, object], part: str, name: str) -> Mapping[str, object]:
    entries = document.get(part)
    entry = entries.get(name) if isinstance(entries, dict) else None
    return entry if isinstance(entry, dict) else {}


def _names(document: Mapping[str, object], part: str) -> Collection[str]:
    entries = document.get(part)
    return entries.keys() if isinstance(entries, dict) else ()


def _environment(path: str, environment: EnvironmentSettings) -> Iterator[Problem]:
    for name in environment.addresses:
        if name in _OWN_ADDRESSES:
            yield Problem(f"{path}.addresses.{name}", f"is set as '{name}' of the environment itself")
    site = _path(environment.site)
    if "webservices" in site or site[-2:] == ["api", "v1"]:
        yield Problem(
            f"{path}.site",
            "is the address of one interface; a site's ends before '/WebServices', as in "
            "'https://customer.ultimo.net/Ultimo'",
        )
    places = {name: getattr(environment, name) for name in _OWN_ADDRESSES}
    places |= {f"addresses.{name}": address for name, address in environment.addresses.items()}
    for name, address in places.items():
        parts = urlsplit(address or "")
        if parts.scheme == "http" and not environment.allow_http and not _local(parts.hostname or ""):
            yield Problem(
                f"{path}.{name}",
                "sends credentials and records in clear text; use https, or say 'allow_http: true' in this "
                "environment",
            )


def _path(address: str | None) -> list[str]:
    """The segments of its path, in small letters."""
    return urlsplit(address or "").path.rstrip("/").lower().split("/")


def _local(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _entities(
    path: str, own: Mapping[str, EntitySettings], base: Schema, names: Collection[str]
) -> Iterator[Problem]:
    """Entities that are added to those of ``base``; ``names`` has all of them, those with a mistake too."""
    known = [*(entity.name for entity in base.entities.values()), *names]
    yield from _unlike(path, own)
    for name, entity in own.items():
        place, there = f"{path}.{name}", base.find(name)
        yield from _unlike(f"{place}.properties", entity.properties)
        if there is not None and entity.key not in (("Id",), there.key):
            key = ", ".join(there.key)
            yield Problem(
                f"{place}.key", f"{there.name} is there already and keeps its key ({key}); take this out"
            )
        if not entity.key or len({part.lower() for part in entity.key}) < len(entity.key):
            yield Problem(f"{place}.key", "expected at least one name, and none of them twice")
        for own_name, kind in entity.properties.items():
            yield from _navigation(f"{place}.properties.{own_name}", kind, known)


def _unlike(path: str, names: Iterable[str]) -> Iterator[Problem]:
    """Names of the upstream match without regard to case."""
    seen: dict[str, str] = {}
    for name in names:
        if seen.setdefault(name.lower(), name) != name:
            yield Problem(f"{path}.{name}", f"stands here as '{seen[name.lower()]}' already")


def _navigation(path: str, kind: str | NavigationSettings, known: Collection[str]) -> Iterator[Problem]:
    if isinstance(kind, str):
        return
    if (kind.reference is None) == (kind.collection is None):
        yield Problem(path, "expected either 'reference' or 'collection'")
    elif kind.target and not kind.target.startswith("_") and kind.target.lower() not in map(str.lower, known):
        yield _unknown(path, "entity", kind.target, known)


def _tenants(settings: Settings, document: Mapping[str, object]) -> Iterator[Problem]:
    environments = _names(document, "environments")
    for name, tenant in settings.tenants.items():
        path = f"tenants.{name}"
        if tenant.environment not in environments:
            yield _unknown(f"{path}.environment", "environment", tenant.environment, environments)
        adapters = tenant.adapter_names()
        if not adapters:
            yield Problem(f"{path}.adapters", "expected at least one adapter")
        elif len(set(adapters)) < len(adapters):
            yield Problem(f"{path}.adapters", "names an adapter twice")
        elif isinstance(tenant.adapters, tuple) and len(adapters) != len(tenant.adapters):
            yield Problem(f"{path}.adapters", "expected one adapter in each item of the list")
        environment = settings.environments.get(tenant.environment)
        base = data_model({} if environment is None else environment.entities)
        own = _names(_entry(document, "tenants", name), "entities")
        shared = _names(_entry(document, "environments", tenant.environment), "entities")
        yield from _entities(f"{path}.entities", tenant.entities, base, {*shared, *own})
        entities = [*(e.name for e in base.entities.values()), *shared, *own]
        yield from _routes(f"{path}.routes", tenant, entities)
        yield from _cache(f"{path}.cache", tenant.cache, entities)


def _cache(path: str, cache: CacheSettings, entities: Collection[str]) -> Iterator[Problem]:
    yield from _known(f"{path}.seconds", cache.seconds, entities)
    for entity, seconds in cache.seconds.items():
        if seconds > cache.longest:
            yield Problem(
                f"{path}.seconds.{entity}", f"({seconds:g}) is more than 'longest' ({cache.longest:g})"
            )


def _known(path: str, names: Collection[str], entities: Collection[str]) -> Iterator[Problem]:
    """Settings by entity: each must be there, or be a customer's own."""
    yield from _unlike(path, names)
    for name in names:
        if not name.startswith("_") and name.lower() not in map(str.lower, entities):
            yield _unknown(f"{path}.{name}", "entity", name, entities)


def _routes(path: str, tenant: TenantSettings, entities: Collection[str]) -> Iterator[Problem]:
    yield from _known(path, tenant.routes, entities)
    for entity, adapters in tenant.routes.items():
        if not adapters:
            yield Problem(f"{path}.{entity}", "expected at least one adapter")
        elif len(set(adapters)) < len(adapters):
            yield Problem(f"{path}.{entity}", "names an adapter twice")
        for index, adapter in enumerate(adapters):
            if adapter not in tenant.adapter_options():
                known = tenant.adapter_options()
                hint = suggestion(adapter, known) or f"; it has {', '.join(known)}"
                yield Problem(f"{path}.{entity}[{index}]", f"the tenant has no adapter '{adapter}'{hint}")


def _server(server: ServerSettings) -> Iterator[Problem]:
    if server.operations_port is not None and server.operations_port == server.port != 0:
        yield Problem("server.operations_port", "is the same as 'port'; leave it out to use one port")
    if server.default_timeout > server.max_timeout:
        yield Problem("server.default_timeout", "is longer than 'max_timeout'")
    yield from _weak("server.cursor_secret", server.cursor_secret)
    jwt = server.jwt
    if jwt is None:
        return
    if (jwt.keys_file is None) == (jwt.secret is None):
        yield Problem("server.jwt", "expected either 'keys_file' or 'secret'")
    yield from _weak("server.jwt.secret", jwt.secret)
    if not jwt.algorithms:
        yield Problem("server.jwt.algorithms", "expected at least one algorithm")
    # A public key taken for a shared secret would let anyone sign (RFC 8725 §3.1).
    wrong = [name for name in jwt.algorithms if name.startswith("HS") != (jwt.secret is not None)]
    if wrong:
        source = (
            "'secret' goes with HS256, HS384 and HS512" if jwt.secret else "'keys_file' does not go with HS*"
        )
        yield Problem("server.jwt.algorithms", f"{source}; take out {', '.join(wrong)}")


def _weak(path: str, secret: Secret | None) -> Iterator[Problem]:
    if secret is not None and len(secret.reveal().encode()) < LEAST_SECRET_BYTES:
        yield Problem(path, f"is too short to sign with; at least {LEAST_SECRET_BYTES} bytes are needed")


def _client(path: str, client: ClientSettings, tenants: Collection[str], tokens: bool) -> Iterator[Problem]:
    if not client.keys and client.subject is None:
        yield Problem(path, "expected 'keys' or 'subject', else nobody can be this client")
    if client.subject is not None and not tokens:
        yield Problem(f"{path}.subject", "is compared with tokens, which need 'server.jwt'")
    if not client.scopes:
        yield Problem(f"{path}.scopes", "expected 'read', 'write' or both")
    if not client.tenants:
        yield Problem(f"{path}.tenants", "expected at least one tenant, or '*' for all")
    for index, name in enumerate(client.tenants):
        if name != ALL_TENANTS and name not in tenants:
            yield _unknown(f"{path}.tenants[{index}]", "tenant", name, tenants)


def _shared(clients: Mapping[str, ClientSettings]) -> Iterator[Problem]:
    """A key or a subject must lead to one client."""
    owners: dict[str, str] = {}
    for name, client in clients.items():
        marks = [(f"keys[{index}]", key) for index, key in enumerate(client.keys)]
        if client.subject is not None:
            marks.append(("subject", f"subject {client.subject}"))
        for place, mark in marks:
            if mark in owners:
                yield Problem(f"clients.{name}.{place}", f"belongs to client '{owners[mark]}' already")
            owners.setdefault(mark, name)


def _unknown(path: str, kind: str, name: str, known: Collection[str]) -> Problem:
    return Problem(path, f"there is no {kind} '{name}'{suggestion(name, known)}")
