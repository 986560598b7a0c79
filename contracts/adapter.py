"""What an adapter is: a spec found through an entry point, and an object that performs calls over a wire.

Adapters are found in the entry-point group ``ultimo_gateway.adapters``; each entry names an
:class:`AdapterSpec`. An adapter holds no connection, no secret and no state between calls.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol, runtime_checkable
from zoneinfo import ZoneInfo

import msgspec

from contracts.call import Call
from contracts.operations import Member, Operation
from contracts.results import Result
from contracts.schema import Schema
from contracts.wire import Slot, Wire, WireRequest

API_VERSION = 1
"""The version of these protocols; a spec of another version is refused when the gateway starts."""


class Capabilities(msgspec.Struct, frozen=True, kw_only=True):
    """What an adapter can do for the tenant it was opened for.

    ``operations`` are kinds (``"list"``, ``"get"``, …); ``query`` are the parts of a
    :class:`~contracts.operations.Query` that the protocol itself carries out; ``missing`` gives, by
    kind, a sentence on why an operation is not among them and what would serve it, ``reserves`` what is
    to be known of one that is. ``entities`` are, by kind, the only ones that the operation is served
    for, where these are few.

    An adapter whose lists are scans (:class:`~contracts.results.Scan`) lists whole sets and nothing
    else; the gateway does the rest, and makes of them the reading of one record. ``narrows`` are, by
    entity, the properties that a scan goes by itself, where the filter's outermost conjunction asks
    for one value of them: a scan is given the whole filter, and what it gives is filtered again.

    One that ``tells_keys`` answers a write with the key alone, and a refused write without saying
    whether the record exists; the gateway then reads the record.
    """

    operations: frozenset[str]
    query: frozenset[str] = frozenset()
    missing: Mapping[str, str] = {}
    reserves: Mapping[str, str] = {}
    entities: Mapping[str, tuple[str, ...]] = {}
    scans: bool = False
    narrows: Mapping[str, tuple[str, ...]] = {}
    tells_keys: bool = False


class TenantProfile(msgspec.Struct, frozen=True, kw_only=True):
    """How a tenant's credential is set up in its environment, whatever protocol it is used with.

    ``company`` is chosen for a credential that covers several; ``multilingual`` values are objects
    of language codes; ``language`` is asked for, and written in, when the caller names none.
    """

    company: str | None = None
    multilingual: bool = False
    strip_html: bool = False
    language: str | None = None


class UnusableOptions(ValueError):
    """Options that an adapter cannot be opened with: what is wrong at each place, as ``exports.Job.filters[0]``."""

    def __init__(self, mistakes: Mapping[str, str]) -> None:
        super().__init__("; ".join(f"{place}: {reason}" for place, reason in mistakes.items()))
        self.mistakes = mistakes


class AdapterContext(msgspec.Struct, frozen=True, kw_only=True):
    """What an adapter is opened with: all pure data.

    ``base_url`` is the address that every :attr:`WireRequest.target` is appended to. ``options`` is
    an instance of the spec's own options type, from the tenant's configuration. ``zone`` is the time
    zone of the environment, for times that come without an offset.
    """

    base_url: str
    schema: Schema
    zone: ZoneInfo
    profile: TenantProfile
    options: msgspec.Struct


class Adapter(Protocol):
    """One protocol, opened for one tenant."""

    @property
    def capabilities(self) -> Capabilities: ...

    def refusal(self, operation: Operation) -> str | None:
        """Why this operation cannot be served here, in a sentence for the caller; None when it can.

        Looks at the operation alone (its kind, its keys, its query) and costs nothing.
        """
        ...

    def plan(self, call: Call) -> tuple[WireRequest, ...]:
        """The requests that :meth:`perform` would send: the first, and those that its answers may call for.

        Nothing is sent. Raises what :meth:`perform` raises before it sends.
        """
        ...

    async def perform(self, call: Call, wire: Wire) -> Result:
        """Carry the call out. Raises :class:`~contracts.errors.GatewayError` and nothing else."""
        ...


@runtime_checkable
class Batching(Adapter, Protocol):
    """An adapter that takes several writes in one request."""

    def pack(self, members: Sequence[Member]) -> int:
        """How many of these, from the first one on, one request takes; at least 1.

        Each of them alone is one that :meth:`Adapter.refusal` lets through. No group is cut in two. A member
        that depends on an earlier one ends the request before it where the protocol cannot make the one
        wait for the other. Raises PayloadTooLarge for a first member, or group, that no request can hold.
        """
        ...


class AdapterSpec(msgspec.Struct, frozen=True, kw_only=True):
    """What an entry point exports.

    ``interface`` names the upstream address (of an environment's addresses in the configuration)
    that this adapter speaks to, and ``credentials`` what a tenant must have there. ``options`` is the
    type that a tenant's settings for it are decoded to. ``open`` raises :class:`UnusableOptions`, or any other
    ValueError, for those that only the data model shows to be wrong.
    """

    name: str
    api_version: int
    interface: str
    summary: str
    options: type[msgspec.Struct]
    open: Callable[[AdapterContext], Adapter]
    credentials: tuple[Slot, ...] = ()
