"""Golden files: what is sent and answered, byte for byte, held in files under tests/golden.

To record anew after a change that was meant: ``GOLDEN=record pytest tests/golden``, then read the difference.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path


def sections(text: str, marks: Sequence[str]) -> dict[str, str]:
    """The parts of a file by the lines that mark them; what stands before the first is ``""``."""
    parts, name = {"": ""}, ""
    for line in text.splitlines():
        if line in marks:
            name = line
            parts[name] = ""
        else:
            parts[name] += line + "\n"
    return {name: part.strip("\n") for name, part in parts.items()}


def check_sections(file: Path, marks: Sequence[str], seen: Mapping[str, str]) -> None:
    """Hold some parts of a file against what was seen; the others stay as they are."""
    if _recording():
        parts = {**sections(file.read_text(), marks), **seen}
        marked = (f"{name}\n{parts[name]}" for name in marks if name in parts)
        file.write_text("\n\n".join(filter(None, (parts[""], *marked))) + "\n")
    parts = sections(file.read_text(), marks)
    assert {name: parts.get(name) for name in seen} == seen


def check_text(file: Path, text: str) -> None:
    """Hold a whole file against what was seen."""
    if _recording():
        file.write_text(text)
    assert file.read_text() == text


def shown_requests(requests: Iterable[bytes]) -> str:
    """The bytes as they left; line ends, the upstream's port and our version are not shown."""
    shown = "\n\n".join(request.decode() for request in requests).replace("\r\n", "\n").strip("\n")
    shown = re.sub(r"127\.0\.0\.1:\d+", "upstream.example", shown)
    return re.sub(r"(?im)^(user-agent: ultimo-gateway/).*$", r"\1<version>", shown)


def _recording() -> bool:
    return os.environ.get("GOLDEN") == "record"
