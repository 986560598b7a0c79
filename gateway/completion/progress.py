"""What has become of the members of a batch so far, and what is still to be sent of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

import msgspec

from contracts.adapter import Adapter, Batching
from contracts.batches import units
from contracts.errors import FailedDependency, GatewayError, Outcome, OutcomeUnknown
from contracts.operations import Member
from contracts.paths import ObjectPath
from contracts.results import Deleted, MemberDone, Stored


class Route(msgspec.Struct, frozen=True):
    """The adapter that a member goes to, and whether that one takes several at once."""

    name: str
    adapter: Adapter
    batching: bool

    def takes(self, members: Sequence[Member]) -> int:
        """How many of them it takes in one request. Raises PayloadTooLarge."""
        return self.adapter.pack(members) if isinstance(self.adapter, Batching) else 1


class Progress:
    """What has become of a batch's members so far.

    ``succeeded`` has the path of the record that was stored, where there is one.
    """

    def __init__(self, members: Sequence[Member], routes: Mapping[str, Route]) -> None:
        self.routes = dict(routes)
        self.succeeded: dict[str, ObjectPath | None] = {}
        self.failed: set[str] = set()
        self._ids = [member.id for member in members]
        self._units = list(units(members))
        self._first = 0
        self._results: dict[str, Stored | Deleted | GatewayError] = {}
        self._shown = 0

    @property
    def untouched(self) -> bool:
        """Whether nothing has been settled yet."""
        return not self.succeeded and not self.failed

    def ahead(self) -> Iterator[tuple[Member, ...]]:
        """What is not settled, in order."""
        while self._first < len(self._units) and self._settled(self._units[self._first]):
            self._first += 1
        for at in range(self._first, len(self._units)):
            if not self._settled(self._units[at]):
                yield self._units[at]

    def settle(self, members: Iterable[Member], done: Iterable[MemberDone]) -> None:
        """Note the results of members that were sent."""
        results = {item.id: item.result for item in done}
        for member in members:
            self._note(member, results.get(member.id) or OutcomeUnknown("nothing was told of this write"))

    def refuse(self, unit: tuple[Member, ...], culprit: Member, error: GatewayError) -> None:
        """Note that a unit cannot be sent, on account of one of its members."""
        along = f"the operation {culprit.id} failed, and with it all of the group {culprit.group}"
        for member in unit:
            self._note(member, error if member.id == culprit.id else dependent(along))

    def abandon(self, error: GatewayError) -> None:
        """Note that nothing more is sent."""
        for unit in list(self.ahead()):
            for member in unit:
                self._note(member, error)

    def assume(self, members: Iterable[Member]) -> None:
        """Take it that these members, which are not sent, succeed."""
        self.succeeded.update((member.id, None) for member in members)

    def fresh(self) -> list[MemberDone]:
        """The results that are next in order and have not been given."""
        fresh = []
        while self._shown < len(self._ids):
            id = self._ids[self._shown]
            if (result := self._results.pop(id, None)) is None:
                break
            fresh.append(MemberDone(id, result))
            self._shown += 1
        return fresh

    def _settled(self, unit: tuple[Member, ...]) -> bool:
        return unit[0].id in self.succeeded or unit[0].id in self.failed

    def _note(self, member: Member, result: Stored | Deleted | GatewayError) -> None:
        self._results[member.id] = result
        if isinstance(result, GatewayError):
            self.failed.add(member.id)
        else:
            self.succeeded[member.id] = result.path if isinstance(result, Stored) else None


def dependent(detail: str) -> FailedDependency:
    """The end of a member that is not sent, on account of another one."""
    return FailedDependency(detail, outcome=Outcome.NOT_SENT)
