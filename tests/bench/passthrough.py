"""What a reasonable developer writes in an afternoon: FastAPI in front, httpx behind, nothing between.

The rival of the benchmark, run as FastAPI's pages say: ``uvicorn tests.bench.passthrough:app``. The
connection limits of httpx are raised, since 100 would hold it up at concurrency 256, and the key
check is ``async``, since a plain function would cost it a thread per request.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

import httpx
from fastapi import Depends, FastAPI, Header, HTTPException, Request, Response


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    async with httpx.AsyncClient(
        base_url=os.environ["UPSTREAM_URL"],
        headers={"ApiKey": os.environ["UPSTREAM_KEY"]},
        limits=httpx.Limits(max_connections=512, max_keepalive_connections=512),
        timeout=30.0,
    ) as client:
        app.state.client = client
        app.state.key = os.environ["CLIENT_KEY"]
        yield


async def check_key(request: Request, x_api_key: Annotated[str, Header()]) -> None:
    if not secrets.compare_digest(x_api_key, request.app.state.key):
        raise HTTPException(401, "unknown key")


app = FastAPI(lifespan=lifespan, dependencies=[Depends(check_key)])


@app.get("/v1/demo/objects/Equipment/{record_id}")
async def get_equipment(request: Request, record_id: str) -> Response:
    return await forward(request, f"object/Equipment('{record_id}')", {})


@app.get("/v1/demo/objects/Equipment")
async def list_equipment(request: Request, limit: int = 1000) -> Response:
    return await forward(request, "object/Equipment", {"top": limit})


async def forward(request: Request, path: str, query: dict[str, int]) -> Response:
    client: httpx.AsyncClient = request.app.state.client
    answer = await client.get(path, params=query)
    return Response(answer.content, answer.status_code, media_type=answer.headers["content-type"])
