"""Every route of the API, and the applications made of them."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from functools import partial
from typing import Any

from litestar import Litestar, Request, Response
from litestar.datastructures import State
from litestar.enums import HttpMethod
from litestar.exceptions import HTTPException, MethodNotAllowedException, NotFoundException
from litestar.handlers import HTTPRouteHandler
from litestar.types import ASGIApp

from contracts.errors import InvalidRequest, MethodNotAllowed
from gateway.http import actions, batch, connectors, docs, measurements, meta, objects, quota
from gateway.http.boundary import Boundary, Endpoint, Needs, Route
from gateway.http.live import Live
from gateway.http.problem_kinds import RouteNotFound

Lifespan = Callable[[Litestar], AbstractAsyncContextManager[None]]

_OBJECTS = {
    "GET": Endpoint("read", objects.read, scope="read"),
    "POST": Endpoint("create", objects.create, scope="write", takes="body"),
    "PUT": Endpoint("replace", objects.replace, scope="write", takes="body"),
    "PATCH": Endpoint("change", objects.change, scope="write", takes="body"),
    "DELETE": Endpoint("delete", objects.delete, scope="write"),
}

API_ROUTES: tuple[Route, ...] = (
    Route("/v1/{tenant}/objects/{path}", Needs.TENANT, _OBJECTS),
    Route(
        "/v1/{tenant}/batch",
        Needs.TENANT,
        {"POST": Endpoint("batch", batch.run, scope="write", patient=True, takes="batch")},
    ),
    Route(
        "/v1/{tenant}/actions/{name}",
        Needs.TENANT,
        {"POST": Endpoint("action", actions.run, scope="write", takes="action")},
    ),
    Route(
        "/v1/{tenant}/measurements",
        Needs.TENANT,
        {"POST": Endpoint("measurements", measurements.take, scope="write", patient=True, takes="batch")},
    ),
    Route(
        "/v1/{tenant}/exports/{connector}",
        Needs.TENANT,
        {"POST": Endpoint("export", connectors.export, scope="read", patient=True, takes="body")},
    ),
    Route(
        "/v1/{tenant}/imports/{connector}",
        Needs.TENANT,
        {"POST": Endpoint("import", connectors.import_, scope="write", patient=True, takes="batch")},
    ),
    Route(
        "/v1/{tenant}/capabilities",
        Needs.TENANT,
        {"GET": Endpoint("capabilities", meta.capabilities, scope="read")},
    ),
    Route("/v1/{tenant}/quota", Needs.TENANT, {"GET": Endpoint("quota", quota.quota, scope="read")}),
    Route("/v1/{tenant}/usage", Needs.TENANT, {"GET": Endpoint("usage", quota.usage, scope="read")}),
    Route("/v1/tenants", Needs.CREDENTIAL, {"GET": Endpoint("tenants", meta.tenants)}),
    Route("/openapi.json", Needs.NOTHING, {"GET": Endpoint("docs", docs.openapi_json)}),
    Route("/docs", Needs.NOTHING, {"GET": Endpoint("docs", docs.docs)}),
    Route("/problems", Needs.NOTHING, {"GET": Endpoint("docs", docs.problem_list)}),
    Route("/problems/{code}", Needs.NOTHING, {"GET": Endpoint("docs", docs.problem_page)}),
)
"""Callers' routes: the set that the API's description describes."""

INCOMPLETE_ROUTES = (Route("/v1/{tenant}/objects", Needs.TENANT, _OBJECTS),)
"""Answers only to say that the object path is missing."""

OPERATIONS_ROUTES: tuple[Route, ...] = (
    Route("/livez", Needs.NOTHING, {"GET": Endpoint("livez", meta.livez)}),
    Route("/readyz", Needs.NOTHING, {"GET": Endpoint("readyz", meta.readyz)}),
    Route("/metrics", Needs.NOTHING, {"GET": Endpoint("metrics", meta.metrics)}),
)
"""The operator's routes, without a credential; on a port of their own when one is configured."""


def build_http(live: Live, *, operations: bool = True, lifespan: Lifespan | None = None) -> Litestar:
    """The API; with the operator's routes unless they have a port of their own.

    ``lifespan`` is entered when the service starts and left when it has ended.
    """
    routes = API_ROUTES + INCOMPLETE_ROUTES
    return _application(live, routes + OPERATIONS_ROUTES if operations else routes, lifespan)


def build_operations(live: Live) -> Litestar:
    """The operator's routes alone."""
    return _application(live, OPERATIONS_ROUTES)


def _application(live: Live, routes: tuple[Route, ...], lifespan: Lifespan | None = None) -> Litestar:
    boundary = Boundary(live)
    return Litestar(
        [_handler(boundary, route) for route in routes],
        exception_handlers={Exception: partial(_refuse, boundary, routes)},
        openapi_config=None,
        logging_config=None,
        lifespan=[] if lifespan is None else [lifespan],
    )


def _handler(boundary: Boundary, route: Route) -> HTTPRouteHandler:
    """Litestar finds the route, and the boundary answers, as a middleware that does not go on.

    So the boundary sees every request to the path, and Litestar parses nothing of it.
    """
    serve: ASGIApp = partial(boundary.serve, route)

    def boundary_of_route(app: ASGIApp) -> ASGIApp:
        return serve

    def answered_by_the_boundary() -> None:
        raise AssertionError("the boundary answers every request")

    path = "/".join(_litestar(segment) for segment in route.path.split("/"))
    handler = HTTPRouteHandler(
        path, http_method=list(HttpMethod), sync_to_thread=False, middleware=[boundary_of_route]
    )
    return handler(answered_by_the_boundary)


def _litestar(segment: str) -> str:
    if segment == "{path}":
        return "{path:path}"
    return segment[:-1] + ":str}" if segment.startswith("{") else segment


def _refuse(
    boundary: Boundary, routes: tuple[Route, ...], request: Request[Any, Any, State], error: Exception
) -> Response[bytes]:
    """Litestar's own refusals, before a route was found."""
    if isinstance(error, NotFoundException):
        error = RouteNotFound("the API has nothing at this path; /docs describes it")
    elif isinstance(error, MethodNotAllowedException):
        error = MethodNotAllowed(
            "this method is not known here", allowed=_allowed(routes, request.scope["path"])
        )
    elif isinstance(error, HTTPException) and error.status_code < 500:
        error = InvalidRequest(error.detail)
    answer = boundary.refuse(error, request.scope, request.receive)
    headers = {name.decode(): value.decode("latin-1") for name, value in answer.headers}
    return Response(
        answer.body,
        status_code=answer.status,
        headers=headers,
        media_type=headers["content-type"],
    )


def _allowed(routes: tuple[Route, ...], path: str) -> tuple[str, ...]:
    """The methods of the route that a path belongs to."""
    for route in routes:
        pattern = re.sub(r"\{\w+\}", "[^/]+", route.path.replace("{path}", ".+"))
        if re.fullmatch(pattern, path.rstrip("/")):
            return route.allowed
    return ()
