"""What policies and stores did that someone may ask about later: one log line and one count each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from structlog.typing import FilteringBoundLogger

from contracts.call import Call
from contracts.errors import GatewayError
from gateway.telemetry.metrics import Metrics
from gateway.telemetry.tracing import trace_id

KeyState = Literal["begun", "replayed", "in_flight", "mismatch", "unknown"]


class Events:
    """Everything that happens to calls on their way, and to what carries them."""

    def __init__(self, log: FilteringBoundLogger, metrics: Metrics) -> None:
        self._log = log
        self._all = metrics
        self._metrics = metrics.policies

    def retrying(
        self, call: Call, *, environment: str, adapter: str, attempt: int, pause: float, error: GatewayError
    ) -> None:
        """The attempt of this number failed, and another follows after ``pause`` seconds."""
        self._metrics.event("retry", environment, adapter)
        self._log.info(
            "retry",
            **_whose(call),
            environment=environment,
            adapter=adapter,
            attempt=attempt,
            pause_ms=round(pause * 1000),
            code=error.code,
            outcome=error.outcome.value,
            detail=error.detail,
        )

    def not_retried(self, call: Call, *, environment: str, adapter: str, reason: str) -> None:
        """A failure that could be repeated is not: ``reason`` says what there is too little of."""
        self._metrics.event("retry_denied", environment, adapter)
        self._log.info("not retried", **_whose(call), environment=environment, adapter=adapter, reason=reason)

    def throttled(self, call: Call, *, environment: str, adapter: str, retry_after: float | None) -> None:
        """The upstream refused for its own quota; the environment closes."""
        self._metrics.event("throttled", environment, adapter)
        self._log.warning(
            "throttled", **_whose(call), environment=environment, adapter=adapter, retry_after=retry_after
        )

    def shadowed(self, call: Call, *, environment: str, limit: str) -> None:
        """A window that is not enforced would have refused the call."""
        self._metrics.event("shadowed", environment)
        self._log.info("shadow limit", **_whose(call), environment=environment, limit=limit)

    def lapsed(self, call: Call, *, environment: str, adapter: str) -> None:
        """A slot ran out before its request had left, which then did not leave."""
        self._metrics.event("lapsed", environment, adapter)
        self._log.warning("slot lapsed", **_whose(call), environment=environment, adapter=adapter)

    def circuit_opened(self, environment: str, adapter: str, seconds: float, reason: str) -> None:
        """An interface is left alone for a while."""
        self._metrics.event("circuit_opened", environment, adapter)
        self._log.warning(
            "circuit opened",
            environment=environment,
            adapter=adapter,
            seconds=round(seconds, 3),
            reason=reason,
        )

    def circuit_closed(self, environment: str, adapter: str) -> None:
        """An interface works again."""
        self._log.info("circuit closed", environment=environment, adapter=adapter)

    def store_error(self, step: str, error: Exception) -> None:
        """One step of the store failed."""
        self._metrics.event("store_error")
        self._log.warning("store error", step=step, error=str(error))

    def store_lost(self, error: Exception) -> None:
        """From here on only the local share goes out."""
        self._metrics.store_lost.set(1)
        self._log.error("store lost", error=str(error))

    def store_found(self, seconds: float) -> None:
        """The store is back; what was used meanwhile stands in it now."""
        self._metrics.store_lost.set(0)
        self._log.warning("store found", seconds=round(seconds, 3))

    def config_taken(self, config: str) -> None:
        """What was changed in the configuration's files runs from here on, under this hash."""
        self._log.info("configuration taken over", config=config)

    def config_refused(self, problems: Sequence[str], *, runs: str) -> None:
        """What was changed in the configuration's files cannot be taken over; the one of the hash ``runs`` goes on."""
        self._all.refused()
        self._log.error("configuration refused", problems=problems, runs=runs)

    def key(self, state: KeyState) -> None:
        """What became known of an idempotency key."""
        self._metrics.key(state)


def _whose(call: Call) -> dict[str, object]:
    whose: dict[str, object] = {"request_id": call.request_id, "tenant": call.tenant, "client": call.client}
    if call.traceparent is not None:
        whose["trace_id"] = trace_id(call.traceparent)
    return whose
