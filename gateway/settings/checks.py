"""What only several values together can get wrong: names that must exist, things that must be unique."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from gateway.settings.model import (
    ALL_TENANTS,
    ClientSettings,
    ServerSettings,
    Settings,
    TenantSettings,
)
from gateway.settings.problems import Problem, suggestion


def check(settings: Settings, document: Mapping[str, object]) -> Iterator[Problem]:
    """The problems of ``settings``, which may lack entries that could not be decoded.

    ``document`` has them all, so that an entry with a mistake of its own is not said to be absent as well.
    """
    for part in ("environments", "tenants", "clients"):
        if not getattr(settings, part):
            yield Problem(part, "expected at least one entry")
    yield from _server(settings.server)
    yield from _tenants(settings.tenants, _names(document, "environments"))
    tenants, tokens = _names(document, "tenants"), "jwt" in _names(document, "server")
    for name, client in settings.clients.items():
        yield from _client(f"clients.{name}", client, tenants, tokens)
    yield from _shared(settings.clients)


def _names(document: Mapping[str, object], part: str) -> Collection[str]:
    entries = document.get(part)
    return entries.keys() if isinstance(entries, dict) else ()


def _tenants(tenants: Mapping[str, TenantSettings], environments: Collection[str]) -> Iterator[Problem]:
    for name, tenant in tenants.items():
        if tenant.environment not in environments:
            yield _unknown(f"tenants.{name}.environment", "environment", tenant.environment, environments)
        if not tenant.adapters:
            yield Problem(f"tenants.{name}.adapters", "expected at least one adapter")
        elif len(tenant.adapter_options()) < len(tenant.adapters):
            yield Problem(f"tenants.{name}.adapters", "names an adapter twice")


def _server(server: ServerSettings) -> Iterator[Problem]:
    if server.operations_port is not None and server.operations_port == server.port != 0:
        yield Problem("server.operations_port", "is the same as 'port'; leave it out to use one port")
    if server.default_timeout > server.max_timeout:
        yield Problem("server.default_timeout", "is longer than 'max_timeout'")
    jwt = server.jwt
    if jwt is None:
        return
    if (jwt.keys_file is None) == (jwt.secret is None):
        yield Problem("server.jwt", "expected either 'keys_file' or 'secret'")
    if not jwt.algorithms:
        yield Problem("server.jwt.algorithms", "expected at least one algorithm")
    # A public key taken for a shared secret would let anyone sign (RFC 8725 §3.1).
    wrong = [name for name in jwt.algorithms if name.startswith("HS") != (jwt.secret is not None)]
    if wrong:
        source = (
            "'secret' goes with HS256, HS384 and HS512" if jwt.secret else "'keys_file' does not go with HS*"
        )
        yield Problem("server.jwt.algorithms", f"{source}; take out {', '.join(wrong)}")


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
