"""How many series there can be: as many as the README says, whatever names are thrown at the counters."""

from __future__ import annotations

import re
from collections import Counter
from random import Random

from contracts.operations import OPERATIONS
from gateway.telemetry.metrics import Metrics
from tests.support.metrics import samples

ENVIRONMENTS, TENANTS, ADAPTERS = ("plant", "mill"), ("demo", "erp", "bi"), ("rest", "batch")
E, T, A = len(ENVIRONMENTS), len(TENANTS), len(ADAPTERS)
BUCKETS = 16
"""Of a histogram: fourteen counts, their number and their sum."""

BOUNDS = {
    "calls_total": (T + 2) * (len(OPERATIONS) + 2) * (A + 2) * 7 * 50,
    "call_seconds": (len(OPERATIONS) + 2) * BUCKETS,
    "upstream_requests_total": 7 * (E + 2) * (A + 2),
    "upstream_units_total": (E + 2) * (T + 2),
    "upstream_seconds": BUCKETS * (E + 2) * (A + 2),
    "queue_seconds": 5 * BUCKETS,
    "events_total": 9 * (E + 2) * (A + 2),
    "idempotency_keys_total": 7,
    "config_reloads_total": 2,
}


def test_nothing_but_the_configuration_makes_series() -> None:
    counted = Metrics(
        version="1", config_hash="a", tenants=TENANTS, environments=ENVIRONMENTS, adapters=ADAPTERS
    )
    dice = Random(4)

    def any_of(*known: str) -> str:
        return dice.choice([*known, "none", f"x{dice.randrange(10**9)}"])

    for number in range(6000):
        environment, adapter = any_of(*ENVIRONMENTS), any_of(*ADAPTERS)
        tenant, status = any_of(*TENANTS), dice.choice((None, 101, 200, 302, 404, 503, 999))
        counted.upstream(environment=environment, tenant=tenant, adapter=adapter, status=status, seconds=0.1)
        counted.policies.event(any_of("retry", "throttled", "lapsed"), environment, adapter)
        counted.policies.key(any_of("begun"))
        counted.policies.waited(any_of("bulk"), 0.1)
        code, operation = any_of("circuit_open", "overloaded"), any_of("get", "list", "create")
        if number % 3 == 0:
            counted.call(
                tenant=tenant, operation=operation, adapter=adapter, status=503, code=code, seconds=0.1
            )
    shown = samples(counted.render().decode())
    families = Counter(re.sub("_(bucket|count|sum)$", "", name) for name, _ in shown)
    for name, bound in BOUNDS.items():
        assert families.pop(name, 0) <= bound, name
    # Each of the others has no label, or one value of it.
    assert set(families.values()) == {1}


def test_a_name_counts_under_its_own_from_the_reload_on_that_brings_it() -> None:
    counted = Metrics(
        version="1", config_hash="a", tenants=["demo"], environments=["plant"], adapters=["rest"]
    )

    def units(tenant: str) -> float | None:
        counted.upstream(environment="plant", tenant="new", adapter="rest", status=200, seconds=0.1)
        return samples(counted.render().decode()).get(
            ("upstream_units_total", frozenset({("environment", "plant"), ("tenant", tenant)}))
        )

    assert units("other") == 1
    counted.configured("b", tenants=["demo", "new"], environments=["plant"], now=5.0)
    assert units("new") == 1
