"""What a tenant may set for the REST adapter."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

Element = Annotated[
    str,
    Meta(
        pattern=r"^[0-9a-fA-F]{8}(-?)(?:[0-9a-fA-F]{4}\1){3}[0-9a-fA-F]{12}$(?!\n)",
        description="an ApplicationElementId: a GUID, with dashes or without",
    ),
]


class ActionOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A workflow of the tenant's own, by its ApplicationElementId."""

    element: Element


class RestOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``actions`` adds to the built-in catalogue, or overrides it, by workflow name.

    ``writes`` is false where the environment takes no REST writes (on-premises). ``longest_target`` is
    the most characters of a request's path and query, without the path of the address itself: most
    servers and proxies take lines of 8 KB.
    """

    actions: dict[str, ActionOptions] = {}
    writes: bool = True
    longest_target: Annotated[
        int, Meta(ge=1000, le=100_000, description="a number of characters from 1000 to 100000")
    ] = 8_000
