"""What every exchange leaves behind: one log line, counts, and its part of the ledger.

The line has names, numbers and codes; never a body, and of a record's key no more than its ends, unless
the configuration says ``log.show_keys``.
"""

from __future__ import annotations

from structlog.typing import FilteringBoundLogger

from contracts.call import Band, UpstreamSend
from contracts.errors import CircuitOpen, GatewayError, Overloaded, QuotaExceeded, StoreUnavailable
from contracts.paths import print_path
from gateway.http.exchange import CLIENT_CLOSED, Exchange
from gateway.http.problem_kinds import KINDS
from gateway.quota.recorder import Done, Recorder
from gateway.telemetry.masking import mask_path
from gateway.telemetry.metrics import Metrics
from gateway.telemetry.series import NONE
from gateway.telemetry.tracing import span_id, trace_id

_LEFT = (
    "the caller went away, or the gateway stopped, before the call was over; nothing more was sent upstream"
)
_NO_ROOM = frozenset(error.code for error in (QuotaExceeded, Overloaded, CircuitOpen, StoreUnavailable))
_ENDS = 5
_MAX_PATH = 200


class CallReporter:
    """The :class:`~gateway.http.exchange.Reporter` over the gateway's log, metrics and ledger."""

    def __init__(
        self,
        log: FilteringBoundLogger,
        metrics: Metrics,
        *,
        recorder: Recorder | None = None,
        show_keys: bool = False,
    ) -> None:
        self._log = log
        self._metrics = metrics
        self._recorder = recorder
        self._path = print_path if show_keys else mask_path

    def started(self) -> None:
        self._metrics.in_flight.inc()

    def finished(self, exchange: Exchange, status: int, seconds: float) -> None:
        self._metrics.in_flight.dec()
        if exchange.quiet and exchange.failure is None:
            return
        code = None if exchange.failure is None else exchange.failure.code
        self._metrics.call(
            tenant=exchange.tenant_name or NONE,
            operation=exchange.operation,
            adapter=exchange.journal.adapter,
            status=status,
            code=code,
            seconds=seconds,
        )
        if exchange.journal.waits:
            band = Band.of(exchange.circumstances.urgency)
            self._metrics.policies.waited(band, exchange.journal.queue_seconds)
        self._write(exchange, status, seconds)
        self._note(exchange)

    def failed(self, exchange: Exchange, failure: BaseException) -> None:
        """The trace of something unforeseen; the call's own line follows."""
        self._log.error("internal error", request_id=exchange.request_id, exc_info=failure)

    def _note(self, exchange: Exchange) -> None:
        """Of what became a call in the end: dry runs, and what was refused as wrong before, cost nothing."""
        journal = exchange.journal
        if self._recorder is None or journal.operation is None or exchange.dry_run:
            return
        environment = exchange.tenant.settings.environment
        self._recorder.note(
            Done(
                day=exchange.services.quotas[environment].today,
                environment=environment,
                tenant=exchange.tenant.name,
                client=exchange.client.name,
                operation=journal.operation,
                adapter=_adapter(journal.adapter),
                records=journal.records,
                saved=_saved(exchange),
                refused=any(code in _NO_ROOM for code in _codes(exchange)),
                waits=journal.waits,
            )
        )

    def _write(self, exchange: Exchange, status: int, seconds: float) -> None:
        failure, journal = exchange.failure, exchange.journal
        # A stream has said 200 before it broke off; what counts is why.
        failed = status >= 500 or any(KINDS[code].status >= 500 for code in _codes(exchange))
        write = self._log.warning if failed else self._log.info
        write(
            "call",
            request_id=exchange.request_id,
            trace_id=None if exchange.traceparent is None else trace_id(exchange.traceparent),
            span_id=None if exchange.span is None else span_id(exchange.span.traceparent),
            tenant=exchange.tenant_name,
            client=exchange.client_name,
            method=exchange.method,
            operation=exchange.operation,
            entity=exchange.entity,
            path=self._where(exchange),
            action=exchange.action,
            connector=exchange.connector,
            dry_run=exchange.dry_run,
            idempotency=exchange.key_state,
            cache=None if journal.cache is None else journal.cache.how,
            adapter=journal.adapter,
            sends=_sends(journal.sends),
            send_count=len(journal.sends),
            requests=journal.requests,
            units=journal.units,
            saved=_saved(exchange),
            attempts=journal.attempts,
            waits=journal.waits,
            asked=exchange.asked,
            records=journal.records,
            failed=dict(exchange.failures) or None,
            status=status,
            code=None if failure is None else failure.code,
            outcome=None if failure is None else failure.outcome.value,
            detail=_detail(failure, status) if failed or status == CLIENT_CLOSED else None,
            request_bytes=exchange.received,
            answer_bytes=exchange.answered,
            ms=_ms(seconds),
            queue_ms=_ms(journal.queue_seconds),
        )

    def _where(self, exchange: Exchange) -> str | None:
        """The object path; of one that led nowhere no more than its first three segments."""
        if exchange.path is not None:
            return self._path(exchange.path)
        if exchange.failure is None:
            return None
        raw: bytes = exchange.scope["raw_path"][:_MAX_PATH]
        known = raw.decode("ascii", "backslashreplace").split("/", 4)
        return "/".join((*known[:4], "…") if len(known) > 4 else known)


def _codes(exchange: Exchange) -> tuple[str, ...]:
    """The error that the call ended in, and those that single ones of its many parts did."""
    failure = exchange.failure
    return (*exchange.failures, *(() if failure is None else (failure.code,)))


def _adapter(served_by: str | None) -> str:
    """One name for the ledger, whatever the parts of a call went through."""
    if served_by is None:
        return NONE
    return "several" if "," in served_by else served_by


def _saved(exchange: Exchange) -> int:
    """The units that the call would have cost beside its own, had each of its writes been a call.

    Only what was carried out counts, and only where requests count in the quota at all.
    """
    journal = exchange.journal
    if exchange.asked is None or exchange.failure is not None or not journal.units:
        return journal.saved
    done = exchange.asked - exchange.failures.total()
    return journal.saved + max(0, done - journal.requests)


def _detail(failure: GatewayError | None, status: int) -> str | None:
    if failure is not None:
        return failure.detail
    return _LEFT if status == CLIENT_CLOSED else None


def _sends(sends: list[UpstreamSend]) -> list[dict[str, object]]:
    """The first and the last ones, when there are many."""
    shown = sends if len(sends) <= 2 * _ENDS else sends[:_ENDS] + sends[-_ENDS:]
    return [_send(sent) for sent in shown]


def _send(sent: UpstreamSend) -> dict[str, object]:
    return {"method": sent.method, "status": sent.status, "ms": _ms(sent.seconds), "outcome": sent.outcome}


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 3)
