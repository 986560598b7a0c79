"""A running API for each test."""

from collections.abc import AsyncIterator

import pytest

from tests.unit.http.serving import Served, serving


@pytest.fixture
async def api() -> AsyncIterator[Served]:
    async with serving() as served:
        yield served
