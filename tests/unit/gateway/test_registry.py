"""Adapters are found through entry points; what cannot be used stops the start and says why."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from gateway.registry import GROUP, RegistryError, discover

MODULE = """
from contracts.adapter import API_VERSION, AdapterSpec
import msgspec

class Options(msgspec.Struct): ...

def spec(name, version=API_VERSION):
    return AdapterSpec(name=name, api_version=version, interface="rest", summary="", options=Options, open=print)

one, other, old, wrong = spec("one"), spec("one"), spec("old", 0), "not a spec"
"""


@pytest.fixture
def package(tmp_path: Path) -> Iterator[str]:
    (tmp_path / "some_adapters.py").write_text(MODULE)
    (tmp_path / "broken_adapter.py").write_text("import no_such_module")
    sys.path.insert(0, str(tmp_path))
    yield "some_adapters"
    sys.path.remove(str(tmp_path))
    sys.modules.pop("some_adapters", None)


def point(value: str, name: str = "x") -> EntryPoint:
    return EntryPoint(name, value, GROUP)


def test_the_adapters_that_are_installed() -> None:
    assert discover()["rest"].interface == "rest"


def test_an_adapter_is_known_by_the_name_of_its_spec(package: str) -> None:
    assert list(discover([point(f"{package}:one")])) == ["one"]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (["some_adapters:one", "some_adapters:other"], "two adapters are called 'one'"),
        (
            ["some_adapters:old"],
            "written for version 0 of the adapter protocol; this gateway speaks version 1",
        ),
        (["some_adapters:wrong"], "exports str, not an AdapterSpec"),
        (["some_adapters:absent"], "cannot be imported"),
        (["broken_adapter:spec"], "cannot be imported: No module named 'no_such_module'"),
    ],
)
def test_what_cannot_be_used_is_named(package: str, values: list[str], message: str) -> None:
    with pytest.raises(RegistryError, match=message) as caught:
        discover([point(value) for value in values])
    assert values[-1] in str(caught.value)
