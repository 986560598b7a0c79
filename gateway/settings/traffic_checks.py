"""What several values of the traffic's settings can get wrong together, and names in them that must exist."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from contracts.operations import OPERATIONS
from gateway.settings.model import EnvironmentSettings, Settings, TenantSettings
from gateway.settings.problems import Problem, suggestion
from gateway.settings.traffic import ClientQuotaSettings, QuotaSettings, RetrySettings

_OWN_INTERFACES = ("rest", "site")


def check_traffic(settings: Settings, document: Mapping[str, object]) -> Iterator[Problem]:
    """The problems of quotas, retries, breakers and the store; ``document`` is what they were decoded from."""
    yield from _store(_mapping(document, "store"))
    yield from _idempotency(settings)
    for name, environment in settings.environments.items():
        yield from _environment(f"environments.{name}", environment)
    clients = _mapping(document, "clients")
    for name, tenant in settings.tenants.items():
        path = f"tenants.{name}"
        yield from _retry(f"{path}.retry", tenant.retry)
        for client in tenant.quota.clients:
            if client not in clients:
                yield Problem(
                    f"{path}.quota.clients.{client}",
                    f"there is no client '{client}'{suggestion(client, clients)}",
                )
        if tenant.environment in settings.environments:
            yield from _shares(f"{path}.quota", tenant, settings.environments[tenant.environment].quota)


def _store(store: Mapping[str, object]) -> Iterator[Problem]:
    """Goes by the document: a store with a mistake in it is still one that was given."""
    kind, given = store.get("kind", "sqlite"), store.get("valkey") is not None
    if kind == "valkey" and not given:
        yield Problem(
            "store.valkey", "is missing; a store of the kind 'valkey' needs the address of its server"
        )
    if kind in ("memory", "sqlite") and given:
        yield Problem("store.valkey", f"is not used by a store of the kind '{kind}'; say 'kind: valkey'")


def _idempotency(settings: Settings) -> Iterator[Problem]:
    """A key that is forgotten while its call is under way would let a second one run."""
    keep, longest = settings.idempotency.keep, settings.server.max_timeout
    if keep <= longest:
        yield Problem(
            "idempotency.keep",
            f"({keep:g}) is no longer than a call may take (server.max_timeout, {longest:g})",
        )


def _environment(path: str, environment: EnvironmentSettings) -> Iterator[Problem]:
    quota, breaker = environment.quota, environment.breaker
    for window, limit, headroom in (
        ("burst", quota.burst.limit, quota.burst.headroom),
        ("day", quota.day.limit, quota.day.headroom),
    ):
        if headroom >= limit:
            yield Problem(f"{path}.quota.{window}.headroom", f"leaves nothing of the limit of {limit}")
    interfaces = (*_OWN_INTERFACES, *environment.addresses)
    for index, name in enumerate(quota.interfaces or ()):
        if name not in interfaces:
            hint = suggestion(name, interfaces) or f"; there are: {', '.join(interfaces)}"
            yield Problem(f"{path}.quota.interfaces[{index}]", f"there is no interface '{name}'{hint}")
    if breaker.longest < breaker.pause:
        yield Problem(
            f"{path}.breaker.longest", f"({breaker.longest:g}) is shorter than 'pause' ({breaker.pause:g})"
        )


def _retry(path: str, retry: RetrySettings) -> Iterator[Problem]:
    kinds = [operation.kind for operation in OPERATIONS]
    yield from _pauses(path, retry.base, retry.throttled_base, retry.cap)
    for kind, rule in retry.operations.items():
        place = f"{path}.operations.{kind}"
        if kind not in kinds:
            hint = suggestion(kind, kinds) or f"; there are: {', '.join(kinds)}"
            yield Problem(place, f"there is no operation '{kind}'{hint}")
        # What a rule leaves as it is can be wrong here only with a cap of its own.
        base, throttled_base = (None, None) if rule.cap is None else (retry.base, retry.throttled_base)
        yield from _pauses(
            place, rule.base or base, rule.throttled_base or throttled_base, rule.cap or retry.cap
        )


def _pauses(path: str, base: float | None, throttled_base: float | None, cap: float) -> Iterator[Problem]:
    for name, value in (("base", base), ("throttled_base", throttled_base)):
        if value is not None and value > cap:
            yield Problem(f"{path}.{name}", f"({value:g}) is longer than 'cap' ({cap:g})")


def _shares(path: str, tenant: TenantSettings, quota: QuotaSettings) -> Iterator[Problem]:
    """A share is of what the environment leaves to its tenants; together they may well be more than all of it."""
    whole = {
        "burst": quota.burst.limit - quota.burst.headroom,
        "day": quota.day.limit - quota.day.headroom,
    }
    holders: list[tuple[str, ClientQuotaSettings]] = [(path, tenant.quota)]
    holders += [(f"{path}.clients.{name}", client) for name, client in tenant.quota.clients.items()]
    for place, holder in holders:
        for window, share in (("burst", holder.burst), ("day", holder.day)):
            if isinstance(share, int) and share > whole[window] > 0:
                yield Problem(
                    f"{place}.{window}", f"({share}) is more than the environment has ({whole[window]})"
                )


def _mapping(document: Mapping[str, object], part: str) -> Mapping[str, object]:
    value = document.get(part)
    return value if isinstance(value, dict) else {}
