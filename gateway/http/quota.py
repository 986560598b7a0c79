"""``/v1/{tenant}/quota`` and ``/v1/{tenant}/usage``: how much is left of the quota, and who burns it.

Nothing is sent upstream for them, and no unit is spent.
"""

from __future__ import annotations

import re
from datetime import date

import msgspec

from contracts.errors import StoreUnavailable
from gateway.http.answers import Answer, json_answer
from gateway.http.exchange import Exchange
from gateway.http.negotiation import accepted
from gateway.http.parameters import flag, parse_parameters, refused
from gateway.http.plans import plan_answer
from gateway.http.queries import COMMON
from gateway.quota.ledger import Figures, grouped, total
from gateway.quota.view import QuotaView
from gateway.stores.ports import StoreLost

DIMENSIONS = ("client", "operation", "adapter", "day")
FILTERS = ("client", "operation", "adapter")
USUAL = "client,operation"
MOST_DAYS = 400
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
"""As days are called in the ledger; ISO 8601 has other forms, too."""


async def quota(exchange: Exchange) -> Answer:
    """GET: the windows of the environment, of the tenant and of the caller."""
    accepted(exchange.headers.get(b"accept"))
    if flag(parse_parameters(exchange.scope["query_string"], COMMON), "dry_run"):
        return plan_answer(exchange)
    return json_answer(await _view(exchange).document(exchange.tenant.name, exchange.client.name))


async def usage(exchange: Exchange) -> Answer:
    """GET: the tenant's part of the ledger, filtered and grouped."""
    accepted(exchange.headers.get(b"accept"))
    parameters = parse_parameters(exchange.scope["query_string"], ("from", "to", "by", *FILTERS, *COMMON))
    view = _view(exchange)
    first, last = _days(parameters, view.today)
    by = _dimensions(parameters.get("by", USUAL))
    only = {name: parameters[name] for name in FILTERS if name in parameters}
    if flag(parameters, "dry_run"):
        return plan_answer(exchange)
    try:
        entries = await view.usage(first, last)
    except StoreLost as error:
        raise StoreUnavailable("the ledger cannot be reached at the moment", retry_after=2) from error
    own = {"tenant": exchange.tenant.name, **only}
    items = [
        dict(zip(by, group.values, strict=True)) | _shown(group.figures)
        for group in grouped(entries, by, own)
    ]
    return json_answer(
        {"from": first, "to": last, "by": by, "items": items, "total": _shown(total(entries, own))}
    )


def _view(exchange: Exchange) -> QuotaView:
    return exchange.services.quotas[exchange.tenant.settings.environment]


def _shown(figures: Figures) -> dict[str, object]:
    shown: dict[str, object] = msgspec.to_builtins(figures)
    return shown


def _days(parameters: dict[str, str], today: str) -> tuple[str, str]:
    """The first and the last day; today where they are not given, or the last day alone when that is over."""
    last = _day(parameters, "to", today)
    first = _day(parameters, "from", min(today, last.isoformat()))
    if first > last:
        raise refused("from", f"'from' ({first}) is after 'to' ({last})")
    if (last - first).days >= MOST_DAYS:
        raise refused("from", f"at most {MOST_DAYS} days can be asked for, 'from' and 'to' included")
    return first.isoformat(), last.isoformat()


def _day(parameters: dict[str, str], name: str, default: str) -> date:
    text = parameters.get(name, default)
    try:
        return date.fromisoformat(text if _DATE.fullmatch(text) else "")
    except ValueError:
        raise refused(name, f"'{name}' is a date such as 2026-11-22") from None


def _dimensions(text: str) -> list[str]:
    names = [name.strip() for name in text.split(",")]
    if len(set(names)) < len(names) or not set(names) <= set(DIMENSIONS):
        raise refused(
            "by", f"'by' is a list of {', '.join(DIMENSIONS)}, each at most once, with commas between"
        )
    return names
