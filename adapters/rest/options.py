"""What a tenant may set for the REST adapter."""

from __future__ import annotations

import msgspec


class ActionOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A workflow of the tenant's own: ``element`` is its ApplicationElementId, with or without dashes."""

    element: str


class RestOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``actions`` adds to the built-in catalogue, or overrides it, by workflow name.

    ``writes`` is false where the environment takes no REST writes (on-premises).
    """

    actions: dict[str, ActionOptions] = {}
    writes: bool = True
