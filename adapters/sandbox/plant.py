"""The seed: a small, believable plant with every record that the vendor's pages name."""

from collections.abc import Iterator
from decimal import Decimal

from adapters.sandbox.model import Key, Kind, Model, Record
from adapters.sandbox.plant_lists import (
    BUILDINGS,
    CRAFTSMEN,
    EMPLOYEES,
    EQUIPMENT,
    LOOKUPS,
    VENDORS,
    translations,
)

_CREATED = "2021-03-01T07:30:00Z"
_CHANGED = "2022-06-15T10:20:30.1234567Z"
_JOB_STATES = (1, 2, 1, 4, 1, 16, 1, 32, 64, 1, 4096, 8192, -1)

Row = tuple[str, Key, Record]


def seed_records(model: Model) -> Iterator[Row]:
    """Every record of the seed, each time the same."""
    plant = _Plant(model)
    yield from plant.lookups()
    yield from plant.organisation()
    yield from plant.places()
    yield from plant.equipment()
    yield from plant.stock()
    yield from plant.finance()
    yield from plant.jobs()
    yield from plant.measurements()
    yield from plant.reservations()


class _Plant:
    def __init__(self, model: Model) -> None:
        self._model = model

    def _row(self, name: str, key: str | Key, description: object = None, **values: object) -> Row:
        """A record with what every record of its entity has; ``values`` win."""
        entity = self._model[name]
        parts = (key,) if isinstance(key, str) else key
        record: Record = {"Id": entity.identity(parts)}
        for prop in entity.properties.values():
            if prop.kind is Kind.BOOLEAN:
                record[prop.name] = False
        for common, value in (("Context", 1), ("Status", 1), ("SystemCompany", "01")):
            if common in entity.properties:
                record[common] = value
        if description is not None:
            record["Description"] = description
        record.update(values)
        if "ExternalId" in record:
            record.setdefault("DataProvider", "Rest")
        record.setdefault("RecordCreateDate", _CREATED)
        record.setdefault("RecordChangeDate", _CHANGED)
        return name, parts, {name: value for name, value in record.items() if value is not None}

    def lookups(self) -> Iterator[Row]:
        for name, rows in LOOKUPS.items():
            for key, text in rows.items():
                yield self._row(name, key, translations(text))
        for key, text in {"EUR": "Euro", "GBP": "Pound sterling", "USD": "US dollar"}.items():
            yield self._row("Currency", key, text)
        for key, text in CRAFTSMEN.items():
            yield self._row("Craftsman", key, text)
        codes = ("NL", "EN", "DE", "FR", "PL", "ES", "IT", "TR")
        yield self._row("_MyEntity", "01", {code: f"{code} value" for code in codes}, Amount=Decimal("12.50"))

    def organisation(self) -> Iterator[Row]:
        yield self._row("Site", "01", "Main works")
        yield self._row("Site", "23", "Harbour terminal", ExternalId="23")
        for key, text in {"01": "Production", "05": "Warehouse", "07": "Overhead"}.items():
            yield self._row("CostCenter", key, text, ExternalId=key)
        yield self._row(
            "Department", "01", "Technical service", Site="01", CostCenter="01", City="Nunspeet",
            ExternalId="01",
        )  # fmt: skip
        yield self._row("Department", "02", "Overseas", Site="23", SystemCompany="02")
        yield self._row("Department", "05", "Logistics", Site="23", CostCenter="05", PartOfDepartment="01")
        for key, (first, last) in EMPLOYEES.items():
            yield self._row(
                "Employee", key, f"{first} {last}", FirstName=first, Surname=last, Department="01",
                EmailAddress=f"{first.lower()}@plant.invalid", Phone="", ExternalId=key,
            )  # fmt: skip
        for key, (name, city, country) in VENDORS.items():
            mail = f"sales@vendor{key}.invalid"
            yield self._row("Vendor", key, name, Name=name, City=city, Country=country, EmailAddress=mail)
        yield self._row("ObjectContact", "0001", "Account manager", Vendor="2513")

    def places(self) -> Iterator[Row]:
        yield self._row("Building", "0001", "Head office", ExternalId="B1")
        yield self._row("BuildingPart", ("0001", "001"), "North wing")
        yield self._row("BuildingPart", ("0001", "002"), "South wing")
        yield self._row("BuildingFloor", ("0001", "001", "CODE01"), "Ground floor")
        yield self._row("BuildingFloor", ("0001", "001", "1-0"), "First floor")
        yield self._row("BuildingFloor", ("0001", "002", "CODE01"), "Ground floor south")
        for key, text in BUILDINGS.items():
            yield self._row("Building", key, text)
        floor = {"Building": "0001", "BuildingPart": "001", "Id": "CODE01"}
        for number in range(1, 7):
            yield self._row(
                "Space", f"{number:04d}", f"Room {number}", RoomNumber=f"0.{number:02d}", Site="01",
                Department="01", BuildingFloor=floor,
            )  # fmt: skip

    def equipment(self) -> Iterator[Row]:
        types = {"0001": "Pump | Pomp | Pumpe", "0025": "Forklift truck | Heftruck | Gabelstapler"}
        for key, text in types.items():
            yield self._row("EquipmentType", key, translations(text))
        for key, text in {"0001": "Line 1", "0002": "Packing", "N.PRO.02": "Process water"}.items():
            parent = "0001" if key == "0002" else None
            yield self._row("ProcessFunction", key, text, Site="01", PartOfProcessFunction=parent)
        yield self._row(
            "ServiceContract", "SC01", "Lifting gear", Vendor="2513", StartDate="2021-01-01",
            EndDate="2025-12-31",
        )  # fmt: skip
        yield self._row("ServiceContractLine", ("SC01", "0001"), "Yearly inspection")
        for key, values in EQUIPMENT.items():
            yield self._row("Equipment", key, **{"Status": 2, **values})
        yield self._row("PmJob", "0001", "Yearly inspection", Equipment="00001")

    def stock(self) -> Iterator[Row]:
        articles = {"0191": "Oil filter", "0192": "V-belt", "0200": "Bearing 6204"}
        for number, (key, text) in enumerate(articles.items(), 1):
            yield self._row(
                "Article", key, text, ArticleGroup="01", Vendor="2513", LeadTime=7,
                PurchasePrice=Decimal("12.95") * number, MinimumStock=Decimal(2), Stock=Decimal("4.5"),
                ExternalId=key,
            )  # fmt: skip
            yield self._row("ArticleVendor", (key, "2513"), PurchasePrice=Decimal("11.80") * number)
            yield self._row("ArticleWarehouse", (key, "MAIN"), "Main store")
        yield self._row("EquipmentSparePart", ("00001", "0191"), Quantity=Decimal(2), ExternalId="0191")
        yield self._row("EquipmentSparePart", ("00001", "0192"), Quantity=Decimal("0.5"))
        yield self._row("EquipmentSparePart", ("00002", "0200"), Quantity=Decimal(1))

    def finance(self) -> Iterator[Row]:
        for key, external in {"001": "001", "00001": None}.items():
            yield self._row(
                "Invoice", key, "Forklift service", Context=2, Vendor="2513", Site="23", Currency="EUR",
                ExternalId=external,
            )  # fmt: skip
            for number in (1, 2):
                yield self._row(
                    "InvoiceLine", (key, f"{number:04d}"), f"Invoice line {number}", Context=2,
                    ExternalId=f"{number:02d}" if external else None,
                )  # fmt: skip
        yield self._row("Purchase", "P001", "Filters", Context=2, Vendor="2513", Site="23", Currency="EUR")
        yield self._row("PurchaseLine", ("P001", "0001"), "Oil filters", Context=2)

    def jobs(self) -> Iterator[Row]:
        for number in range(1, 31):
            key = f"{number:07d}"
            state = _JOB_STATES[number % len(_JOB_STATES)]
            overseas = number == 30
            yield self._row(
                "Job", key, f"Job {number}: check équipement №{number}", Status=state,
                Department="02" if overseas else "01" if number <= 24 else "05",
                SystemCompany="02" if overseas else "01", Equipment=f"{1 + number % 9:05d}",
                Priority=f"{1 + number % 3:02d}", ProgressStatus=f"{1 + number % 3:02d}",
                WorkOrderType="CM", Employee="000001", ProcessFunction="0001" if number % 7 == 0 else None,
                ReportText="Leaks oil.<br />Please&nbsp;hurry &amp; check." if number % 2 else "Noise",
                FeedbackText="" if number % 3 == 0 else None, Canceled=state == -1,
                StatusCreatedReportDate=f"2022-{1 + number % 12:02d}-01T08:00:00Z",
                TargetDate=f"2022-{1 + number % 12:02d}-{1 + number % 28:02d}T15:30:00Z",
                Hours=Decimal(number) / 4, TotalCost=Decimal(number * 25),
                ParentJob="0000002" if number in (3, 4) else None,
            )  # fmt: skip
        for equipment in ("00001", "00002"):
            yield self._row("JobEquipment", ("0000002", equipment))
        yield self._row("ProgressStatusHistory", "0001", "Planned", Job="0000002")

    def measurements(self) -> Iterator[Row]:
        points = {"Equipment": ("00001", "TEMP RUNHOURS DEFAULT"), "ProcessFunction": ("0001", "RUNHOURS")}
        for owner, (key, names) in points.items():
            for name in names.split():
                yield self._row(f"{owner}MeasurementPoint", (key, name), name.capitalize())
        yield self._row("ProcessFunctionMeasurementPoint", ("N.PRO.02", "DEFAULT"), "Default")
        for number in (1, 2, 3):
            yield self._row(
                "EquipmentMeasurementPointValue", ("00001", "TEMP", f"{number:014d}"),
                Value=Decimal(20 + number), Difference=Decimal(1), Date=f"2022-03-0{number}T12:00:00Z",
                Text="seed",
            )  # fmt: skip
        yield self._row(
            "ProcessFunctionMeasurementPointValue", ("N.PRO.02", "DEFAULT", "00000000000001"),
            Value=Decimal(120), Difference=Decimal(0), Date="2022-03-01T12:00:00Z",
        )  # fmt: skip

    def reservations(self) -> Iterator[Row]:
        for number in (1, 2):
            key = f"{number:011d}"
            yield self._row("Reservation", key, "Shift meeting", Employee="000001")
            yield self._row(
                "ReservationLine", key, "Shift meeting", Space=f"{number:04d}", Reservation=key,
                StartTime=f"2022-03-0{number}T09:00:00Z", EndTime=f"2022-03-0{number}T10:00:00Z",
                ExternalId=f"R{number}",
            )  # fmt: skip
