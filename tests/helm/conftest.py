"""Each case is rendered once for all tests."""

from __future__ import annotations

import pytest

from tests.helm.cases import CASES, cases
from tests.helm.manifests import Release, Values, render


@pytest.fixture(scope="session")
def values() -> dict[str, Values]:
    return cases()


@pytest.fixture(scope="session")
def releases(values: dict[str, Values]) -> dict[str, Release]:
    return {name: render(given) for name, given in values.items()}


@pytest.fixture(params=CASES)
def release(request: pytest.FixtureRequest, releases: dict[str, Release]) -> Release:
    """One case after the other."""
    return releases[request.param]
