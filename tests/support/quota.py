"""Settings for tests that are about something else: no window fills, nothing is repeated, nothing is left alone."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import msgspec

from gateway.settings import (
    BreakerSettings,
    BurstSettings,
    DaySettings,
    QuotaSettings,
    RetrySettings,
    Settings,
    StoreSettings,
)

MANY = 1_000_000
STORE: Mapping[str, object] = MappingProxyType({"kind": "memory"})
ENVIRONMENT: Mapping[str, object] = MappingProxyType(
    {
        "quota": {"cold_start": "trust", "burst": {"limit": MANY}, "day": {"limit": MANY}},
        "breaker": {"failures": MANY, "least": MANY},
    }
)
TENANT: Mapping[str, object] = MappingProxyType({"retry": {"attempts": 1}})
"""What is added to a configuration file: its store, and to each environment and tenant."""


def plain(settings: Settings, *, counted: bool = True) -> Settings:
    """The same with a memory store and without limits, repetitions and breakers.

    What is not ``counted`` goes to the upstream even after it has refused for its quota.
    """
    quota = QuotaSettings(
        cold_start="trust",
        burst=BurstSettings(limit=MANY),
        day=DaySettings(limit=MANY),
        interfaces=None if counted else (),
    )
    breaker = BreakerSettings(failures=MANY, least=MANY)
    replace = msgspec.structs.replace
    return replace(
        settings,
        store=StoreSettings(kind="memory"),
        environments={
            name: replace(environment, quota=quota, breaker=breaker)
            for name, environment in settings.environments.items()
        },
        tenants={
            name: replace(tenant, retry=RetrySettings(attempts=1))
            for name, tenant in settings.tenants.items()
        },
    )
