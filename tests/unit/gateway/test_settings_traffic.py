"""Quotas, retries, breakers, the cache and the store in the configuration: what several values get wrong."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from gateway.settings import ConfigurationError, Settings, parse

HASH = "sha256:" + "0" * 64
RIGHT = f"""\
store: {{}}
environments:
  plant:
    rest: https://customer.ultimo.net/api/v1
    zone: Europe/Amsterdam
    addresses: {{iot: https://iot.example}}
    quota: {{}}
    breaker: {{}}
tenants:
  erp:
    environment: plant
    credentials: {{api_key: {{env: KEY}}}}
    quota: {{}}
    retry: {{}}
    cache: {{}}
clients:
  planner:
    keys: ["{HASH}"]
    scopes: [read]
    tenants: [erp]
idempotency: {{}}
"""
ENVIRONMENT, TENANT = "environments.plant", "tenants.erp"


def parsed(part: str, value: str, text: str = RIGHT) -> Settings:
    """The settings with one part of theirs; ``shares`` is the quota of the tenant."""
    before, empty, after = (
        text.rpartition("quota: {}") if part == "shares" else text.partition(f"{part}: {{}}")
    )
    assert empty
    return parse(before + empty.replace("{}", value) + after, {"KEY": "k" * 32}, Path())


def problems(part: str, value: str, text: str = RIGHT) -> list[str]:
    try:
        parsed(part, value, text)
    except ConfigurationError as error:
        return [str(problem) for problem in error.problems]
    return []


MISTAKES = [
    (
        "store",
        "{kind: valkey}",
        "store.valkey: is missing; a store of the kind 'valkey' needs the address of its server (line 1)",
    ),
    (
        "store",
        "{valkey: {address: 'valkey:6379'}}",
        "store.valkey: is not used by a store of the kind 'sqlite'; say 'kind: valkey' (line 1)",
    ),
    (
        "store",
        "{kind: memory, valkey: {address: 'valkey:6379'}}",
        "store.valkey: is not used by a store of the kind 'memory'; say 'kind: valkey' (line 1)",
    ),
    (
        "quota",
        "{burst: {headroom: 100}}",
        f"{ENVIRONMENT}.quota.burst.headroom: leaves nothing of the limit of 100 (line 7)",
    ),
    (
        "quota",
        "{day: {limit: 500, headroom: 501}}",
        f"{ENVIRONMENT}.quota.day.headroom: leaves nothing of the limit of 500 (line 7)",
    ),
    (
        "quota",
        "{interfaces: [rest, sit]}",
        f"{ENVIRONMENT}.quota.interfaces[1]: there is no interface 'sit', did you mean 'site'? (line 7)",
    ),
    (
        "quota",
        "{interfaces: [zzz]}",
        f"{ENVIRONMENT}.quota.interfaces[0]: there is no interface 'zzz'; there are: rest, site, iot (line 7)",
    ),
    ("breaker", "{longest: 4}", f"{ENVIRONMENT}.breaker.longest: (4) is shorter than 'pause' (5) (line 8)"),
    (
        "breaker",
        "{pause: 301}",
        f"{ENVIRONMENT}.breaker.longest: (300) is shorter than 'pause' (301) (line 8)",
    ),
    ("retry", "{base: 21}", f"{TENANT}.retry.base: (21) is longer than 'cap' (20) (line 14)"),
    (
        "retry",
        "{base: 21, operations: {get: {attempts: 2}}}",
        f"{TENANT}.retry.base: (21) is longer than 'cap' (20) (line 14)",
    ),
    (
        "retry",
        "{throttled_base: 21, operations: {get: {attempts: 2}}}",
        f"{TENANT}.retry.throttled_base: (21) is longer than 'cap' (20) (line 14)",
    ),
    (
        "retry",
        "{cap: 0.5}",
        f"{TENANT}.retry.throttled_base: (1) is longer than 'cap' (0.5) (line 14)",
    ),
    (
        "retry",
        "{operations: {creat: {attempts: 1}}}",
        f"{TENANT}.retry.operations.creat: there is no operation 'creat', did you mean 'create'? (line 14)",
    ),
    (
        "retry",
        "{operations: {list: {base: 30}}}",
        f"{TENANT}.retry.operations.list.base: (30) is longer than 'cap' (20) (line 14)",
    ),
    (
        "retry",
        "{base: 2, operations: {get: {cap: 1.5}}}",
        f"{TENANT}.retry.operations.get.base: (2) is longer than 'cap' (1.5) (line 14)",
    ),
    (
        "shares",
        "{clients: {planer: {day: 5%}}}",
        f"{TENANT}.quota.clients.planer: there is no client 'planer', did you mean 'planner'? (line 13)",
    ),
    (
        "idempotency",
        "{keep: 300}",
        "idempotency.keep: (300) is no longer than a call may take (server.max_timeout, 300) (line 21)",
    ),
    (
        "shares",
        "{burst: 101}",
        f"{TENANT}.quota.burst: (101) is more than the environment has (100) (line 13)",
    ),
    (
        "shares",
        "{clients: {planner: {day: 10001}}}",
        f"{TENANT}.quota.clients.planner.day: (10001) is more than the environment has (10000) (line 13)",
    ),
    (
        "cache",
        "{seconds: {Equipmnt: 60}}",
        f"{TENANT}.cache.seconds.Equipmnt: there is no entity 'Equipmnt', did you mean 'Equipment'? (line 15)",
    ),
    (
        "cache",
        "{seconds: {Vendor: 60, vendor: 60}}",
        f"{TENANT}.cache.seconds.vendor: stands here as 'Vendor' already (line 15)",
    ),
    (
        "cache",
        "{seconds: {Vendor: 61}, longest: 60}",
        f"{TENANT}.cache.seconds.Vendor: (61) is more than 'longest' (60) (line 15)",
    ),
    (
        "cache",
        "{longest: 86401}",
        f"{TENANT}.cache.longest: expected a number of seconds from 0 to 86400, found 86401 (line 15)",
    ),
]


@pytest.mark.parametrize(("part", "value", "message"), MISTAKES)
def test_each_mistake_is_told_once_with_its_place(part: str, value: str, message: str) -> None:
    assert problems(part, value) == [message]


@pytest.mark.parametrize(
    ("part", "value"),
    [
        ("store", "{kind: memory}"),
        ("idempotency", "{keep: 301}"),
        ("store", "{kind: valkey, valkey: {address: 'valkey:6379'}}"),
        ("quota", "{burst: {headroom: 99}, day: {headroom: 9999}}"),
        ("quota", "{interfaces: [rest, site, iot]}"),
        ("quota", "{interfaces: []}"),
        ("breaker", "{pause: 5, longest: 5}"),
        ("retry", "{base: 20, throttled_base: 20}"),
        ("retry", "{operations: {list: {attempts: 5, cap: 1}, get: {base: 30, cap: 30}}}"),
        ("cache", "{seconds: {Vendor: 300, equipment: 0, _Own: 3600}, records: 1}"),
        ("cache", "{longest: 0}"),
        ("shares", "{burst: 100, day: 100%, clients: {planner: {burst: 1%, day: 10000}}}"),
    ],
)
def test_what_may_be_set_is_let_through(part: str, value: str) -> None:
    assert problems(part, value) == []


def test_a_share_is_held_against_what_the_headroom_leaves() -> None:
    left = RIGHT.replace("quota: {}", "quota: {day: {limit: 100, headroom: 20}}", 1)
    assert problems("shares", "{day: 80}", left) == []
    assert problems("shares", "{day: 81}", left) == [
        f"{TENANT}.quota.day: (81) is more than the environment has (80) (line 13)"
    ]


@pytest.mark.parametrize(
    ("part", "value"),
    [
        ("store", "{kind: valkey, valkey: {address: 17}}"),
        ("store", "{kind: valky, valkey: {address: 'valkey:6379'}}"),
        ("quota", "{burst: {headroom: none}}"),
        ("retry", "{operations: {creat: {attempts: none}}}"),
    ],
)
def test_a_value_that_is_wrong_by_itself_makes_no_second_mistake(part: str, value: str) -> None:
    assert len(problems(part, value)) == 1


def test_what_is_set_arrives() -> None:
    settings = parsed("retry", "{attempts: 5, operations: {create: {attempts: 1}}}")
    retry = settings.tenants["erp"].retry
    assert (retry.attempts, retry.operations["create"].attempts) == (5, 1)
    assert msgspec.structs.asdict(settings.environments["plant"].breaker)["failures"] == 5
