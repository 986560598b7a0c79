"""What decides how much leaves for an upstream, when and how often: quota, bulkheads, retries, breaker, cache, store.

The numbers of the upstream (10,000 requests a day, 100 in 10 seconds) are those of the vendor's page
"Limits and Quotas"; what that page leaves open is here to be set.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo

import msgspec

from gateway.settings.entities import Identifier
from gateway.settings.secret import Secret
from gateway.settings.values import (
    Age,
    Count,
    HostPort,
    Name,
    NewFile,
    Part,
    Pause,
    Prefix,
    Seconds,
    Share,
    Text,
    TimeOfDay,
    Whole,
)

Window = Literal["burst", "day"]
"""The two windows that there are on each level: environment, tenant, client."""


class BurstSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """At most ``limit`` requests in any ``seconds``, of which ``headroom`` are left to others.

    ``margin`` (seconds) is how much longer a slot stays taken, for clocks and networks that are not exact.
    """

    limit: Count = 100
    seconds: Seconds = 10.0
    margin: Pause = 0.25
    headroom: Whole = 0


class DaySettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """At most ``limit`` requests a day, of which ``headroom`` are left to others.

    The day begins at ``reset`` in ``zone`` (that of the environment when None); a ``rolling`` one is the last 24 hours.
    """

    limit: Count = 10_000
    reset: TimeOfDay = "00:00"
    zone: ZoneInfo | None = None
    rolling: bool = False
    headroom: Whole = 0


class CeilingSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How far each band of urgency may fill a window: what is left is for the more urgent ones."""

    interactive: Part = 1.0
    normal: Part = 1.0
    bulk: Part = 0.8


class QuotaSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the upstream allows all callers of the environment together.

    ``interfaces`` are those whose requests count (every one when None). ``shadow`` names windows that are counted and
    not enforced. ``cold_start`` says what a store does that knows nothing of the environment: ``wait`` until no
    burst from before can matter, or ``trust`` that there was none. ``local_share`` is the part of every window that one
    replica may use by itself while the store is lost; keep its sum over all replicas at 1 or below.
    """

    burst: BurstSettings = BurstSettings()
    day: DaySettings = DaySettings()
    ceilings: CeilingSettings = CeilingSettings()
    interfaces: tuple[Name, ...] | None = None
    shadow: tuple[Window, ...] = ()
    cold_start: Literal["wait", "trust"] = "wait"
    local_share: Part = 0.1


class ClientQuotaSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A client's share, in units or as a percentage of what the environment allows; no limit of its own when None."""

    burst: Share | None = None
    day: Share | None = None
    shadow: tuple[Window, ...] = ()


class TenantQuotaSettings(ClientQuotaSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A tenant's share, and those of its ``clients`` by their names."""

    clients: dict[Name, ClientQuotaSettings] = {}


class BulkheadSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How many upstream requests may be under way at once, and how many more may wait for their turn."""

    concurrent: Count = 100
    waiting: Count = 10_000


class RetryRule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is different for one operation; None is as for all others."""

    attempts: Count | None = None
    base: Seconds | None = None
    throttled_base: Seconds | None = None
    cap: Seconds | None = None


class RetrySettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How often a call is tried in all, and how long the pauses between are, in seconds.

    A pause is a random part of ``base`` (``throttled_base`` after the upstream refused for its quota), doubled with
    each attempt, at most ``cap``. ``operations`` are exceptions, by the kind of operation.
    """

    attempts: Count = 3
    base: Seconds = 0.05
    throttled_base: Seconds = 1.0
    cap: Seconds = 20.0
    operations: dict[str, RetryRule] = {}


class RetryBudgetSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Each call earns ``ratio`` of a repetition; at most ``reserve`` are kept, and as many are there at the start."""

    ratio: Part = 0.1
    reserve: Count = 10


class BreakerSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When an interface is left alone.

    After ``failures`` in a row, or when ``ratio`` of the calls in ``seconds`` failed, which were ``least`` or more. It
    is for ``pause`` seconds, doubled each time in a row, at most ``longest``. A call whose deadline came before an
    answer has failed only if the upstream had ``slow`` seconds for it.
    """

    failures: Count = 5
    ratio: Part = 0.5
    least: Count = 20
    seconds: Seconds = 30.0
    pause: Seconds = 5.0
    longest: Seconds = 300.0
    slow: Seconds = 10.0


class CacheSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How old, in seconds, the answer to a read may be where its caller does not say: by entity, 0 for the others.

    ``longest`` bounds what a caller may say (``Cache-Control: max-age``), and how long an answer is kept; 0 keeps none.
    ``records`` is how many are kept in memory, in each process.
    """

    seconds: dict[Identifier, Age] = {}
    longest: Age = 3600.0
    records: Count = 10_000

    def of(self, entity: str) -> float:
        """The seconds of an entity, in any case of its name."""
        if not self.seconds:
            return 0.0
        return next((age for name, age in self.seconds.items() if name.lower() == entity.lower()), 0.0)


class ValkeySettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A Valkey or Redis server, which must not evict keys. ``timeout`` is in seconds, for connecting and per answer."""

    address: HostPort
    username: Text | None = None
    password: Secret | None = None
    database: Whole = 0
    tls: bool = False
    ca_file: Path | None = None
    prefix: Prefix = "ultimo-gateway"
    timeout: Seconds = 1.0


class StoreSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where the quota's account, the ledger, idempotency keys and open circuits are kept.

    ``memory`` forgets them with the process, ``sqlite`` keeps them in ``file`` for one process
    (``ultimo-gateway.db`` in the working folder when None), ``valkey`` for replicas.
    """

    kind: Literal["memory", "sqlite", "valkey"] = "sqlite"
    file: NewFile | None = None
    valkey: ValkeySettings | None = None

    @property
    def path(self) -> Path:
        """Where SQLite keeps them."""
        return self.file or Path("ultimo-gateway.db")


class IdempotencySettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``keep`` is how long an answer is kept, ``lease`` how long a call that has gone silent still counts; seconds.

    A lease is renewed while its call is under way.
    """

    keep: Seconds = 86_400.0
    lease: Seconds = 10.0


def units(share: int | str, whole: int) -> int:
    """A share of ``whole`` in units, at least 1."""
    return share if isinstance(share, int) else max(1, whole * int(share.removesuffix("%")) // 100)
