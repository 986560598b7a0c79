"""What every exchange leaves behind: one log line, and counts.

The line has names, numbers and codes; never a body, and of a record's key no more than its ends, unless
the configuration says ``log.show_keys``.
"""

from __future__ import annotations

from structlog.typing import FilteringBoundLogger

from contracts.call import UpstreamSend
from contracts.paths import print_path
from gateway.http.exchange import Exchange
from gateway.telemetry.masking import mask_path
from gateway.telemetry.metrics import NONE, Metrics


class CallReporter:
    """The :class:`~gateway.http.boundary.Reporter` over the gateway's log and metrics."""

    def __init__(self, log: FilteringBoundLogger, metrics: Metrics, *, show_keys: bool = False) -> None:
        self._log = log
        self._metrics = metrics
        self._path = print_path if show_keys else mask_path

    def started(self) -> None:
        self._metrics.in_flight.inc()

    def finished(self, exchange: Exchange, status: int, seconds: float) -> None:
        self._metrics.in_flight.dec()
        if exchange.quiet and exchange.failure is None:
            return
        failure, journal = exchange.failure, exchange.journal
        code = None if failure is None else failure.code
        self._metrics.call(
            tenant=exchange.tenant_name or NONE,
            operation=exchange.operation,
            adapter=journal.adapter,
            status=status,
            code=code,
            seconds=seconds,
        )
        write = self._log.warning if status >= 500 else self._log.info
        write(
            "call",
            request_id=exchange.request_id,
            trace_id=None if exchange.traceparent is None else exchange.traceparent.split("-")[1],
            tenant=exchange.tenant_name,
            client=exchange.client_name,
            method=exchange.method,
            operation=exchange.operation,
            entity=exchange.entity,
            path=None if exchange.path is None else self._path(exchange.path),
            action=exchange.action,
            adapter=journal.adapter,
            sends=[_send(sent) for sent in journal.sends],
            units=journal.units,
            attempts=journal.attempts,
            records=journal.records,
            status=status,
            code=code,
            outcome=None if failure is None else failure.outcome.value,
            detail=failure.detail if failure is not None and status >= 500 else None,
            ms=_ms(seconds),
            queue_ms=_ms(journal.queue_seconds),
        )

    def failed(self, exchange: Exchange, failure: BaseException) -> None:
        """The trace of something unforeseen; the call's own line follows."""
        self._log.error("internal error", request_id=exchange.request_id, exc_info=failure)


def _send(sent: UpstreamSend) -> dict[str, object]:
    return {"method": sent.method, "status": sent.status, "ms": _ms(sent.seconds), "outcome": sent.outcome}


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 3)
