"""The records of the seed that the scenarios read: what is not said of one is null."""

from __future__ import annotations

from contracts.conformance.plant import Plant
from contracts.conformance.scenario import Seen

_FLOOR = {"Building": "0001", "BuildingPart": "001", "Id": "CODE01"}


class Seeds:
    """Whole normalized records, each made anew."""

    def __init__(self, plant: Plant) -> None:
        self._seeded = plant.seeded

    def vendors(self) -> list[Seen]:
        rows = (("0001", "Pumps & More", "Zwolle", "NL"), ("2513", "Lift Works GmbH", "Köln", "DE"))
        return [
            self._seeded("Vendor", key, {
                "Description": name, "Name": name, "City": city, "Country": country,
                "EmailAddress": f"sales@vendor{key}.invalid",
            })
            for key, name, city, country in rows
        ]  # fmt: skip

    def articles(self) -> list[Seen]:
        rows = (("0191", "Oil filter", 12.95), ("0192", "V-belt", 25.9), ("0200", "Bearing 6204", 38.85))
        return [
            self._seeded("Article", key, {
                "Description": text, "PurchasePrice": price, "MinimumStock": 2.0, "Stock": 4.5, "LeadTime": 7,
                "ArticleGroup": "01", "Vendor": "2513", "ExternalId": key, "DataProvider": "Rest",
            })
            for key, text, price in rows
        ]  # fmt: skip

    def spare_parts(self) -> list[Seen]:
        rows: tuple[tuple[str, str, Seen], ...] = (
            ("00001", "0191", {"Quantity": 2.0, "ExternalId": "0191", "DataProvider": "Rest"}),
            ("00001", "0192", {"Quantity": 0.5}),
            ("00002", "0200", {"Quantity": 1.0}),
        )
        return [
            self._seeded("EquipmentSparePart", {"Equipment": equipment, "Article": article}, values)
            for equipment, article, values in rows
        ]

    def value(self) -> Seen:
        point = {"ProcessFunction": "N.PRO.02", "ProcessFunctionMeasurementPoint": "DEFAULT"}
        values = {"Value": 120.0, "Difference": 0.0, "Date": "2022-03-01T12:00:00Z"}
        key = {**point, "LineId": "00000000000001"}
        return self._seeded("ProcessFunctionMeasurementPointValue", key, values)

    def employees(self) -> list[Seen]:
        rows = (("000001", "John", "Doe"), ("000002", "Zoë", "O'Brien"), ("000003", "Łukasz", "Żak"))
        return [
            self._seeded("Employee", key, {
                "Description": f"{first} {last}", "FirstName": first, "Surname": last, "Phone": "",
                "EmailAddress": f"{first.lower()}@plant.invalid", "Department": "01",
                "ExternalId": key, "DataProvider": "Rest",
            })
            for key, first, last in rows
        ]  # fmt: skip

    def contract(self) -> Seen:
        dates = {"StartDate": "2021-01-01", "EndDate": "2025-12-31"}
        return self._seeded(
            "ServiceContract", "SC01", {"Description": "Lifting gear", "Vendor": "2513", **dates}
        )

    def priorities(self) -> list[Seen]:
        rows = (("01", "High"), ("02", "Normal"), ("03", "Low"))
        return [self._seeded("Priority", key, {"Description": text}) for key, text in rows]

    def floor(self) -> Seen:
        return self._seeded("BuildingFloor", _FLOOR, {"Description": "Ground floor"})

    def annex(self) -> Seen:
        return self._seeded("Building", "01/02", {"Description": "Annex with a slash"})

    def spaces(self) -> list[Seen]:
        return [
            self._seeded("Space", f"{number:04d}", {
                "Description": f"Room {number}", "RoomNumber": f"0.{number:02d}", "BuildingFloor": _FLOOR,
                "Site": "01", "Department": "01",
            })
            for number in range(1, 7)
        ]  # fmt: skip

    def pump(self) -> Seen:
        return self._seeded("Equipment", "00002", {
            "Description": "Pump <b>A</b>&nbsp;1<br />spare", "Status": 2, "Code": "P-A1", "TrackAndTrace": False,
            "PurchasePrice": 1234.5, "Building": "0001", "BuildingPart": {"Building": "0001", "Id": "001"},
            "BuildingFloor": _FLOOR, "CostCenter": "01", "Department": "01", "EquipmentType": "0001",
            "ProcessFunction": "0001", "Site": "01", "Space": "0001", "Vendor": "2513",
            "ExternalId": "4711", "DataProvider": "Rest",
        })  # fmt: skip

    def motor(self) -> Seen:
        return self._seeded("Equipment", "00003", {
            "Description": "Motor of pump A1", "Status": 2, "TrackAndTrace": False, "EquipmentType": "0001",
            "PartOfEquipment": "00002", "ServiceContract": "SC01", "Vendor": "2513",
            "ExternalId": "4711", "DataProvider": "erp",
        })  # fmt: skip

    def nameless(self) -> Seen:
        return self._seeded(
            "Equipment", "00004", {"Description": "", "Code": "", "TrackAndTrace": False, "Site": "01"}
        )

    def job(self) -> Seen:
        return self._seeded("Job", "0000002", {
            "Description": "Job 2: check équipement №2", "Status": 1, "ReportText": "Noise",
            "StatusCreatedReportDate": "2022-03-01T08:00:00Z", "TargetDate": "2022-03-03T15:30:00Z",
            "Hours": 0.5, "TotalCost": 50.0, "Canceled": False, "Equipment": "00003", "Department": "01",
            "Employee": "000001", "Priority": "03", "ProgressStatus": "03", "WorkOrderType": "CM",
        })  # fmt: skip

    def logistics(self) -> Seen:
        values = {"Description": "Logistics", "Site": "23", "CostCenter": "05", "PartOfDepartment": "01"}
        return self._seeded("Department", "05", values)
