"""The steps that the server takes by itself: Lua files, put together from the parts that they share."""

from __future__ import annotations

from hashlib import sha1
from importlib import resources

import msgspec


class Script(msgspec.Struct, frozen=True):
    """A script's text, and the digest by which a server that has seen it knows it."""

    text: str
    digest: str


def script(*parts: str) -> Script:
    """The script that the named files of ``lua/`` make up, in this order; the last one is the step itself."""
    folder = resources.files("gateway.stores.valkey").joinpath("lua")
    text = "\n".join(folder.joinpath(f"{part}.lua").read_text(encoding="utf-8") for part in parts)
    return Script(text, sha1(text.encode(), usedforsecurity=False).hexdigest())
