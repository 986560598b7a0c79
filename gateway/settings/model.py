"""The configuration as frozen Structs: what can be set, with which default and within which bounds."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Meta

from contracts.wire import Slot
from gateway.settings.entities import EntitySettings, Identifier
from gateway.settings.secret import Secret
from gateway.settings.traffic import (
    BreakerSettings,
    BulkheadSettings,
    CacheSettings,
    IdempotencySettings,
    QuotaSettings,
    RetryBudgetSettings,
    RetrySettings,
    StoreSettings,
    TenantQuotaSettings,
)
from gateway.settings.values import (
    Algorithm,
    Bytes,
    Count,
    HeaderText,
    KeyHash,
    LanguageTag,
    Name,
    Part,
    Pause,
    Port,
    ProxyUrl,
    Scope,
    Seconds,
    SiteUrl,
    TenantReference,
    Text,
    Url,
    Weight,
)

ALL_TENANTS = "*"


class LogSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``format`` auto is text on a terminal and JSON elsewhere. ``show_keys`` logs record keys in full."""

    format: Literal["auto", "json", "text"] = "auto"
    level: Literal["debug", "info", "warning", "error"] = "info"
    show_keys: bool = False


class LimitSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a caller may send, in bytes.

    ``body`` of a record, ``batch`` of many (a batch, an import, readings), ``action`` as JSON, ``upload`` as
    multipart. ``calls`` is how many calls may be under way at once; the next one is refused as overloaded.
    """

    body: Bytes = 1_048_576
    batch: Bytes = 20_971_520
    action: Bytes = 20_971_520
    upload: Bytes = 524_288_000
    calls: Count = 1_000


class JwtSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How bearer tokens (RFC 7519) are verified: with the keys of a JWKS file, or with a shared ``secret``.

    ``subject_claim`` is the claim that is compared with the ``subject`` of the clients. ``leeway`` is in
    seconds.
    """

    issuer: Text
    audience: Text
    algorithms: tuple[Algorithm, ...] = ("RS256",)
    keys_file: Path | None = None
    secret: Secret | None = None
    subject_claim: Text = "sub"
    leeway: Annotated[float, Meta(ge=0, le=600, description="a number of seconds from 0 to 600")] = 30.0


class TracingSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where spans go, by OTLP over HTTP: ``endpoint`` is the whole address, up to ``/v1/traces``.

    ``ratio`` of the calls is traced, and every call whose caller traces it (W3C Trace Context, the flag ``sampled``).
    """

    endpoint: Url
    ratio: Part = 0.1


class ServerSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The service itself. Times are in seconds.

    ``operations_port`` gives /livez, /readyz and /metrics a port of their own. ``cursor_secret`` signs
    cursors and is the same for all replicas; without it each start makes its own. ``default_timeout`` is
    the deadline of a call that names none, ``max_timeout`` the longest that one may name, and what a
    form with files gets that names none. When the service is told to end, it goes on for ``drain_delay``, so that those
    who send it calls hear of it (/readyz says no), and calls under way then have ``shutdown_timeout`` to end.
    ``reload`` is how often this file, and the files that it names, are looked at for changes; 0 is never.
    """

    host: Text = "127.0.0.1"
    port: Port = 8080
    operations_port: Port | None = None
    cursor_secret: Secret | None = None
    default_timeout: Seconds = 30.0
    max_timeout: Seconds = 300.0
    drain_delay: Pause = 0.0
    shutdown_timeout: Count = 25
    reload: Pause = 5.0
    log: LogSettings = LogSettings()
    limits: LimitSettings = LimitSettings()
    jwt: JwtSettings | None = None
    tracing: TracingSettings | None = None


class TimeoutSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Seconds for each phase of an upstream request.

    ``read`` and ``write`` are between two pieces of data, ``pool`` is the wait for a free connection.
    """

    connect: Seconds = 5.0
    read: Seconds = 30.0
    write: Seconds = 30.0
    pool: Seconds = 5.0


class EnvironmentSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One upstream installation, with the quota that all its tenants share.

    ``rest`` is the base address of the REST interface, ``site`` that of Connector.ashx and of SOAP, up to
    ``/WebServices``; ``addresses`` are those of further adapters, by the interface that they name.
    ``allow_http`` lets them be ones without TLS, over which the tenants' credentials can be read on the way.
    ``zone`` is the time zone for times without an offset. ``max_connections`` is per tenant and address.
    ``max_response`` is in bytes, after inflation. ``entities`` are those of its own data model, and what it
    has added to the standard ones. ``quota``, ``bulkhead``, ``breaker`` and ``retry_budget`` hold for all of
    its tenants together.
    """

    zone: ZoneInfo
    rest: Url | None = None
    site: SiteUrl | None = None
    addresses: dict[Name, Url] = {}
    allow_http: bool = False
    proxy: ProxyUrl | None = None
    ca_file: Path | None = None
    timeouts: TimeoutSettings = TimeoutSettings()
    max_connections: Count = 100
    max_response: Bytes = 67_108_864
    entities: dict[Identifier, EntitySettings] = {}
    quota: QuotaSettings = QuotaSettings()
    bulkhead: BulkheadSettings = BulkheadSettings()
    breaker: BreakerSettings = BreakerSettings()
    retry_budget: RetryBudgetSettings = RetryBudgetSettings()

    def address(self, interface: str) -> str | None:
        """The base address of an interface, without a slash at the end; None where there is none."""
        own = {"rest": self.rest, "site": self.site}
        address = own[interface] if interface in own else self.addresses.get(interface)
        return None if address is None else address.rstrip("/")


class CredentialSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the upstream knows the tenant by, as far as its adapters need it.

    ``api_key`` is that of the REST interface, ``username`` and ``password`` those of Connector.ashx and SOAP.
    """

    api_key: Secret | None = None
    username: Text | None = None
    password: Secret | None = None

    def slots(self) -> dict[Slot, str]:
        """What there is, revealed; for the one place that sends it."""
        given: dict[Slot, str | None] = {
            Slot.API_KEY: self.api_key.reveal() if self.api_key else None,
            Slot.USERNAME: self.username,
            Slot.PASSWORD: self.password.reveal() if self.password else None,
        }
        return {slot: value for slot, value in given.items() if value is not None}


class CertificateSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A client certificate and its private key, PEM files."""

    cert_file: Path
    key_file: Path


WithOptions = dict[Name, dict[str, object] | None]
"""Adapters' names, and their options, which only the adapters know."""


class TenantSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A party with credentials in one environment.

    ``company`` goes out as Ultimo-Company. ``multilingual`` says that the API key is set so: values are
    objects of language codes. ``strip_html`` has markup taken out of texts. ``adapters`` are in the order
    of preference: names, names with their options, or a list of both, for tools that do not keep a mapping's order;
    ``routes`` gives another order, or fewer of them, for an
    entity. ``scan_limit`` is the most records that the gateway looks through to find, order or count
    what an adapter cannot. ``language`` is used where a caller names none. ``entities`` are added to those of
    the environment, for this tenant alone. ``quota`` is its share of the environment's, and ``bulkhead`` what of it may
    be under way at once; ``retry`` is what is done about its failures, ``cache`` which answers may be how old.
    """

    environment: Name
    credentials: CredentialSettings = CredentialSettings()
    client_certificate: CertificateSettings | None = None
    company: HeaderText | None = None
    multilingual: bool = False
    strip_html: bool = False
    adapters: tuple[Name | WithOptions, ...] | WithOptions = ("rest",)
    routes: dict[Identifier, tuple[Name, ...]] = {}
    scan_limit: Count = 250_000
    language: LanguageTag | None = None
    entities: dict[Identifier, EntitySettings] = {}
    quota: TenantQuotaSettings = TenantQuotaSettings()
    bulkhead: BulkheadSettings = BulkheadSettings()
    retry: RetrySettings = RetrySettings()
    cache: CacheSettings = CacheSettings()

    def adapter_options(self) -> dict[str, dict[str, object]]:
        """Adapter name → its options, not decoded yet, in the order of preference."""
        return {name: {} if options is None else options for _, name, options in self._adapters()}

    def adapter_path(self, name: str) -> str:
        """Where an adapter stands in the tenant's part of the file, such as ``adapters[1].connector``."""
        return next(place for place, known, _ in self._adapters() if known == name)

    def adapter_names(self) -> list[str]:
        """As they stand in the file; one that is there twice is here twice."""
        return [name for _, name, _ in self._adapters()]

    def _adapters(self) -> Iterator[tuple[str, str, dict[str, object] | None]]:
        """Place, name and options."""
        if isinstance(self.adapters, dict):
            yield from ((f"adapters.{name}", name, options) for name, options in self.adapters.items())
            return
        for index, item in enumerate(self.adapters):
            if isinstance(item, str):
                yield f"adapters[{index}]", item, None
            else:
                yield from ((f"adapters[{index}].{name}", name, options) for name, options in item.items())


class ClientSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A caller, known by the hash of a key or by the ``subject`` of its tokens.

    ``tenants`` are those that it may use; ``["*"]`` is all of them. ``weight`` is its part among the clients that wait
    for the same quota: one of weight 2 is served twice as often as one of 1.
    """

    scopes: frozenset[Scope]
    tenants: tuple[TenantReference, ...]
    keys: tuple[KeyHash, ...] = ()
    subject: Text | None = None
    weight: Weight = 1.0

    def sees(self, tenant: str) -> bool:
        """Whether this caller may use a tenant of that name, if there is one."""
        return tenant in self.tenants or ALL_TENANTS in self.tenants


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The whole configuration file; the three mappings are by name."""

    environments: dict[Name, EnvironmentSettings]
    tenants: dict[Name, TenantSettings]
    clients: dict[Name, ClientSettings]
    server: ServerSettings = ServerSettings()
    store: StoreSettings = StoreSettings()
    idempotency: IdempotencySettings = IdempotencySettings()

    def secrets(self) -> tuple[Secret, ...]:
        """Every secret of the configuration, for what keeps them out of logs."""
        found = [self.server.cursor_secret, self.server.jwt.secret if self.server.jwt else None]
        found.append(self.store.valkey.password if self.store.valkey else None)
        for tenant in self.tenants.values():
            found += [tenant.credentials.api_key, tenant.credentials.password]
        return tuple(secret for secret in found if secret is not None)

    def fingerprint(self) -> str:
        """Sixteen digits that change with what is configured; secrets do not enter into them."""
        encoded = msgspec.json.encode(self, enc_hook=_printable, order="deterministic")
        return hashlib.sha256(encoded).hexdigest()[:16]


def _printable(value: object) -> str:
    return str(value)
