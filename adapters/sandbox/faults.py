"""Scripted faults: which calls they strike, and what then happens to them."""

import re
from random import Random
from typing import Literal

import msgspec

FaultAction = Literal[
    "delay",
    "answer",
    "too_many",
    "reset",
    "truncate",
    "slow",
    "wrong_length",
    "redirect",
    "gzip_bomb",
    "foreign_link",
    "looping_link",
]


class Fault(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One fault.

    It strikes calls whose method is ``method`` (any when ``None``) and whose raw path with query contains
    a match of the regular expression ``path``, ignoring case; it lets the first ``skip`` of them pass and
    then strikes ``count`` times, for ever when ``None``, each of them with the probability ``chance``, by dice
    that ``seed`` makes fall the same again. It strikes before the key and the limits are looked at. With
    ``after`` the call is processed first, so that a write takes effect.

    ``delay``         waits ``seconds``, or a random time up to ``longest``, then goes on as usual, whether
                      the caller is still there or not
    ``answer``        answers ``status``, ``headers`` and ``body`` in ``encoding``, of type ``media``
    ``too_many``      answers 429; ``retry_after`` seconds, as a date with ``as_date``, or no header
    ``reset``         resets the connection
    ``truncate``      cuts the real answer after half of its bytes
    ``slow``          spreads the bytes of the real answer over ``seconds``
    ``wrong_length``  announces ``extra`` bytes more (or, negative, fewer) than are sent
    ``redirect``      answers ``status`` (302 when none is given) to ``to``
    ``gzip_bomb``     answers a small gzip body that inflates to ``size`` bytes
    ``foreign_link``  the real list, but its ``nextPageLink`` leads to ``to``
    ``looping_link``  the real list, but its ``nextPageLink`` leads to the call itself
    """

    action: FaultAction
    name: str = ""
    method: str | None = None
    path: str = ""
    skip: int = 0
    count: int | None = 1
    chance: float = 1.0
    seed: int = 0
    after: bool = False
    seconds: float = 0.0
    longest: float | None = None
    status: int | None = None
    headers: dict[str, str] = {}
    body: str = ""
    encoding: str = "utf-8"
    media: str = "application/json; charset=utf-8"
    retry_after: int | None = None
    as_date: bool = False
    extra: int = 100
    to: str = "https://elsewhere.invalid/api/v1/object/Equipment?skip=1000"
    size: int = 64 * 1024 * 1024

    def __post_init__(self) -> None:
        try:
            re.compile(self.path)
            self.body.encode(self.encoding)
        except (re.error, LookupError, UnicodeEncodeError) as error:
            raise ValueError(f"the fault cannot be used: {error}") from error

    @property
    def title(self) -> str:
        """How the ledger calls it."""
        return self.name or self.action

    @property
    def processes(self) -> bool:
        """Whether the call is processed although the fault strikes."""
        return self.after or self.action in (
            "delay",
            "truncate",
            "slow",
            "wrong_length",
            "foreign_link",
            "looping_link",
        )


class _Armed:
    """A fault with what it has seen so far."""

    def __init__(self, fault: Fault) -> None:
        self.fault = fault
        self.seen = 0
        self.struck = 0
        self._dice = Random(fault.seed)
        self._path = re.compile(fault.path, re.IGNORECASE)

    def strikes(self, method: str, target: str) -> bool:
        fault = self.fault
        if fault.method is not None and fault.method.upper() != method:
            return False
        if not self._path.search(target):
            return False
        if fault.count is not None and self.struck >= fault.count:
            return False
        self.seen += 1
        if self.seen <= fault.skip or self._dice.random() >= fault.chance:
            return False
        self.struck += 1
        return True

    def thrown(self) -> Fault:
        """The fault with the length of this delay."""
        fault = self.fault
        if fault.longest is None:
            return fault
        seconds = self._dice.uniform(fault.seconds, fault.longest)
        return msgspec.structs.replace(fault, seconds=seconds)


class Faults:
    """The script: faults in the order in which they were added; the first that matches strikes."""

    def __init__(self) -> None:
        self._armed: list[_Armed] = []

    def add(self, fault: Fault) -> None:
        self._armed.append(_Armed(fault))

    def clear(self) -> None:
        self._armed.clear()

    def strike(self, method: str, target: str) -> Fault | None:
        """The fault that strikes this call, or ``None``."""
        return next((armed.thrown() for armed in self._armed if armed.strikes(method, target)), None)

    def overview(self) -> list[dict[str, object]]:
        """Every fault with the number of calls that it matched and struck."""
        return [
            {"fault": msgspec.to_builtins(armed.fault), "seen": armed.seen, "struck": armed.struck}
            for armed in self._armed
        ]
