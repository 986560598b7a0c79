"""How a call travels: policies around a handler, composed once per tenant when the gateway starts.

    the HTTP boundary   one log line, metrics, the problem document — for every call, served or refused
      deadline          the whole call, whatever it waits for
        authorize       scopes
          dispatch      routing → adapter → wire → upstream

Retry, circuit breaker, quota, cache, merging and idempotency are further policies; each has its
place between ``authorize`` and ``dispatch`` and none of them needs another to change.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from gateway.clock import Clock

from contracts.call import Call
from contracts.operations import Result
from gateway.policies.authorize import Authorize
from gateway.policies.deadline import Deadline

Handler = Callable[[Call], Awaitable[Result]]
"""Takes a call to its result, or raises a :class:`~contracts.errors.GatewayError`."""


class Policy(Protocol):
    """Decides whether, when and with what others a call goes on to ``proceed``."""

    async def __call__(self, call: Call, proceed: Handler) -> Result: ...


def compose(policies: Sequence[Policy], innermost: Handler) -> Handler:
    """Wrap ``innermost`` in the policies, the first one outermost."""
    handler = innermost
    for policy in reversed(policies):
        handler = _wrap(policy, handler)
    return handler


def _wrap(policy: Policy, proceed: Handler) -> Handler:
    def handler(call: Call) -> Awaitable[Result]:
        return policy(call, proceed)

    return handler


def policies(clock: Clock) -> tuple[Policy, ...]:
    """The order that every call passes through, outermost first."""
    return (
        Deadline(clock),
        Authorize(),
    )
