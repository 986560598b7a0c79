"""More equipment than anyone would type: deterministic records by number."""

from collections.abc import Container, Iterator
from decimal import Decimal

from adapters.sandbox.model import Key, Record

_WORDS = ("Pomp", "Heftruck", "Compressor", "Transportband", "Ventilator", "Ketel", "Lift", "Koelmachine")
_MODELS = ("Aurora", "Boreas", "Castor", "Draco")
_STATES = (2, 2, 2, 2, 2, 1, 4, 64)


def generated_equipment(number: int, taken: Container[Key]) -> Iterator[tuple[str, Key, Record]]:
    """``number`` Equipment records under the lowest five-digit and longer keys that are not ``taken``.

    The same number makes the same records.
    """
    made = 0
    serial = 0
    while made < number:
        serial += 1
        key = (f"{serial:05d}",)
        if key not in taken:
            made += 1
            yield "Equipment", key, _record(key[0], serial)


def _record(identity: str, serial: int) -> Record:
    word = _WORDS[serial % len(_WORDS)]
    day = f"{1 + serial % 28:02d}"
    month = f"{1 + serial % 12:02d}"
    changed = f"{2019 + serial % 5}-{month}-{day}T{serial % 24:02d}:{serial % 60:02d}:00Z"
    return {
        "Id": identity,
        "Code": f"{word[:2].upper()}-{serial}",
        "Context": 1,
        "Description": f"{word} {serial}",
        "InstallDate": f"{2005 + serial % 15}-{month}-{day}",
        "ManufactureYear": 2000 + serial % 20,
        "NextPmMaintenanceDate": f"{2023 + serial % 3}-{month}-{day}",
        "Status": _STATES[serial % len(_STATES)],
        "SerialNumber": f"{serial * 7919 % 1_000_000:06d}-{serial % 97:02d}",
        "Model": _MODELS[serial % len(_MODELS)],
        "PurchasePrice": Decimal(serial * 37 % 1_000_000) / 100,
        "TrackAndTrace": serial % 10 == 0,
        "CostCenter": "05" if serial % 2 else "01",
        "Department": "01" if serial % 3 else "05",
        "EquipmentType": "0025" if serial % 8 == 1 else "0001",
        "Site": "23" if serial % 4 else "01",
        "Vendor": "2513" if serial % 5 else "0001",
        "RecordCreateDate": "2019-01-01T06:00:00Z",
        "RecordChangeDate": changed,
        "SystemCompany": "01",
    }
