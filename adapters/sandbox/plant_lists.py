"""The lists of the seed: names, keys and texts that need no code."""

from decimal import Decimal

from adapters.sandbox.model import Record

LOOKUPS: dict[str, dict[str, str]] = {
    "Priority": {"01": "High | Hoog | Hoch", "02": "Normal | Normaal | Normal", "03": "Low | Laag | Niedrig"},
    "ProgressStatus": {
        "01": "Planned | Gepland | Geplant",
        "02": "In progress | In uitvoering | In Arbeit",
        "03": "Done | Gereed | Fertig",
    },
    "WorkOrderType": {
        "CM": "Corrective | Correctief | Korrektiv",
        "PM": "Preventive | Preventief | Präventiv",
    },
    "FailType": {"01": "Wear | Slijtage | Verschleiß", "02": "Breakage | Breuk | Bruch"},
    "SkillCategory": {"EL": "Electrical | Elektrisch | Elektrisch", "ME": "Mechanical | Mechanisch"},
    "ArticleGroup": {"01": "Filters | Filters | Filter", "02": "Drives | Aandrijving | Antriebe"},
    "Country": {"NL": "Netherlands | Nederland | Niederlande", "DE": "Germany | Duitsland | Deutschland"},
    "Language": {"NL": "Dutch | Nederlands | Niederländisch", "EN": "English | Engels | Englisch"},
    "Unit": {"PC": "Piece | Stuk | Stück", "HR": "Hour | Uur | Stunde", "KG": "Kilogram"},
}

CRAFTSMEN: dict[str, str] = {"JD": "J. Doe", "AV": "A. Vos"}

EMPLOYEES: dict[str, tuple[str, str]] = {
    "000001": ("John", "Doe"),
    "000002": ("Zoë", "O'Brien"),
    "000003": ("Łukasz", "Żak"),
}

VENDORS: dict[str, tuple[str, str, str]] = {
    "0001": ("Pumps & More", "Zwolle", "NL"),
    "2513": ("Lift Works GmbH", "Köln", "DE"),
}

BUILDINGS: dict[str, str] = {
    "01/02": "Annex with a slash",
    "50%": "Half built",
    "a=b": "Equal halls",
    "a*b": "Starred hall",
    "a&b": "Twin halls",
    "a:b": "Ratio hall",
    "a\\b": "Back hall",
    "a?b": "Doubtful hall",
    "<b>": "Bracketed hall",
    "O'Brien": "O'Brien hall",
    "a b": "Spaced hall",
    " 7": "Leading space",
    "$1+2,3;4": "Cash office",
    '@"{x}" [!]^~`': "Odd characters",
    "#1": "Number one",
    "ünï-π": "Unicode hall",
    "007": "Seven with zeros",
    "7": "Seven without",
}

EQUIPMENT: dict[str, Record] = {
    "00001": {
        "Description": "Heftruck 1 type 35 ",
        "InstallDate": "2016-06-20",
        "ManufactureYear": 2013,
        "NextPmMaintenanceDate": "2022-12-25",
        "SerialNumber": "2344-323AA",
        "CostCenter": "05",
        "Department": "05",
        "EquipmentType": "0025",
        "ExternalId": "00001",
        "TrackAndTrace": True,
    },
    "00002": {
        "Description": "Pump <b>A</b>&nbsp;1<br />spare",
        "Code": "P-A1",
        "Department": "01",
        "CostCenter": "01",
        "EquipmentType": "0001",
        "Site": "01",
        "Space": "0001",
        "Vendor": "2513",
        "Building": "0001",
        "BuildingPart": {"Building": "0001", "Id": "001"},
        "BuildingFloor": {"Building": "0001", "BuildingPart": "001", "Id": "CODE01"},
        "ProcessFunction": "0001",
        "PurchasePrice": Decimal("1234.50"),
        "ExternalId": "4711",
    },
    "00003": {
        "Description": "Motor of pump A1",
        "PartOfEquipment": "00002",
        "EquipmentType": "0001",
        "Vendor": "2513",
        "ExternalId": "4711",
        "DataProvider": "erp",
        "ServiceContract": "SC01",
    },
    "00004": {"Description": "", "Code": "", "Status": 1, "Site": "01"},
    "00005": {"Status": 1, "Site": "01"},
    "00006": {"Description": "Ünïcode – Ω compressor 空", "Site": "23", "PurchasePrice": Decimal("0.01")},
    "00007": {"Description": "50% valve_1 O'Brien", "Status": 4, "Site": "01", "WarrantDate": "2024-02-29"},
    "00008": {"Description": "Old lathe", "Status": 64, "ManufactureYear": 1987, "Site": "01"},
    "00009": {"Description": "Missing drill", "Status": 8, "Site": "23", "ReplacementCost": Decimal("99.95")},
    "00010": {"Description": "Crane overseas", "Department": "02", "SystemCompany": "02"},
    "00011": {"Description": "Truck overseas", "Department": "02", "SystemCompany": "02", "Context": 16384},
    "00012": {"Description": "Infusion pump", "Context": 512, "Site": "01"},
}


def translations(text: str) -> dict[str, str]:
    """A multilingual value from ``English | Dutch | German``; what is left out has no translation."""
    return dict(zip(("EN", "NL", "DE"), (part.strip() for part in text.split("|")), strict=False))
