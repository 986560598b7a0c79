"""How a call travels: policies around a handler, composed once per tenant when the gateway starts.

    the HTTP boundary   credential, tenant and scope; one log line and the metrics of every call
      deadline          the whole call, whatever it waits for
        dispatch        routing → adapter → wire → upstream

Who may call, and what became of the call, is the boundary's: it also sees the calls that end before
they reach a pipeline. What decides whether, when and how often a call goes upstream is a policy here.
"""

from __future__ import annotations

from collections.abc import Awaitable, Sequence

from contracts.call import Call
from contracts.results import Result
from gateway.clock import Clock
from gateway.policies import Handler, Policy
from gateway.policies.deadline import Deadline


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
    return (Deadline(clock),)
