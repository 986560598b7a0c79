"""The rules of the house, one test each: layers, one way out, no state, nothing too large, nothing unfinished."""

from __future__ import annotations

import ast
import re
import subprocess
import sys

import pytest

from tests.architecture import source

MUTATORS = {
    "append",
    "add",
    "update",
    "pop",
    "clear",
    "extend",
    "insert",
    "remove",
    "setdefault",
    "popitem",
    "discard",
}


def test_contracts_import_nothing_of_ours() -> None:
    assert source.importers(("adapters", "gateway"), among=("contracts",)) == set()


def test_adapters_never_import_the_gateway() -> None:
    assert source.importers(("gateway",), among=("adapters",)) == set()


def test_the_gateway_never_imports_adapters() -> None:
    assert source.importers(("adapters",), among=("gateway",)) == set()


def test_the_sandbox_shares_no_code_with_what_it_checks() -> None:
    siblings = tuple(
        f"adapters.{path.stem}"
        for path in (source.ROOT / "adapters").iterdir()
        if path.stem not in ("sandbox", "__init__", "__pycache__") and not path.name.startswith(".")
    )
    assert "adapters.rest" in siblings
    assert source.importers(("contracts", "gateway", *siblings), among=("adapters.sandbox",)) == set()


def test_adapters_do_no_io_of_their_own() -> None:
    io = ("httpx2", "httpx", "aiohttp", "socket", "ssl", "urllib.request", "http.client", "asyncio")
    found = source.importers(io, among=("adapters", "contracts"))
    apart = ("adapters/sandbox/", "adapters/_beside.py:")
    assert {line for line in found if not line.startswith(apart)} == set()


def test_only_the_wire_knows_the_http_client() -> None:
    found = source.importers(("httpx2", "aiohttp", "yarl"), among=("gateway", "contracts"))
    assert {line for line in found if not line.startswith("gateway/wire/")} == set()


def test_one_file_knows_opentelemetry_and_is_loaded_only_when_it_is_asked_for() -> None:
    found = source.importers(("opentelemetry",), among=("gateway", "contracts", "adapters"))
    assert {line for line in found if not line.startswith("gateway/telemetry/otlp.py:")} == set()
    users = source.importers(("gateway.telemetry.otlp",), among=("gateway", "contracts", "adapters"))
    assert {line.split(":")[0] for line in users} == {"gateway/bootstrap.py"}
    module = source.tree(source.modules()["gateway.bootstrap"])
    loaded = [node.module for node in module.body if isinstance(node, ast.ImportFrom)]
    assert "gateway.telemetry.otlp" not in loaded


def test_only_bootstrap_names_concrete_stores() -> None:
    """A store is anything beside the ports; there is none yet, and the first one falls under this rule."""
    stores = tuple(name for name in source.modules("gateway/stores") if name.count(".") == 2)
    concrete = tuple(name for name in stores if name != "gateway.stores.ports")
    assert "gateway.stores.ports" in stores
    found = source.importers(concrete, among=("gateway",))
    assert {
        line for line in found if not line.startswith(("gateway/bootstrap.py", "gateway/stores/"))
    } == set()


def test_one_table_gives_errors_a_status() -> None:
    """The one table from error to HTTP status: nowhere else does a status stand beside an error's class."""
    classes = {
        node.name
        for node in source.tree(source.modules("contracts")["contracts.errors"]).body
        if isinstance(node, ast.ClassDef)
    }
    tables = {
        name
        for name, path in source.modules("gateway").items()
        for node in ast.walk(source.tree(path))
        if isinstance(node, ast.Call | ast.Dict | ast.Tuple) and _pairs_status(node, classes)
    }
    assert tables == {"gateway.http.problem_kinds"}


def _pairs_status(node: ast.Call | ast.Dict | ast.Tuple, classes: set[str]) -> bool:
    if isinstance(node, ast.Dict):
        parts = [part for part in (*node.keys, *node.values) if part is not None]
    else:
        parts = node.args if isinstance(node, ast.Call) else node.elts
    statuses = any(isinstance(part, ast.Constant) and part.value in range(400, 600) for part in parts)
    names = {part.attr if isinstance(part, ast.Attribute) else getattr(part, "id", None) for part in parts}
    return statuses and bool(names & classes)


def test_the_linter_holds_the_layers_too() -> None:
    command = [
        sys.executable,
        "-c",
        "from importlinter.cli import lint_imports_command as run; run()",
        "--no-cache",
    ]
    done = subprocess.run(command, cwd=source.ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("name", source.modules())
def test_no_module_keeps_state(name: str) -> None:
    """Constants may be bound at the top of a module; nothing may change them afterwards."""
    module = source.tree(source.modules()[name])
    bound = {
        target.id
        for node in module.body
        if isinstance(node, ast.Assign | ast.AnnAssign)
        for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
        if isinstance(target, ast.Name)
    }
    changed = []
    for node in ast.walk(module):
        if isinstance(node, ast.Global):
            changed.append(f"line {node.lineno}: global {', '.join(node.names)}")
        changed += [
            f"line {holder.lineno}: changes {holder.id}" for holder in _changed(node) if holder.id in bound
        ]
    assert changed == []


def _changed(node: ast.AST) -> list[ast.Name]:
    """The names whose value a node changes in place: ``x[…] = …``, ``del x[…]``, ``x.append(…)``."""
    holders: list[ast.expr] = []
    if isinstance(node, ast.Assign | ast.Delete):
        holders = [target.value for target in node.targets if isinstance(target, ast.Subscript)]
    elif isinstance(node, ast.AugAssign):
        holders = [node.target.value] if isinstance(node.target, ast.Subscript) else []
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in MUTATORS:
        holders = [node.func.value]
    return [holder for holder in holders if isinstance(holder, ast.Name)]


@pytest.mark.parametrize("name", source.modules())
def test_no_settings_are_read_at_import(name: str) -> None:
    module = source.tree(source.modules()[name])
    outside = [
        node
        for node in module.body
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
    ]
    text = "\n".join(ast.unparse(node) for node in outside)
    assert not re.search(r"os\.environ|getenv\(|\bopen\(|read_text\(", text)


@pytest.mark.parametrize("name", source.modules())
def test_nothing_is_too_large_to_read(name: str) -> None:
    path = source.modules()[name]
    assert len(path.read_text().splitlines()) <= 310, "a file has at most about 300 lines"
    for node in ast.walk(source.tree(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            assert length <= 42, f"{node.name} has {length} lines; a function has at most about 40"


@pytest.mark.parametrize("name", source.modules())
def test_every_file_says_what_it_is_for(name: str) -> None:
    assert ast.get_docstring(source.tree(source.modules()[name]))


def test_nothing_is_left_unfinished() -> None:
    marks = re.compile(r"\b(TODO|FIXME|XXX|HACK|BENCH)\b|raise NotImplementedError")
    found = [
        f"{path.relative_to(source.ROOT)}:{number}"
        for path in (*source.modules().values(), source.ROOT / "README.md")
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if marks.search(line)
    ]
    assert found == []


def test_the_top_level_holds_only_what_it_should() -> None:
    listed = subprocess.run(
        ["git", "ls-files"], cwd=source.ROOT, capture_output=True, text=True, check=True
    ).stdout
    top = {line.split("/")[0] for line in listed.splitlines()}
    allowed = {
        "pyproject.toml", "README.md", "gateway", "adapters", "contracts", "tests", "Dockerfile", "helm",
        "Makefile", "LICENSE",
    }  # fmt: skip
    assert {name for name in top if not name.startswith(".")} <= allowed
