"""How a look-alike is set up: every switch, its default, and the configuration file."""

import ssl
import time
from collections.abc import Callable
from datetime import tzinfo
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo

import msgspec

from adapters.sandbox.connectors.definitions import (
    ConnectorUser,
    ExportConnector,
    ImportConnector,
    default_exports,
    default_imports,
    default_users,
)
from adapters.sandbox.keys import ApiKey, default_keys

MEGABYTE = 1024 * 1024


class SandboxOptions(msgspec.Struct, frozen=True, kw_only=True):
    """The switches of a look-alike.

    ``port`` 0 takes a free one. ``records`` is the number of Equipment records in total. ``file`` is an
    SQLite file that keeps the records. ``clock`` answers Unix seconds; nothing else tells the time.

    ``limits``: 10 s windows that are ``fixed`` or ``sliding``, or ``off``, which lifts the counts but not
    the sizes. The day starts at ``day_start`` (``HH:MM``) in the zone ``zone``; ``None`` makes it the last
    24 hours at any time. ``retry_after`` is the number of seconds that a 429 names, ``None`` for no header.
    ``zone`` is the environment's time zone too: date-times without an offset are meant in it.

    ``public_base`` replaces scheme and host in ``nextPageLink``, such as ``https://customer.ultimo.net``.
    ``companies`` maps each company to its currency; the first one takes the records of unlimited keys.

    ``users``, ``exports`` and ``imports`` are what Connector.ashx and SOAP know. ``connectors_count`` lets
    their calls count in the limits, which is not documented. ``connector_encoding`` is that of the bytes of
    Connector.ashx, which declares UTF-16 either way; with ``soap_cdata`` the text in a SOAP answer is CDATA.
    """

    host: str = "127.0.0.1"
    port: int = 0
    ssl_context: ssl.SSLContext | None = None
    records: int = 0
    file: str | None = None
    clock: Callable[[], float] = time.time
    keys: tuple[ApiKey, ...] = msgspec.field(default_factory=default_keys)
    companies: dict[str, str] = msgspec.field(default_factory=lambda: {"01": "EUR", "02": "GBP"})
    page_size: int = 1000
    public_base: str | None = None
    limits: Literal["fixed", "sliding", "off"] = "fixed"
    rate: int = 100
    rate_seconds: int = 10
    daily: int = 10_000
    day_start: str | None = "00:00"
    zone: str = "UTC"
    retry_after: int | None = None
    single_bytes: int = MEGABYTE
    batch_requests: int = 100
    action_bytes: int = 20 * MEGABYTE
    upload_bytes: int = 500 * MEGABYTE
    ledger_size: int = 10_000
    users: tuple[ConnectorUser, ...] = msgspec.field(default_factory=default_users)
    exports: tuple[ExportConnector, ...] = msgspec.field(default_factory=default_exports)
    imports: tuple[ImportConnector, ...] = msgspec.field(default_factory=default_imports)
    connectors_count: bool = False
    connector_bytes: int = 20 * MEGABYTE
    connector_encoding: Literal["utf-8", "utf-16"] = "utf-8"
    soap_cdata: bool = False

    def time_zone(self) -> tzinfo:
        """The zone named ``zone``. Raises ``ValueError`` when there is none of that name."""
        try:
            return ZoneInfo(self.zone)
        except (OSError, ValueError, KeyError) as error:
            raise ValueError(f"unknown time zone '{self.zone}'") from error


class ConfigFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a configuration file (JSON) may set; what it leaves out stays as it is."""

    keys: tuple[ApiKey, ...] | msgspec.UnsetType = msgspec.UNSET
    companies: dict[str, str] | msgspec.UnsetType = msgspec.UNSET
    public_base: str | msgspec.UnsetType | None = msgspec.UNSET
    rate: int | msgspec.UnsetType = msgspec.UNSET
    rate_seconds: int | msgspec.UnsetType = msgspec.UNSET
    daily: int | msgspec.UnsetType = msgspec.UNSET
    single_bytes: int | msgspec.UnsetType = msgspec.UNSET
    batch_requests: int | msgspec.UnsetType = msgspec.UNSET
    action_bytes: int | msgspec.UnsetType = msgspec.UNSET
    upload_bytes: int | msgspec.UnsetType = msgspec.UNSET
    ledger_size: int | msgspec.UnsetType = msgspec.UNSET
    users: tuple[ConnectorUser, ...] | msgspec.UnsetType = msgspec.UNSET
    exports: tuple[ExportConnector, ...] | msgspec.UnsetType = msgspec.UNSET
    imports: tuple[ImportConnector, ...] | msgspec.UnsetType = msgspec.UNSET
    connectors_count: bool | msgspec.UnsetType = msgspec.UNSET
    connector_bytes: int | msgspec.UnsetType = msgspec.UNSET
    connector_encoding: Literal["utf-8", "utf-16"] | msgspec.UnsetType = msgspec.UNSET
    soap_cdata: bool | msgspec.UnsetType = msgspec.UNSET


def with_config(options: SandboxOptions, path: str) -> SandboxOptions:
    """``options`` changed by the configuration file at ``path``.

    Raises ``OSError`` when it cannot be read and ``msgspec.ValidationError`` when it is not as it should be.
    """
    config = msgspec.json.decode(Path(path).read_bytes(), type=ConfigFile)
    given = {
        name: value
        for name in ConfigFile.__struct_fields__
        if (value := getattr(config, name)) is not msgspec.UNSET
    }
    return msgspec.structs.replace(options, **given)
