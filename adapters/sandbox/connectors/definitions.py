"""Connectors and their users, as a customer's consultant would set them up, and those of the look-alike."""

from typing import Literal

import msgspec

from adapters.sandbox.entities import build_model

ImportAction = Literal["Insert", "Update", "InsertOrUpdate", "InsertOrSkip", "Delete"]


class ConnectorUser(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A user who may run every connector; ledgers show the ``name``."""

    name: str
    password: str


class ExportConnector(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One export connector: all records of ``entity``, with all properties but ``SystemCompany``.

    ``filters`` are the columns that a request may narrow by, ``None`` for those of the key. ``separator``
    is that of CSV. With ``wrapper`` the array of JSON is the member of that name of an object.
    """

    name: str
    entity: str
    format: Literal["xml", "csv", "json"] = "xml"
    filters: tuple[str, ...] | None = None
    separator: Literal[";", ",", "\t"] = ";"
    wrapper: str | None = None
    active: bool = True


class ImportConnector(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One import connector for objects of ``entity``, in which objects of any entity may nest.

    ``action`` is done whatever the objects say, where it is set. Without ``entity`` the connector takes
    measurements. ``flat`` answers nested objects behind their parent, as an example of the vendor's page
    "Inserting data" (HTTP POST) shows, and not inside it.
    """

    name: str
    entity: str | None = None
    action: ImportAction | None = None
    flat: bool = False
    active: bool = True


def default_users() -> tuple[ConnectorUser, ...]:
    """The invented user of the look-alike."""
    return (ConnectorUser(name="sandbox-user", password="sandbox-password"),)  # noqa: S106


def default_exports() -> tuple[ExportConnector, ...]:
    """Three connectors for each entity, one for each format, and a few that differ."""
    names = [entity.name for entity in build_model() if not entity.link]
    made = [ExportConnector(name=f"EXP_{name.upper()}", entity=name) for name in names]
    made += [ExportConnector(name=f"EXP_{name.upper()}_CSV", entity=name, format="csv") for name in names]
    made += [ExportConnector(name=f"EXP_{name.upper()}_JSON", entity=name, format="json") for name in names]
    made.append(ExportConnector(name="EXP_EQ", entity="Equipment", filters=("Id", "Code")))
    made.append(ExportConnector(name="EXP_INACTIVE", entity="Equipment", active=False))
    return tuple(made)


def default_imports() -> tuple[ImportConnector, ...]:
    """One connector for each entity, those for measurements, and an inactive one."""
    names = [entity.name for entity in build_model() if not entity.link]
    made = [ImportConnector(name=f"IMP_{name.upper()}", entity=name) for name in names]
    made += [ImportConnector(name=name) for name in ("IOT-MEASUREMENT", "IOT-PROCESS-MEASUREMENT")]
    made.append(ImportConnector(name="IMP_INACTIVE", entity="Equipment", active=False))
    return tuple(made)
