"""What a run has shown: figures and the bounds that they must keep, for tests to hold and for the proof to print."""

from __future__ import annotations

import operator
from collections.abc import Callable

import msgspec

from tests.faults.checkers import (
    GRACE,
    STARVED,
    allowed_repeats,
    busiest,
    doubled,
    inserted,
    lateness,
    repeated,
    strayed,
    told_lateness,
)
from tests.faults.fleet import CREDENTIALS, Fleet, Plan


class Finding(msgspec.Struct, frozen=True):
    """One figure beside its bound, such as ``30 at most 30``; one without a bound is only told."""

    what: str
    figure: float
    relation: str
    bound: float | None
    holds: bool

    def __str__(self) -> str:
        bound = "" if self.bound is None else f"{self.relation} {self.bound:g}"
        return f"{self.what:<58} {self.figure:>10.4g}  {bound:<18} {'' if self.holds else 'BROKEN'}".rstrip()


class Findings(list[Finding]):
    """Figures in the order in which they were found."""

    def at_most(self, what: str, figure: float, bound: float) -> None:
        self._add(what, figure, "at most", bound, operator.le)

    def at_least(self, what: str, figure: float, bound: float) -> None:
        self._add(what, figure, "at least", bound, operator.ge)

    def exactly(self, what: str, figure: float, bound: float) -> None:
        self._add(what, figure, "exactly", bound, operator.eq)

    def told(self, what: str, figure: float) -> None:
        self.append(Finding(what, figure, "", None, holds=True))

    def _add(
        self, what: str, figure: float, relation: str, bound: float, holds: Callable[[float, float], bool]
    ) -> None:
        self.append(Finding(what, figure, relation, bound, holds(figure, bound)))

    @property
    def broken(self) -> list[Finding]:
        return [finding for finding in self if not finding.holds]

    def __str__(self) -> str:
        return "\n".join(map(str, self))

    def held(self) -> None:
        """Raises AssertionError with everything that was found when a bound is broken."""
        assert not self.broken, f"\n{self}"


async def invariants(fleet: Fleet, plan: Plan, *, refused: int = 0, held_still: bool = False) -> Findings:
    """What holds whatever happened. ``refused`` is how many 429s of the upstream are fair; a gateway that was
    ``held_still`` could not keep its deadlines.

    Requests that the upstream refused with 429 do not count there; the gateways charge them all the same.
    """
    found = Findings()
    arrivals = await fleet.upstream.arrivals()
    counted = [arrival.at for arrival in arrivals if arrival.status != 429]
    found.at_most(f"requests in any {plan.seconds} s", busiest(counted, plan.seconds), plan.limit)
    found.at_most("requests in the day", len(counted), plan.daily)
    throttled = sum(arrival.status == 429 and not arrival.others for arrival in arrivals)
    found.at_most("429s of the upstream", throttled, refused)
    found.exactly("effects that took place twice", len(doubled(arrivals)), 0)
    found.at_most("inserts of one record", max(inserted(arrivals).values(), default=0), 1)
    found.exactly("requests with another tenant's credential", len(strayed(arrivals, CREDENTIALS)), 0)
    late = told_lateness(fleet.lines("call"), fleet.answers)
    beyond = sum(seconds > GRACE for seconds in late)
    if not held_still:
        found.at_most(
            f"calls {GRACE} s past their deadline, by the gateway's clock", beyond, len(late) // 100
        )
        found.at_most("seconds past a deadline, by the gateway's clock", max(late, default=0.0), STARVED)
    found.told("seconds past a deadline, by the caller's clock", lateness(fleet.answers))
    own = [arrival for arrival in arrivals if not arrival.others]
    calls = len({arrival.request_id for arrival in own})
    found.at_most("repeated requests", repeated(own), allowed_repeats(calls, plan.gateways))
    return found
