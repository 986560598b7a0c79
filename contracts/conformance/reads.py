"""Scenarios of reading: whole sets, queries, single records, and what is not there."""

from __future__ import annotations

from collections.abc import Iterator

from contracts.conformance.plant import Plant
from contracts.conformance.scenario import Scenario, Seen, failed, found, listed
from contracts.conformance.seeds import Seeds
from contracts.errors import GatewayError, RecordNotFound
from contracts.filters import parse_filter
from contracts.operations import GetRecord, ListRecords, OrderBy, Query


def reads(plant: Plant) -> Iterator[Scenario]:
    seeds = Seeds(plant)
    yield from _sets(plant, seeds)
    yield from _queries(plant, seeds)
    yield from _records(plant, seeds)
    yield from _absent(plant)


def _sets(plant: Plant, seeds: Seeds) -> Iterator[Scenario]:
    def whole(what: str, path: str, *records: Seen) -> Scenario:
        operation = ListRecords(place=plant.place(path), whole=True)
        return Scenario(name=f"list: {what}", operation=operation, expected=listed(*records))

    yield whole("texts and references", "Vendor", *seeds.vendors())
    yield whole("decimals and whole numbers", "Article", *seeds.articles())
    yield whole("composite keys", "EquipmentSparePart", *seeds.spare_parts())
    yield whole("keys of three parts, and a time", "ProcessFunctionMeasurementPointValue", seeds.value())
    yield whole("letters beyond Latin, and empty texts", "Employee", *seeds.employees())
    yield whole("dates", "ServiceContract", seeds.contract())
    yield whole("values in several languages", "Priority", *seeds.priorities())
    yield whole("references by composite keys", "Space", *seeds.spaces())
    yield whole("through a collection", "Department/01/ChildDepartments", seeds.logistics())


def _queries(plant: Plant, seeds: Seeds) -> Iterator[Scenario]:
    def asked(what: str, path: str, query: Query, *records: Seen, count: int | None = None) -> Scenario:
        operation = ListRecords(place=plant.place(path), query=query)
        return Scenario(name=f"list: {what}", operation=operation, expected=listed(*records, count=count))

    oil, belt, bearing = seeds.articles()
    by_price = (OrderBy(("PurchasePrice",), descending=True),)
    dear = parse_filter("PurchasePrice gt 12.95")
    key = "Id eq '00002'"
    yield asked("filtered by the key", "Equipment", Query(filter=parse_filter(key)), seeds.pump())
    empty = "Description eq '' and Code ne null and Site/Id eq '01'"
    yield asked(
        "filtered by the empty text", "Equipment", Query(filter=parse_filter(empty)), seeds.nameless()
    )
    jobs = "Id in ('0000002') and TargetDate lt 2022-03-03T15:30:01Z and not (FeedbackText like '%')"
    yield asked("filtered by a time", "Job", Query(filter=parse_filter(jobs)), seeds.job())
    yield asked(
        "filtered by a pattern", "Article", Query(filter=parse_filter("Description like 'oil%'")), oil
    )
    yield asked(
        "filtered by a part of the key",
        "EquipmentSparePart",
        Query(filter=parse_filter("Id/Article eq '0200'")),
        seeds.spare_parts()[2],
    )
    yield asked("ordered", "Article", Query(orderby=by_price), bearing, belt, oil)
    yield asked("filtered and ordered", "Article", Query(filter=dear, orderby=by_price), bearing, belt)
    yield asked("skipped", "Article", Query(orderby=by_price, skip=2), oil)
    yield asked("in pages of one", "Article", Query(limit=1), oil, belt, bearing)
    yield asked("counted", "Article", Query(filter=dear, count=True), belt, bearing, count=2)
    name = Query(orderby=(OrderBy(("Id",)),), select=(("Name",),))
    yield asked("selected", "Vendor", name, *({"Name": vendor["Name"]} for vendor in seeds.vendors()))


def _records(plant: Plant, seeds: Seeds) -> Iterator[Scenario]:
    def got(what: str, path: str, record: Seen) -> Scenario:
        operation = GetRecord(place=plant.place(path))
        return Scenario(name=f"get: {what}", operation=operation, expected=found(record))

    yield got("by its key", "Equipment/00002", seeds.pump())
    yield got("by a composite key", "EquipmentSparePart/Equipment=00001,Article=0192", seeds.spare_parts()[1])
    yield got("nested", "Building/0001/BuildingParts/001/BuildingFloors/CODE01", seeds.floor())
    yield got("by an external id", "Equipment/ExternalId=4711", seeds.pump())
    yield got("by an external id of a provider", "Equipment/ExternalId=4711,DataProvider=erp", seeds.motor())
    yield got("with a slash in the key", "Building/01%2F02", seeds.annex())
    yield got("through a reference", "Equipment/00003/PartOfEquipment", seeds.pump())
    yield Scenario(
        name="get: selected",
        operation=GetRecord(place=plant.place("Job/0000002"), select=(("TargetDate",),)),
        expected=found({"TargetDate": seeds.job()["TargetDate"]}),
    )
    yield Scenario(
        name="get: expanded",
        operation=GetRecord(place=plant.place("Article/0191"), expand=(("Vendor",),)),
        expected=found({**seeds.articles()[0], "Vendor": seeds.vendors()[1]}),
    )


def _absent(plant: Plant) -> Iterator[Scenario]:
    def refused(what: str, path: str, error: type[GatewayError]) -> Scenario:
        place = plant.place(path)
        operation = GetRecord(place=place) if place.single else ListRecords(place=place)
        return Scenario(name=f"{operation.kind}: {what}", operation=operation, expected=failed(error))

    yield refused("of what is absent", "Vendor/nope", RecordNotFound)
    yield refused("by a composite key that is absent", "BuildingPart/Building=0001,Id=9", RecordNotFound)
    yield refused("through a reference of what is absent", "Equipment/nope/Vendor", RecordNotFound)
    yield refused("through a collection of what is absent", "Department/nope/Jobs", RecordNotFound)
    yield refused("through an empty reference", "Equipment/00001/Vendor", RecordNotFound)
