"""The standard entities of the upstream: data, and the few lines that make it compact.

A blank separates names; ``Parts:Equipment`` is a navigation whose name is not that of its entity.
Every entity also has the common properties, which the schema adds (:mod:`contracts.schema`), lookups,
lines and measured values too: any ``Description`` may be multilingual, since which ones are is
the environment's to say. The entities marked ``open`` are known only as the far end of a navigation. An
environment that has more says so in its configuration.

Automatic keys are claimed where the vendor's pages show them and nowhere else: equipment, jobs,
invoices and reservations, the lines of invoices and purchases, and measured values, which its
workflows add without a key.

Source: the vendor's API key templates and the example answers of its developer pages.
"""

from __future__ import annotations

from contracts.schema import Entity, Property, PropertyType, Schema


def standard_schema() -> Schema:
    """The schema of an environment as the vendor delivers it."""
    return Schema.of(STANDARD_ENTITIES)


def _entity(
    name: str,
    *,
    key: str = "Id",
    automatic_key: bool = False,
    id_length: int | None = None,
    open: bool = False,
    **names: str,
) -> Entity:
    """``names`` are the properties' names by the value of their type."""
    properties = [
        _property(word, PropertyType(kind)) for kind, words in names.items() for word in words.split()
    ]
    if id_length is not None:
        properties.append(Property("Id", length=id_length))
    return Entity.of(name, *properties, key=tuple(key.split()), automatic_key=automatic_key, open=open)


def _property(word: str, kind: PropertyType) -> Property:
    """``Currency`` is set when a record is made and never changed (vendor page "Inserting data")."""
    name, _, target = word.partition(":")
    if kind in (PropertyType.REFERENCE, PropertyType.COLLECTION):
        return Property(name, kind, target or name, insert_only=name == "Currency")
    return Property(name, kind)


STANDARD_ENTITIES = (
    _entity(
        "Equipment",
        automatic_key=True,
        string="Code Model SerialNumber TypeNumber Location TrackAndTraceLocation",
        integer="ManufactureYear",
        date="InstallDate WarrantDate NextPmMaintenanceDate",
        decimal="PurchasePrice ReplacementCost",
        boolean="TrackAndTrace",
        reference="Building BuildingPart BuildingFloor CostCenter Department EquipmentType "
        "PartOfEquipment:Equipment ProcessFunction ServiceContract Site Space Vendor",
        collection="Parts:Equipment SpareParts:EquipmentSparePart "
        "EquipmentMeasurementPoints:EquipmentMeasurementPoint PmJobs:PmJob",
    ),
    _entity(
        "Job",
        automatic_key=True,
        string="ReportText FeedbackText Text",
        datetime="StatusCreatedReportDate ScheduledStartDate TargetDate StatusFinishedDate",
        decimal="Duration Hours TotalCost PercentageComplete",
        boolean="Canceled",
        reference="Equipment ProcessFunction Department CostCenter Employee Craftsman Site Space Vendor "
        "Priority ProgressStatus WorkOrderType FailType SkillCategory ParentJob:Job",
        collection="SubJobs:Job Equipments:Equipment ProgressStatusHistories:ProgressStatusHistory",
    ),
    _entity(
        "Department",
        string="Location City",
        reference="Site CostCenter PartOfDepartment:Department",
        collection="Jobs:Job ChildDepartments:Department",
    ),
    _entity("CostCenter"),
    _entity("Site", collection="Departments:Department"),
    _entity(
        "Employee",
        string="FirstName Surname EmailAddress Phone",
        reference="Department CostCenter Craftsman",
    ),
    _entity(
        "Vendor",
        string="Name City EmailAddress",
        reference="Country",
        collection="Equipments:Equipment ObjectContacts:ObjectContact",
    ),
    _entity("EquipmentType", collection="Equipments:Equipment"),
    _entity(
        "ProcessFunction",
        reference="PartOfProcessFunction:ProcessFunction Site",
        collection="Equipments:Equipment Jobs:Job "
        "ProcessFunctionMeasurementPoints:ProcessFunctionMeasurementPoint",
    ),
    _entity("Building", collection="BuildingParts:BuildingPart"),
    _entity("BuildingPart", key="Building Id", collection="BuildingFloors:BuildingFloor"),
    _entity("BuildingFloor", key="Building BuildingPart Id"),
    _entity(
        "Space",
        string="RoomNumber",
        reference="BuildingFloor Site Department",
        collection="Equipments:Equipment",
    ),
    _entity(
        "Article",
        decimal="PurchasePrice MinimumStock Stock",
        integer="LeadTime",
        reference="ArticleGroup Vendor",
        collection="Vendors:ArticleVendor ArticleWarehouses:ArticleWarehouse",
    ),
    _entity("ArticleVendor", key="Article Vendor", decimal="PurchasePrice"),
    _entity("ArticleWarehouse", key="Article Id", open=True),
    _entity("EquipmentSparePart", key="Equipment Article", decimal="Quantity"),
    _entity("Invoice", automatic_key=True, reference="Vendor Site Currency", collection="Lines:InvoiceLine"),
    _entity("InvoiceLine", key="Invoice LineId", automatic_key=True),
    _entity("Purchase", reference="Vendor Site Currency", collection="Lines:PurchaseLine"),
    _entity("PurchaseLine", key="Purchase LineId", automatic_key=True),
    _entity(
        "EquipmentMeasurementPoint", key="Equipment Id", collection="Values:EquipmentMeasurementPointValue"
    ),
    _entity(
        "EquipmentMeasurementPointValue",
        key="Equipment EquipmentMeasurementPoint LineId",
        automatic_key=True,
        decimal="Value Difference",
        datetime="Date",
        string="Text",
    ),
    _entity(
        "ProcessFunctionMeasurementPoint",
        key="ProcessFunction Id",
        collection="Values:ProcessFunctionMeasurementPointValue",
    ),
    _entity(
        "ProcessFunctionMeasurementPointValue",
        key="ProcessFunction ProcessFunctionMeasurementPoint LineId",
        automatic_key=True,
        decimal="Value Difference",
        datetime="Date",
        string="Text",
    ),
    _entity(
        "ServiceContract",
        date="StartDate EndDate",
        reference="Vendor",
        collection="Lines:ServiceContractLine",
    ),
    _entity("ServiceContractLine", key="ServiceContract LineId", open=True),
    _entity("Reservation", reference="Employee"),
    _entity(
        "ReservationLine",
        automatic_key=True,
        id_length=11,
        datetime="StartTime EndTime",
        reference="Space Reservation",
    ),
    *(_entity(name) for name in ("Priority", "ProgressStatus", "WorkOrderType", "FailType", "SkillCategory")),
    *(_entity(name) for name in ("Craftsman", "ArticleGroup", "Country", "Language", "Currency", "Unit")),
    _entity("PmJob", reference="Equipment", open=True),
    _entity("ProgressStatusHistory", reference="Job", open=True),
    _entity("ObjectContact", reference="Vendor", open=True),
)
