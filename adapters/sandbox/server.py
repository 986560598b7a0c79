"""The server: one port, the faces behind it, and around each call its ledger entry, faults and limits."""

import asyncio
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Self

from aiohttp import web

from adapters.sandbox.actions import Actions
from adapters.sandbox.archive import Archive
from adapters.sandbox.batch import Batches
from adapters.sandbox.caller import caller_of
from adapters.sandbox.connection import Server
from adapters.sandbox.connectors.sitecall import SiteCall
from adapters.sandbox.connectors.sites import SiteFace, Sites, without_credentials
from adapters.sandbox.control import Control
from adapters.sandbox.delivery import deliver, fault_answer, relinked
from adapters.sandbox.entities import build_model
from adapters.sandbox.errors import Refusal, internal_error, unknown_resource
from adapters.sandbox.exchange import Answer, Body, Call, encode, refused
from adapters.sandbox.faults import Fault, Faults
from adapters.sandbox.generator import generated_equipment
from adapters.sandbox.keys import KeyRing
from adapters.sandbox.ledger import Ledger, LedgerEntry, noted_headers
from adapters.sandbox.limits import Limiter
from adapters.sandbox.objects import Objects
from adapters.sandbox.options import SandboxOptions
from adapters.sandbox.plant import seed_records
from adapters.sandbox.records import Store
from adapters.sandbox.uploads import Uploads

BASE = "/api/v1"
_CONTROL = "/_sandbox"

Face = Callable[[Call], Awaitable[Answer]]


class Sandbox:
    """A look-alike of one upstream environment, on a port of its own.

    Use it as an async context manager, or call ``start`` and ``stop``. ``store`` holds the records,
    ``ledger`` the calls received, ``faults`` the script, ``uploads`` the files.
    """

    def __init__(self, options: SandboxOptions | None = None) -> None:
        self.options = options or SandboxOptions()
        self._archive = Archive(self.options.file) if self.options.file else None
        self.store = Store(build_model(), self._archive)
        self.ledger = Ledger(self.options.ledger_size)
        self.faults = Faults()
        self.uploads = Uploads()
        self.limiter = Limiter(self.options)
        self._keys = KeyRing(self.options.keys)
        self._control = Control(self)
        self._faces: dict[str, Face] = {
            "object": Objects(self.store, self.options).handle,
            "action": Actions(self.store, self.uploads, self.options).handle,
            "batch": Batches(self.store, self.options).handle,
        }
        self._sites = Sites(self.store, self.options)
        self._runner: web.ServerRunner | None = None
        self._port = 0
        if not self.store.load():
            self._seed()

    def _seed(self) -> None:
        self.store.fill(seed_records(self.store.model))
        present = self.store.table("Equipment").rows
        self.store.fill(generated_equipment(self.options.records - len(present), present))

    def reset(self) -> None:
        """Back to the seed: records, files, faults and counted limits; the ledger stays."""
        self.store.clear()
        self._seed()
        self.uploads.clear()
        self.faults.clear()
        self.limiter.reset()

    @property
    def port(self) -> int:
        return self._port

    @property
    def url(self) -> str:
        """Scheme, host and port; the REST base is this and ``/api/v1``."""
        scheme = "https" if self.options.ssl_context is not None else "http"
        host = f"[{self.options.host}]" if ":" in self.options.host else self.options.host
        return f"{scheme}://{host}:{self._port}"

    async def start(self) -> None:
        """Listen. Raises ``OSError`` when the port is taken."""
        server = Server(self._handle, access_log=None)
        runner = web.ServerRunner(server, shutdown_timeout=0.2)
        await runner.setup()
        self._runner = runner
        site = web.TCPSite(runner, self.options.host, self.options.port, ssl_context=self.options.ssl_context)
        try:
            await site.start()
        except BaseException:
            await self.stop()
            raise
        self._port = int(runner.addresses[0][1])

    async def stop(self) -> None:
        """Close the port and the file."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None
        if self._archive is not None:
            self._archive.close()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.stop()

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        path, _, query = _target(request).partition("?")
        if path == _CONTROL or path.startswith(_CONTROL + "/"):
            return await deliver(request, await self._control.handle(request, path, query), None)
        number = self.ledger.begin()
        at = self.options.clock()
        fault = self.faults.strike(request.method, request.raw_path)
        body = Body(request.content)
        answer = await self._answer(request, path, query, body, fault)
        cut = fault is not None and fault.action == "reset"
        key = self._keys.find(request.headers.get("ApiKey"))
        self.ledger.note(
            LedgerEntry(
                number=number,
                at=at,
                method=request.method,
                target=without_credentials(request.raw_path),
                key=answer.key or (key.name if key is not None else None),
                headers=noted_headers(request.headers),
                size=body.size,
                sha256=body.sha256,
                status=0 if cut else answer.status,
                effect=answer.effect,
                fault=fault.title if fault is not None else None,
                batch=answer.batch,
            )
        )
        return await deliver(request, answer, fault)

    async def _answer(
        self, request: web.BaseRequest, path: str, query: str, body: Body, fault: Fault | None
    ) -> Answer:
        instead = fault_answer(fault, self.options.clock()) if fault is not None else None
        if fault is not None and fault.action == "delay":
            if not _waits_for_invitation(request):
                await body.arrive()
            await asyncio.sleep(fault.seconds)
        if fault is not None and not fault.processes:
            return instead or Answer(status=0)
        answer = await self._process(request, path, query, body)
        if fault is not None and fault.action == "foreign_link":
            return relinked(answer, fault.to)
        if fault is not None and fault.action == "looping_link":
            return relinked(answer, f"{self._base(request)}{request.raw_path}")
        return _with_effect(instead, answer) if instead is not None else answer

    def _base(self, request: web.BaseRequest) -> str:
        return self.options.public_base or f"{request.scheme}://{request.host}"

    async def _process(self, request: web.BaseRequest, path: str, query: str, body: Body) -> Answer:
        try:
            return await self._route(request, path, query, body)
        except Refusal as refusal:
            return refused(refusal)
        except Exception as error:  # the upstream answers every failure of its own as 500
            return Answer(status=500, body=encode(internal_error(error)))

    async def _route(self, request: web.BaseRequest, path: str, query: str, body: Body) -> Answer:
        site = self._sites.face(path)
        if site is not None:
            return await self._visit(site, request, path, query, body)
        face, rest = self._face(path)
        key = self._keys.authenticate(request.headers.get("ApiKey"), request.remote)
        self.limiter.admit(key)
        if face is None:
            raise unknown_resource(path)
        if _waits_for_invitation(request):
            _invite(request)
        call = Call(
            method=request.method,
            path=path,
            rest=rest,
            query=query,
            base=f"{request.scheme}://{request.host}",
            headers=request.headers,
            length=request.content_length,
            caller=caller_of(key, request.headers),
            body=body,
        )
        answer = await face(call)
        answer.headers.setdefault("Content-Language", call.caller.answered)
        return answer

    async def _visit(
        self, site: SiteFace, request: web.BaseRequest, path: str, query: str, body: Body
    ) -> Answer:
        """A call to a face that no API key opens. Raises ``Refusal`` 429 where such calls count too."""
        if self.options.connectors_count:
            self.limiter.admit(None)
        if _waits_for_invitation(request):
            _invite(request)
        return await site(
            SiteCall(
                method=request.method,
                path=path,
                query=query,
                base=f"{request.scheme}://{request.host}",
                headers=request.headers,
                length=request.content_length,
                body=body,
            )
        )

    def _face(self, path: str) -> tuple[Face | None, str]:
        """The face that a path belongs to, and the rest of the path. Raises ``Refusal`` 404 outside."""
        if not path.lower().startswith(BASE + "/"):
            raise unknown_resource(path)
        name, _, rest = path[len(BASE) + 1 :].partition("/")
        return self._faces.get(name.lower()), rest


def _target(request: web.BaseRequest) -> str:
    """The raw path with query, also where the request names scheme and host."""
    target = request.raw_path
    if target.startswith("/"):
        return target
    return "/" + target.partition("://")[2].partition("/")[2]


def _with_effect(instead: Answer, answer: Answer) -> Answer:
    return Answer(
        status=instead.status,
        body=instead.body,
        media=instead.media,
        headers=instead.headers,
        effect=answer.effect,
        batch=answer.batch,
        key=answer.key,
    )


def _waits_for_invitation(request: web.BaseRequest) -> bool:
    """Whether the caller sends its body only when it is told that it may."""
    return request.headers.get("Expect", "").lower() == "100-continue"


def _invite(request: web.BaseRequest) -> None:
    if request.transport is not None:
        request.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
