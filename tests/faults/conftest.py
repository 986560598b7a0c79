"""What all tests of faults share."""

from __future__ import annotations

import os
from random import SystemRandom

import pytest


@pytest.fixture
def seed() -> int:
    """What chance there is in a test comes from this; a failure prints it, and ``SEED`` repeats it."""
    number = int(os.environ.get("SEED") or SystemRandom().randrange(1_000_000))
    print(f"SEED={number}")
    return number
