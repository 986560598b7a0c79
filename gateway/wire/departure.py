"""The moment at which a request leaves: it is counted then, and not before."""

from __future__ import annotations

from collections.abc import Mapping

from contracts.call import Call
from contracts.retry_after import retry_after
from gateway.wire.gate import Passage
from gateway.wire.transport import SENDING


class Departure:
    """Whether a request has left; it is counted at that moment."""

    def __init__(self, call: Call, *, counts: bool) -> None:
        self.happened = False
        self.passage: Passage | None = None
        self._journal = call.journal
        self._units = int(counts)
        self._writing = int(not call.operation.safe)

    @property
    def units(self) -> int:
        """What it took from the quota."""
        return self._units if self.happened else 0

    def note(self) -> None:
        if not self.happened:
            self.happened = True
            self._journal.requests += 1
            self._journal.units += self._units
            self._journal.writing += self._writing

    async def trace(self, event: str, _: Mapping[str, object]) -> None:
        """The ``trace`` extension of httpx2. Raises :class:`Lapsed`; nothing leaves then."""
        if event == SENDING:
            if self.passage is not None:
                self.passage.check()
            self.note()

    def over(self, status: int | None, headers: Mapping[str, str]) -> None:
        """The request is over, whatever became of it; once is enough."""
        if self.happened:
            self._journal.writing -= self._writing
        if self.passage is not None:
            self.passage.leave(departed=self.happened, status=status, retry_after=retry_after(headers))
