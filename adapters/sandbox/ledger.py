"""The ledger: every call that arrived, what it was answered and what it did."""

from collections import Counter, deque
from collections.abc import Iterable, Mapping

import msgspec

NOTED = (
    "Accept-Language",
    "Content-Language",
    "Ultimo-Company",
    "Prefer",
    "Content-Type",
    "X-Request-Id",
    "traceparent",
)
"""The request headers that an entry keeps. The key's secret is never one of them."""


class BatchMember(msgspec.Struct, frozen=True, kw_only=True):
    """One request of a batch: what it asked for, and what it was answered and did.

    ``method`` is in upper case, ``url`` as it was sent. ``effect`` is ``None`` when nothing was written.
    """

    id: str
    method: str
    url: str
    group: str | None
    depends_on: tuple[str, ...]
    status: int
    effect: str | None


class LedgerEntry(msgspec.Struct, frozen=True):
    """One call.

    ``at`` is in Unix seconds, ``target`` the raw path with query, ``key`` the name of the API key or user,
    ``size`` and ``sha256`` are those of the body received, ``sha256`` empty when there was none.
    ``status`` is 0 when the connection was cut before an answer. ``effect`` tells what was written, such
    as ``Insert Equipment 00042`` or ``batch: 100 (97 written)``; ``fault`` names the scripted fault that
    struck. ``batch`` holds the requests of a batch that was taken, in order.
    """

    number: int
    at: float
    method: str
    target: str
    key: str | None
    headers: dict[str, str]
    size: int
    sha256: str
    status: int
    effect: str | None = None
    fault: str | None = None
    batch: tuple[BatchMember, ...] | None = None


class Ledger:
    """The last ``size`` calls, and totals over all of them."""

    def __init__(self, size: int) -> None:
        self._entries: deque[LedgerEntry] = deque(maxlen=size)
        self._statuses: Counter[int] = Counter()
        self._received = 0

    @property
    def calls(self) -> list[LedgerEntry]:
        """The calls still kept, oldest first."""
        return list(self._entries)

    @property
    def received(self) -> int:
        """How many calls were ever begun."""
        return self._received

    @property
    def statuses(self) -> dict[int, int]:
        """How many calls were answered with each status."""
        return dict(self._statuses)

    def since(self, number: int) -> Iterable[LedgerEntry]:
        """The calls whose number is above ``number``."""
        return (entry for entry in self._entries if entry.number > number)

    def begin(self) -> int:
        """The number of a call that has just arrived."""
        self._received += 1
        return self._received

    def note(self, entry: LedgerEntry) -> None:
        """Keep a call that has been answered."""
        self._entries.append(entry)
        self._statuses[entry.status] += 1

    def clear(self) -> None:
        """Forget the calls and the totals; numbers go on."""
        self._entries.clear()
        self._statuses.clear()


def noted_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """Those request headers that an entry keeps."""
    return {name: headers[name] for name in NOTED if name in headers}
