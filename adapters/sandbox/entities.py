"""The entities themselves, as rows: names, types, references and collections, in the order of answers.

Every entity has ``Id``, ``Context``, ``Description``, ``Status``, ``ExternalId``, ``DataProvider`` and the two
record dates, lookups and lines too. The descriptions of lookups and types are multilingual: a choice. Keys
are handed out where the vendor's pages show it: of equipment, jobs, invoices and reservations, of the lines
of invoices and purchases, and of measured values, which workflows add without a key.

Scalars are ``Name type`` separated by commas: s text, i integer, n decimal, b boolean, d date,
dt date-time; ``s50`` limits the length, a trailing ``!`` makes read-only. References are names, or
``Name:Entity``. Collections are ``Name:Entity.property``, or ``Name:Entity via LinkEntity``.
"""

from adapters.sandbox.model import Entity, Kind, Model, Navigation, Property


def build_model() -> Model:
    """The data model of the look-alike."""
    return Model([*_assets(), *_places(), *_work(), *_stock(), *_measurements(), *_lookups()])


def _assets() -> list[Entity]:
    return [
        _entity(
            "Equipment",
            automatic=5,
            first="Code s",
            scalars="InstallDate d, ManufactureYear i, NextPmMaintenanceDate d",
            then="SerialNumber s, Model s, TypeNumber s, Location s, WarrantDate d, PurchasePrice n,"
            "ReplacementCost n, TrackAndTrace b, TrackAndTraceLocation s",
            references="CostCenter Department EquipmentType PartOfEquipment:Equipment ProcessFunction"
            " Building BuildingPart BuildingFloor ServiceContract Site Space Vendor",
            collections="Parts:Equipment.PartOfEquipment, SpareParts:EquipmentSparePart.Equipment,"
            "EquipmentMeasurementPoints:EquipmentMeasurementPoint.Equipment, PmJobs:PmJob.Equipment",
        ),
        _entity("EquipmentType", multilingual=True, collections="Equipments:Equipment.EquipmentType"),
        _entity(
            "ProcessFunction",
            references="PartOfProcessFunction:ProcessFunction Site",
            collections="Equipments:Equipment.ProcessFunction, Jobs:Job.ProcessFunction,"
            "ProcessFunctionMeasurementPoints:ProcessFunctionMeasurementPoint.ProcessFunction",
        ),
        _entity(
            "ServiceContract",
            scalars="StartDate d, EndDate d",
            references="Vendor",
            collections="Lines:ServiceContractLine.ServiceContract",
        ),
        _entity("ServiceContractLine", key="ServiceContract LineId"),
        _entity("PmJob", references="Equipment"),
        _entity("_MyEntity", automatic=2, scalars="Remark s, Amount n", multilingual=True),
    ]


def _places() -> list[Entity]:
    return [
        _entity("Site", collections="Departments:Department.Site"),
        _entity("Building", collections="BuildingParts:BuildingPart.Building"),
        _entity("BuildingPart", key="Building Id", collections="BuildingFloors:BuildingFloor.BuildingPart"),
        _entity("BuildingFloor", key="Building BuildingPart Id"),
        _entity(
            "Space",
            scalars="RoomNumber s",
            references="BuildingFloor Site Department",
            collections="Equipments:Equipment.Space",
        ),
        _entity(
            "Department",
            scalars="Location s, City s",
            references="Site CostCenter PartOfDepartment:Department",
            collections="Jobs:Job.Department, ChildDepartments:Department.PartOfDepartment",
        ),
        _entity("CostCenter"),
        _entity(
            "Employee",
            scalars="FirstName s, Surname s, EmailAddress s, Phone s",
            references="Department CostCenter Craftsman",
        ),
        _entity(
            "Vendor",
            scalars="Name s, City s, EmailAddress s",
            references="Country",
            collections="Equipments:Equipment.Vendor, ObjectContacts:ObjectContact.Vendor",
        ),
        _entity("ObjectContact", references="Vendor"),
    ]


def _work() -> list[Entity]:
    return [
        _entity(
            "Job",
            automatic=7,
            scalars="ReportText s, FeedbackText s, Text s, StatusCreatedReportDate dt, ScheduledStartDate dt,"
            "TargetDate dt, StatusFinishedDate dt, Duration n, Hours n, TotalCost n, PercentageComplete n,"
            "Canceled b",
            references="Equipment ProcessFunction Department CostCenter Employee Craftsman Site Space Vendor"
            " Priority ProgressStatus WorkOrderType FailType SkillCategory ParentJob:Job",
            collections="SubJobs:Job.ParentJob, Equipments:Equipment via JobEquipment,"
            "ProgressStatusHistories:ProgressStatusHistory.Job",
        ),
        _entity("JobEquipment", key="Job Equipment", link=True),
        _entity("ProgressStatusHistory", references="Job"),
        _entity("Reservation", references="Employee"),
        _entity(
            "ReservationLine",
            automatic=11,
            scalars="StartTime dt, EndTime dt",
            references="Space Reservation",
        ),
    ]


def _stock() -> list[Entity]:
    return [
        _entity(
            "Article",
            scalars="PurchasePrice n, MinimumStock n, Stock n, LeadTime i",
            references="ArticleGroup Vendor",
            collections="Vendors:ArticleVendor.Article, ArticleWarehouses:ArticleWarehouse.Article",
        ),
        _entity("ArticleVendor", key="Article Vendor", scalars="PurchasePrice n"),
        _entity("ArticleWarehouse", key="Article Id"),
        _entity("EquipmentSparePart", key="Equipment Article", scalars="Quantity n"),
        _entity(
            "Invoice",
            automatic=3,
            references="Vendor Site Currency",
            collections="Lines:InvoiceLine.Invoice",
        ),
        _entity("InvoiceLine", key="Invoice LineId", automatic=4),
        _entity("Purchase", references="Vendor Site Currency", collections="Lines:PurchaseLine.Purchase"),
        _entity("PurchaseLine", key="Purchase LineId", automatic=4),
    ]


def _measurements() -> list[Entity]:
    made: list[Entity] = []
    for owner in ("Equipment", "ProcessFunction"):
        point = f"{owner}MeasurementPoint"
        made.append(_entity(point, key=f"{owner} Id", collections=f"Values:{point}Value.{point}"))
        made.append(
            _entity(
                f"{point}Value",
                key=f"{owner} {point} LineId",
                automatic=14,
                scalars="Value n, Difference n, Date dt, Text s",
            )
        )
    return made


def _lookups() -> list[Entity]:
    multilingual = (
        "Priority ProgressStatus WorkOrderType FailType SkillCategory ArticleGroup Country Language Unit"
    )
    return [
        *(_entity(name, company=False, multilingual=True) for name in multilingual.split()),
        *(_entity(name, company=False) for name in ("Craftsman", "Currency")),
    ]


def _entity(
    name: str,
    *,
    key: str = "Id",
    automatic: int | None = None,
    first: str = "",
    scalars: str = "",
    then: str = "",
    references: str = "",
    collections: str = "",
    company: bool = True,
    link: bool = False,
    multilingual: bool = False,
) -> Entity:
    key_names = tuple(key.split())
    properties = [
        *_scalars(first),
        _property("Context", "i", mandatory=True, insert_only=True),
        _property("Description", "s200", multilingual=multilingual),
        *_scalars(scalars),
        _property("Status", "i", mandatory=True),
        *_scalars(then),
        *_references(references),
        *_scalars("ExternalId s50, DataProvider s50, RecordCreateDate dt!, RecordChangeDate dt!"),
        *([_property("SystemCompany", "s10!")] if company else []),
    ]
    return Entity(
        name=name,
        key=key_names,
        properties={item.name: item for item in properties},
        navigations={item.name: item for item in _navigations(collections)},
        key_targets={part: part for part in key_names if part not in ("Id", "LineId")},
        automatic=automatic,
        company=company,
        link=link,
    )


def _scalars(text: str) -> list[Property]:
    pairs = (item.split() for item in text.split(",") if item.strip())
    return [_property(name, notation) for name, notation in pairs]


def _property(
    name: str,
    notation: str,
    *,
    mandatory: bool = False,
    insert_only: bool = False,
    multilingual: bool = False,
) -> Property:
    bare = notation.rstrip("!")
    letters = bare.rstrip("0123456789")
    return Property(
        name=name,
        kind=Kind(letters),
        length=int(bare[len(letters) :]) if bare != letters else None,
        mandatory=mandatory,
        read_only=notation != bare,
        insert_only=insert_only,
        multilingual=multilingual,
    )


def _references(text: str) -> list[Property]:
    made = []
    for item in text.split():
        name, _, target = item.partition(":")
        made.append(
            Property(name=name, kind=Kind.REFERENCE, target=target or name, insert_only=name == "Currency")
        )
    return made


def _navigations(text: str) -> list[Navigation]:
    made = []
    for item in text.split(","):
        name, _, rest = item.strip().partition(":")
        if " via " in rest:
            target, _, through = rest.partition(" via ")
            made.append(Navigation(name, target, target, through))
        elif rest:
            target, _, via = rest.partition(".")
            made.append(Navigation(name, target, via))
    return made
