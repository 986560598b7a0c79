"""How a call travels: policies around handlers, composed once per tenant when the gateway starts.

    the HTTP boundary   credential, tenant, scope; one log line, the metrics and the ledger, of every call
      idempotency key     a write that is repeated with its key runs once
        deadline            of each call of the pipeline, whatever it waits for
          cache               a read that may be some seconds old need not go upstream; equal ones go once
            dispatch            routing; and completion, which makes further calls of what one interface cannot do
              retry               each request of an adapter is repeated as its outcome allows, within a budget
                breaker             an interface that keeps failing is left alone for a while
                  adapter             encodes, sends, decodes
                    gate                every request that leaves waits for its turn: bulkheads and quota
                      wire                the way out

Who may call, and what became of the call, is the boundary's: it also sees the calls that end before
they reach a pipeline. What decides whether, when and how often a call goes upstream is a policy here; but for the
gate, since what a call costs is known only where it leaves. Where calls are traced a span stands between every two
of these (policies/spans.py, and the spans.py of http/ and wire/); elsewhere there is nothing between them.
"""

from __future__ import annotations

from collections.abc import Awaitable, Sequence

from contracts.call import Call
from contracts.results import Result
from gateway.clock import Clock
from gateway.policies import Handler, Policy
from gateway.policies.breaker import Breaker
from gateway.policies.cache import Cache
from gateway.policies.deadline import Deadline
from gateway.policies.retry import Retry


def around_call(clock: Clock, cache: Cache) -> tuple[Policy, ...]:
    """What every call of a tenant passes through, outermost first."""
    return (Deadline(clock), cache)


def around_adapter(retry: Retry, breaker: Breaker) -> tuple[Policy, ...]:
    """What everything that one adapter is asked to do passes through, outermost first."""
    return (retry, breaker)


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
