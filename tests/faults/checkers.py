"""What must hold after every fault, read from the upstream's own ledger and from what callers were answered.

Each is a pure function that tells a figure or the offenders, so that a test can hold it to a bound and the proof
can print it. All moments are in seconds.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Collection, Iterable, Mapping

import msgspec

LEFT = 499
OTHERS = "-other"
GRACE = 0.1
"""How much later than its deadline a call may be answered, in seconds."""
STARVED = 1.0
"""How much later it may be where a busy machine gives a process no turn for a while; one call in a hundred."""


class Arrival(msgspec.Struct, frozen=True):
    """One request as the sandbox's ledger tells it; ``status`` 0 is one whose connection was cut."""

    number: int
    at: float
    method: str
    target: str
    key: str | None
    headers: dict[str, str]
    sha256: str
    status: int
    effect: str | None = None
    fault: str | None = None

    @property
    def request_id(self) -> str:
        return self.headers.get("X-Request-Id", "")

    @property
    def others(self) -> bool:
        """Whether it came from another program than the gateways."""
        return self.request_id.endswith(OTHERS)


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What a caller got after ``seconds``; ``status`` 0 is nothing, since the gateway had gone, or the caller ``left``.

    It had asked at ``begun`` for an answer within ``deadline``.
    """

    request_id: str
    deadline: float
    begun: float
    seconds: float
    status: int = 0
    code: str | None = None
    headers: dict[str, str] = {}
    body: bytes = b""
    left: bool = False

    @property
    def fine(self) -> bool:
        return 200 <= self.status < 300

    @property
    def retry_after(self) -> int:
        return int(self.headers["retry-after"])

    @property
    def cost(self) -> int:
        return int(self.headers.get("quota-cost", "0"))


def busiest(moments: Iterable[float], seconds: float) -> int:
    """The most moments in any stretch of ``seconds``, its end left out, to the microsecond."""
    ordered = sorted(moments)
    return max(
        (
            count - bisect_left(ordered, moment - seconds + 1e-6, hi=count)
            for count, moment in enumerate(ordered, start=1)
        ),
        default=0,
    )


def utilisation(moments: Iterable[float], limit: int, seconds: float, begin: float, end: float) -> float:
    """What part of the ``limit`` was used, on average over all windows of ``seconds`` that ended in this stretch."""
    windows = sum(max(0.0, min(end, moment + seconds) - max(begin, moment)) for moment in moments)
    return windows / (limit * (end - begin))


def doubled(arrivals: Iterable[Arrival]) -> dict[str, list[str]]:
    """Effects that took place more than once, by their bodies: each body of these tests is sent for one effect."""
    effects: dict[str, list[str]] = {}
    for arrival in arrivals:
        if arrival.effect is not None:
            effects.setdefault(arrival.sha256, []).append(arrival.effect)
    return {body: seen for body, seen in effects.items() if len(seen) > 1}


def inserted(arrivals: Iterable[Arrival]) -> Counter[str]:
    """How often each record was inserted, by its key."""
    effects = (arrival.effect for arrival in arrivals if arrival.effect is not None)
    return Counter(effect.split()[-1] for effect in effects if effect.startswith("Insert "))


def strayed(arrivals: Iterable[Arrival], credentials: Mapping[str, str]) -> list[Arrival]:
    """Requests of one tenant with another's credential; a request id begins with its tenant, up to a dash."""
    return [
        arrival
        for arrival in arrivals
        if arrival.key != credentials.get(arrival.request_id.partition("-")[0])
    ]


def lateness(answers: Iterable[Answer]) -> float:
    """How much later than its deadline a call was answered at most, by the caller's clock; below 0 when none was."""
    return max((answer.seconds - answer.deadline for answer in answers if answer.status), default=0.0)


def told_lateness(lines: Iterable[Mapping[str, object]], answers: Iterable[Answer]) -> list[float]:
    """How much later than its deadline each call ended by the gateway's own clock, from its log lines.

    It leaves out what a busy machine does to a caller, and calls whose caller has left: nobody waits for those.
    """
    deadlines = {answer.request_id: answer.deadline for answer in answers}
    return [
        float(str(line["ms"])) / 1000 - deadlines[str(line["request_id"])]
        for line in lines
        if line["event"] == "call" and line["status"] != LEFT and str(line["request_id"]) in deadlines
    ]


def repeated(arrivals: Collection[Arrival]) -> int:
    """How many requests were sent again within their call; a look-up is another request than the create before it."""
    sent = {(arrival.request_id, arrival.method, arrival.target, arrival.sha256) for arrival in arrivals}
    return len(arrivals) - len(sent)


def allowed_repeats(calls: int, gateways: int = 1) -> int:
    """How many repetitions the budget gives: a tenth of the calls, and the reserve of every gateway."""
    return calls // 10 + 10 * gateways
