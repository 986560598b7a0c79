"""A fresh look-alike for each test."""

from collections.abc import AsyncIterator

import pytest

from tests.unit.sandbox.client import Client, serving


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    async with serving() as made:
        yield made
