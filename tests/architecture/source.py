"""The project's source as the architecture tests see it: files, syntax trees and imports."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("contracts", "adapters", "gateway")


def modules(*places: str) -> dict[str, Path]:
    """Dotted name → file of every module below the given packages (all of ours when none is given)."""
    found = {}
    for place in places or PACKAGES:
        for path in sorted((ROOT / place.replace(".", "/")).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(), filename=str(path))


def imports(path: Path) -> Iterator[tuple[int, str]]:
    """Line and absolute name of every module that a file imports, wherever in the file."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.lineno, node.module
            yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)


def importers(of: tuple[str, ...], among: tuple[str, ...] = PACKAGES) -> set[str]:
    """``file:line imports name`` for every import of one of the packages ``of``."""
    return {
        f"{path.relative_to(ROOT)}:{line} imports {name}"
        for path in modules(*among).values()
        for line, name in imports(path)
        if any(name == package or name.startswith(package + ".") for package in of)
    }
