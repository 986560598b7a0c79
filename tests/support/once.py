"""What is expensive to make, and made once for all processes that the tests are spread over."""

from __future__ import annotations

import fcntl
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

ALONE = "master"
"""The worker's id where pytest runs the tests itself."""


def made_once(
    name: str, make: Callable[[Path], None], folders: pytest.TempPathFactory, worker_id: str
) -> Path:
    """A folder of this run that ``make`` has filled; who comes while another worker fills it waits.

    Raises what ``make`` raises; the next one who comes tries it anew.
    """
    own = folders.getbasetemp()
    common = own if worker_id == ALONE else own.parent
    folder, made = common / name, common / f"{name}.made"
    with (common / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            make(folder)
            made.touch()
    return folder
