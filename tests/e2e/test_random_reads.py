"""Reads that nobody thought of: an exporting connector answers what REST answers, or says that it cannot.

Paths are random walks over the schema with keys that are there, that nearly are, and that are not; lists are
narrowed, ordered, cut and counted at random.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from random import Random
from typing import TypeVar
from urllib.parse import quote

import httpx2
import pytest
import pytest_asyncio
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.sandbox import Sandbox, SandboxOptions
from contracts.entities import standard_schema
from contracts.schema import Entity, Property, PropertyType
from tests.support.four_tenants import CONNECTORS, playing

SCHEMA = standard_schema()
ENTITIES = [*SCHEMA.entities.values()]
NAVIGATIONS = (PropertyType.REFERENCE, PropertyType.COLLECTION)
MOMENTS = (PropertyType.DATE, PropertyType.DATETIME)
OPERATORS = ("eq", "ne", "gt", "ge", "lt", "le")
NEARLY: tuple[Callable[[str], str], ...] = (
    str.swapcase,
    lambda key: " " + key,
    lambda key: key + " ",
    lambda key: "0" + key,
    lambda key: key.lstrip("0") or "0",
    lambda key: "no" + key,
)

pytestmark = pytest.mark.asyncio(loop_scope="module")

Row = dict[str, object]
T = TypeVar("T")


class House:
    """The demo, and the records that are in it, by entity."""

    def __init__(self, client: httpx2.AsyncClient, rows: Mapping[str, list[Row]]) -> None:
        self.client = client
        self.rows = rows

    async def answer(self, tenant: str, path: str, query: Mapping[str, str]) -> tuple[str | None, object]:
        """The code of a problem, or the answer without its cursor, which is of one tenant."""
        answer = await self.client.get(f"/v1/{tenant}/objects/{path}", params=dict(query))
        body = answer.json()
        assert isinstance(body, dict)
        if "code" in body and answer.is_error:
            return body["code"], None
        body.pop("next", None)
        return None, body


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house() -> AsyncIterator[House]:
    options = SandboxOptions(limits="off", records=40, zone="Europe/Amsterdam")
    async with Sandbox(options) as sandbox, playing(sandbox) as client:
        rows: dict[str, list[Row]] = {}
        for entity in ENTITIES:
            answer = await client.get(f"/v1/demo/objects/{entity.name}")
            rows[entity.name] = answer.json()["items"]
        yield House(client, rows)


class Draw:
    """Draws paths and queries that fit the records of a house."""

    def __init__(self, random: Random, rows: Mapping[str, list[Row]]) -> None:
        self._random = random
        self._rows = rows

    def read(self) -> tuple[str, dict[str, str]]:
        entity = self._of(ENTITIES)
        path, single = entity.name, self._chance()
        if single:
            path += "/" + self._key(entity)
        while single and self._chance():
            steps = [step for step in entity.properties.values() if step.type in NAVIGATIONS]
            if not steps:
                break
            step = self._of(steps)
            entity = SCHEMA.target(step.target or step.name)
            path += "/" + step.name
            if step.type is PropertyType.COLLECTION:
                single = self._chance()
                path += "/" + self._key(entity, within=True) if single else ""
        return path, {} if single else self._query(entity)

    def _query(self, entity: Entity) -> dict[str, str]:
        scalars = [
            item.name
            for item in entity.properties.values()
            if item.type not in (*NAVIGATIONS, PropertyType.KEY)
        ]
        given = {
            "filter": self._filter(entity),
            "orderby": self._of(scalars) + self._of(("", " desc")),
            "select": f"{self._of(scalars)},Id",
            "skip": str(self._of((0, 1, 5))),
            "limit": str(self._of((1, 3, 1000))),
            "count": "true",
        }
        return {name: value for name, value in given.items() if self._chance()}

    def _filter(self, entity: Entity) -> str:
        terms = [self._term(entity) for _ in range(self._of((1, 1, 2)))]
        joined = self._of((" and ", " or ")).join(terms)
        return self._of(("{}", "not ({})")).format(joined)

    def _term(self, entity: Entity) -> str:
        values = [item for item in entity.properties.values() if item.type is not PropertyType.COLLECTION]
        property = self._of(values)
        value = self._of(self._rows[entity.name]).get(property.name)
        if value is None or isinstance(value, dict):
            return f"{property.name} {self._of(('eq', 'ne'))} null"
        operator = self._of(("eq", "ne") if isinstance(value, bool) else OPERATORS)
        return f"{property.name} {operator} {_literal(property, value)}"

    def _key(self, entity: Entity, *, within: bool = False) -> str:
        """A key of the entity, spelled as in a path; ``within`` a collection its last part alone will do."""
        row = self._of(self._rows[entity.name])
        kind = self._of(("own", "own", "external", "nearly"))
        if kind == "external" and not within and row["ExternalId"]:
            provider = f",DataProvider={_encoded(row['DataProvider'])}" if self._chance() else ""
            return f"ExternalId={_encoded(row['ExternalId'])}{provider}"
        own = row["Id"]
        parts = own if isinstance(own, dict) else {"Id": own}
        if kind == "nearly":
            name = self._of(tuple(parts))
            parts = {**parts, name: self._of(NEARLY)(str(parts[name]))}
        if len(parts) == 1 or (within and self._chance()):
            return _encoded(parts[entity.key[-1]])
        return ",".join(f"{name}={_encoded(value)}" for name, value in parts.items())

    def _of(self, choices: Sequence[T]) -> T:
        return self._random.choice(choices)

    def _chance(self) -> bool:
        return self._random.random() < 0.5


def _encoded(value: object) -> str:
    return quote(str(value), safe="")


def _literal(property: Property, value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float) or property.type in MOMENTS:
        return str(value)
    return "'" + str(value).replace("'", "''") + "'"


@given(random=st.randoms(use_true_random=True))
@settings(max_examples=250, deadline=None, derandomize=True)
async def test_any_read_is_answered_as_over_rest_or_refused(house: House, random: Random) -> None:
    path, query = Draw(random, house.rows).read()
    expected = await house.answer("demo", path, query)
    for tenant in CONNECTORS:
        answer = await house.answer(tenant, path, query)
        if "operation_not_supported" not in (answer[0], expected[0]):
            assert answer == expected, (tenant, path, query)
