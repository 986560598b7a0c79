"""What a call would send, for a dry run."""

from __future__ import annotations

import msgspec

from contracts.wire import WireRequest


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What a call would send: the first request, and the others as far as they can be told before its answer.

    ``at_most`` is how many requests it can become, None where the answers alone tell. ``completed`` names
    what the gateway does itself.
    """

    adapter: str
    requests: tuple[WireRequest, ...]
    at_most: int | None
    completed: tuple[str, ...] = ()

    def followed_by(self, other: Plan) -> Plan:
        """This plan, after which the other may come."""
        at_most = None if self.at_most is None or other.at_most is None else self.at_most + other.at_most
        return msgspec.structs.replace(self, requests=self.requests + other.requests, at_most=at_most)
