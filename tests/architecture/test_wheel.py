"""What the wheel holds. That it runs on its own, with the pinned dependencies alone, is held in tests/image."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(out), str(ROOT)]
    subprocess.run(command, check=True, capture_output=True)
    return next(out.glob("*.whl"))


def test_the_wheel_holds_every_package_and_marks_them_typed(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    for package in ("contracts", "adapters", "gateway"):
        assert {f"{package}/__init__.py", f"{package}/py.typed"} <= names
    assert not [name for name in names if name.startswith(("tests/", "helm/"))]
    metadata = next(name for name in names if name.endswith("METADATA"))
    assert "Classifier: Private :: Do Not Upload" in zipfile.ZipFile(wheel).read(metadata).decode()
