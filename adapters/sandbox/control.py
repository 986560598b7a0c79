"""The control endpoint under ``/_sandbox/``: look at the look-alike and script it. Not counted by limits."""

from __future__ import annotations

from typing import Protocol
from urllib.parse import parse_qs

import msgspec
from aiohttp import web

from adapters.sandbox.errors import Refusal, unknown_resource, wrong_method
from adapters.sandbox.exchange import Answer, encode, refused
from adapters.sandbox.faults import Fault, Faults
from adapters.sandbox.ledger import Ledger
from adapters.sandbox.limits import Limiter
from adapters.sandbox.options import SandboxOptions
from adapters.sandbox.records import Store
from adapters.sandbox.uploads import Uploads


class Controlled(Protocol):
    """What there is to look at and to script."""

    options: SandboxOptions
    store: Store
    ledger: Ledger
    faults: Faults
    uploads: Uploads
    limiter: Limiter

    @property
    def url(self) -> str: ...

    def reset(self) -> None: ...


class Control:
    """Serves ``/`` (overview), ``/ledger``, ``/faults``, ``/reset`` and ``/limits`` in JSON."""

    def __init__(self, sandbox: Controlled) -> None:
        self._sandbox = sandbox

    async def handle(self, request: web.BaseRequest, path: str, query: str) -> Answer:
        """The answer to one call; it never raises."""
        name = path.removeprefix("/_sandbox").strip("/")
        try:
            return await self._serve(request, name, query)
        except Refusal as refusal:
            return refused(refusal)
        except (ValueError, msgspec.MsgspecError) as error:
            return refused(Refusal(400, "InvalidControl", str(error)))

    async def _serve(self, request: web.BaseRequest, name: str, query: str) -> Answer:
        match name, request.method:
            case "", "GET":
                return _json(self._overview())
            case "ledger", "GET":
                since = int(parse_qs(query).get("since", ["0"])[0])
                return _json({"calls": list(self._sandbox.ledger.since(since)), **self._totals()})
            case "ledger", "DELETE":
                self._sandbox.ledger.clear()
            case "faults", "GET":
                return _json({"faults": self._sandbox.faults.overview()})
            case "faults", "POST":
                self._sandbox.faults.add(msgspec.json.decode(await request.read(), type=Fault))
                return _json({"faults": self._sandbox.faults.overview()}, 201)
            case "faults", "DELETE":
                self._sandbox.faults.clear()
            case "reset", "POST":
                self._sandbox.reset()
            case "limits", "GET":
                return _json({"limits": self._sandbox.limiter.usages()})
            case (("" | "ledger" | "faults" | "reset" | "limits"), method):
                raise wrong_method(method, "GET, POST, DELETE")
            case _:
                raise unknown_resource(name)
        return Answer(status=204)

    def _overview(self) -> dict[str, object]:
        sandbox = self._sandbox
        options = sandbox.options
        return {
            "rest": f"{sandbox.url}/api/v1",
            "limits": options.limits,
            "page_size": options.page_size,
            "keys": [key.name for key in options.keys],
            "records": sandbox.store.counts(),
            "uploads": sandbox.uploads.files,
            "faults": len(sandbox.faults.overview()),
            **self._totals(),
        }

    def _totals(self) -> dict[str, object]:
        ledger = self._sandbox.ledger
        return {"received": ledger.received, "statuses": ledger.statuses}


def _json(value: object, status: int = 200) -> Answer:
    return Answer(status=status, body=encode(value))
