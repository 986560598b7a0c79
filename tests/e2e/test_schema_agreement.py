"""The schema and the sandbox were written apart and share no code: here they are held against each other.

For each entity of the schema, over real HTTP: what its records show, where its navigations lead, how its
records are made, and what each property takes. Calls go through the gateway; where the gateway would refuse
before it asks, the sandbox is asked directly.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import httpx2
import msgspec
import pytest
import pytest_asyncio

from adapters.sandbox import Sandbox, SandboxOptions
from adapters.sandbox.entities import build_model
from contracts.entities import standard_schema
from contracts.paths import print_path, print_upstream_path
from contracts.schema import Entity, Property, PropertyType
from tests.support.servers import KEY, UPSTREAM_KEY, gateway

SCHEMA = standard_schema()
ENTITIES = list(SCHEMA.entities.values())
NEW: dict[str, object] = {"Context": 1, "Status": 1}
LONG = 300

each_entity = pytest.mark.parametrize("entity", ENTITIES, ids=lambda entity: entity.name)
pytestmark = pytest.mark.asyncio(loop_scope="module")


class Rig(msgspec.Struct):
    """A gateway and the sandbox behind it, each with a client of its own; ``serial`` makes keys that are new."""

    gateway: httpx2.AsyncClient
    upstream: httpx2.AsyncClient
    control: str
    serial: int = 0

    def fresh(self) -> str:
        self.serial += 1
        return f"N{self.serial:04d}"

    async def first(self, entity: Entity) -> dict[str, object]:
        """The first record that the gateway lists."""
        answer = await self.gateway.get(entity.name, params={"limit": "1"})
        assert answer.status_code == 200, answer.text
        record: dict[str, object] = answer.json()["items"][0]
        return record

    async def make(self, entity: Entity, body: dict[str, object]) -> httpx2.Response:
        """The answer to making a record: by POST where the key is automatic, else by PUT of a new key.

        A record whose key begins with another's gets an owner of its own first.
        """
        owner = next((item for item in ENTITIES if entity.owned_by(item)), None)
        prefix: object = None
        if owner is not None:
            made = await self.make(owner, NEW)
            assert made.status_code == 201, made.text
            prefix = made.json()["Id"]
        if entity.automatic_key:
            return await self.gateway.post(collection_of(entity, owner, prefix), json=body)
        return await self.gateway.put(place(entity, await self._key(entity, owner, prefix)), json=body)

    async def _key(self, entity: Entity, owner: Entity | None, prefix: object) -> object:
        """A key of ``entity`` that is not there yet."""
        if owner is None:
            return self.fresh()
        last = entity.key[-1]
        target = SCHEMA.find(last)
        value: object = self.fresh()
        if target is not None:
            value = (await self.make(target, NEW)).json()["Id"]
        begun = list(prefix.values()) if isinstance(prefix, dict) else [prefix]
        return dict(zip(entity.key, [*begun, value], strict=True))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def rig() -> AsyncIterator[Rig]:
    async with (
        Sandbox(SandboxOptions(limits="off")) as sandbox,
        gateway(f"{sandbox.url}/api/v1", {"demo": {"language": "en-US"}}) as served,
        httpx2.AsyncClient(
            base_url=f"{served.url}/v1/demo/objects/", headers={"X-API-Key": KEY}, verify=False
        ) as client,
        httpx2.AsyncClient(
            base_url=f"{sandbox.url}/api/v1/object/",
            headers={"ApiKey": UPSTREAM_KEY, "Content-Language": "en-US"},
            verify=False,
        ) as upstream,
    ):
        yield Rig(client, upstream, f"{sandbox.url}/_sandbox/")


def place(entity: Entity, key: object) -> str:
    return print_path(SCHEMA.path_of(entity, {"Id": key}))


def upstream_place(entity: Entity, record: dict[str, object]) -> str:
    return print_upstream_path(SCHEMA.path_of(entity, record))


def collection_of(entity: Entity, owner: Entity | None, key: object) -> str:
    """Where a record with an automatic key is posted: its set, or the collection of its owner."""
    if owner is None:
        return entity.name
    name = next(item.name for item in navigations(owner) if item.target == entity.name)
    return f"{place(owner, key)}/{name}"


def values(entity: Entity) -> Iterator[Property]:
    """What a record shows beside its ``Id``: parts of a composite key stand in there."""
    for name, item in entity.properties.items():
        if item.type is not PropertyType.COLLECTION and name not in entity.key_parts and name != "id":
            yield item


def navigations(entity: Entity) -> Iterator[Property]:
    for item in entity.properties.values():
        if item.type in (PropertyType.REFERENCE, PropertyType.COLLECTION):
            yield item


async def test_both_sides_know_the_same_entities(rig: Rig) -> None:
    records = (await rig.upstream.get(rig.control)).json()["records"]
    assert {name for name in records if not name.startswith("_")} == {item.name for item in ENTITIES}


@each_entity
async def test_the_sandbox_has_no_collection_of_its_own(entity: Entity) -> None:
    """HTTP does not tell what collections there are, so the sandbox's model is looked at."""
    collections = {item.name for item in navigations(entity) if item.type is PropertyType.COLLECTION}
    assert build_model()[entity.name].navigations.keys() == collections


@each_entity
async def test_a_record_shows_the_properties_and_the_key_of_the_schema(entity: Entity, rig: Rig) -> None:
    record = await rig.first(entity)
    assert record.keys() == {"Id", *(item.name for item in values(entity))}
    key = record["Id"]
    assert (list(key) if isinstance(key, dict) else ["Id"]) == list(entity.key)


@each_entity
async def test_every_navigation_of_a_record_answers(entity: Entity, rig: Rig) -> None:
    record = await rig.first(entity)
    for item in navigations(entity):
        answer = await rig.gateway.get(f"{place(entity, record['Id'])}/{item.name}")
        if item.type is PropertyType.COLLECTION:
            assert (item.name, answer.status_code) == (item.name, 200)
            assert isinstance(answer.json()["items"], list)
        elif answer.status_code != 200:
            assert (item.name, record[item.name]) == (item.name, None)
            assert answer.json()["code"] == "record_not_found"


@each_entity
async def test_a_collection_holds_records_of_the_entity_that_the_schema_names(
    entity: Entity, rig: Rig
) -> None:
    """Each is filled in the seed, for otherwise nothing would be compared."""
    for item in navigations(entity):
        if item.type is PropertyType.COLLECTION:
            target = SCHEMA.entity(item.target or item.name)
            answer = await rig.gateway.get(entity.name, params={"expand": item.name, "select": "Id"})
            found = [record for owner in answer.json()["items"] for record in owner[item.name]]
            assert found, item.name
            assert found[0].keys() == {"Id", *(value.name for value in values(target))}


@each_entity
async def test_a_record_is_made_read_and_changed(entity: Entity, rig: Rig) -> None:
    made = await rig.make(entity, NEW)
    assert made.status_code == 201, made.text
    address = place(entity, made.json()["Id"])
    assert (await rig.gateway.get(address)).json() == made.json()
    changed = await rig.gateway.patch(address, json={"Description": "changed"})
    assert (changed.status_code, changed.json()["Description"]) == (200, "changed")
    assert (await rig.gateway.get(address)).json() == changed.json()


@each_entity
async def test_a_key_is_automatic_on_both_sides_or_on_none(entity: Entity, rig: Rig) -> None:
    owner = next((item for item in ENTITIES if entity.owned_by(item)), None)
    within = entity.name
    if owner is not None:
        name = next(item.name for item in navigations(owner) if item.target == entity.name)
        within = f"{upstream_place(owner, await rig.first(owner))}/{name}"
    answer = await rig.upstream.post(within, json=NEW)
    assert answer.status_code == (201 if entity.automatic_key else 400), answer.text


@each_entity
async def test_every_property_takes_what_its_type_says_and_gives_it_back(entity: Entity, rig: Rig) -> None:
    written = {**NEW, **{item.name: await _sample(rig, item) for item in values(entity) if _free(item)}}
    made = await rig.make(entity, written)
    assert made.status_code == 201, made.text
    record = made.json()
    as_it_is = (await rig.upstream.get(upstream_place(entity, record))).json()
    for answer in (record, as_it_is):
        assert {name: answer[name] for name in written} == written
    for item in values(entity):
        if item.type is PropertyType.REFERENCE:
            reached = await rig.gateway.get(f"{place(entity, record['Id'])}/{item.name}")
            assert (reached.status_code, reached.json()["Id"]) == (200, record[item.name])


@each_entity
async def test_what_cannot_be_written_is_refused_upstream_too(entity: Entity, rig: Rig) -> None:
    made = await rig.make(entity, NEW)
    address = upstream_place(entity, made.json())
    for item in values(entity):
        if item.length is not None:
            await _refused(
                rig, "PATCH", address, {item.name: "x" * (item.length + 1)}, "InvalidPropertyValue"
            )
        if item.type is PropertyType.INTEGER:
            await _refused(rig, "PATCH", address, {item.name: 1.5}, "InvalidPropertyValue")
        if item.read_only:
            await _refused(rig, "PATCH", address, {item.name: await _sample(rig, item)}, "PropertyReadOnly")
        if item.insert_only:
            other = 2 if item.type is PropertyType.INTEGER else "GBP"
            await _refused(rig, "PATCH", address, {item.name: other}, "PropertyInsertOnly")
        if item.mandatory:
            rest = {name: value for name, value in NEW.items() if name != item.name}
            await _refused(rig, "PUT", address, rest, "PropertyMandatory")


@each_entity
async def test_what_comes_in_several_languages_is_marked_so(entity: Entity, rig: Rig) -> None:
    """Not the other way round: which texts are multilingual is the environment's to say."""
    answer = await rig.upstream.get(entity.name, headers={"ApiKey": "sandbox-multilingual"})
    texts = [item for item in values(entity) if item.type is PropertyType.STRING]
    several = {
        item.name
        for record in answer.json()["items"]
        for item in texts
        if isinstance(record[item.name], dict)
    }
    assert several <= {item.name for item in texts if item.multilingual}


def _free(item: Property) -> bool:
    return not item.read_only and item.name not in NEW


async def _sample(rig: Rig, item: Property) -> object:
    """A value of the property's type: of a text the longest, of a reference a record that only its entity has."""
    match item.type:
        case PropertyType.STRING if item.name == "ExternalId":
            return rig.fresh().rjust(item.length or LONG, "x")
        case PropertyType.STRING:
            return "x" * (item.length or LONG)
        case PropertyType.REFERENCE:
            return (await rig.make(SCHEMA.entity(item.target or item.name), NEW)).json()["Id"]
        case kind:
            return SAMPLES[kind]


SAMPLES: dict[PropertyType, object] = {
    PropertyType.INTEGER: 7,
    PropertyType.DECIMAL: 1.5,
    PropertyType.BOOLEAN: True,
    PropertyType.DATE: "2022-01-31",
    PropertyType.DATETIME: "2022-01-31T10:00:00Z",
}


async def _refused(rig: Rig, method: str, address: str, body: dict[str, object], code: str) -> None:
    answer = await rig.upstream.request(method, address, json=body)
    assert (answer.status_code, answer.json()["code"]) == (400, code), body
