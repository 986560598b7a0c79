"""Scopes: a read needs ``read``, everything that changes something needs ``write``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from contracts.call import Call
from contracts.errors import Forbidden
from contracts.operations import Result

if TYPE_CHECKING:
    from gateway.pipeline import Handler


class Authorize:
    """Raises :class:`Forbidden` when the client lacks the scope that the operation needs."""

    async def __call__(self, call: Call, proceed: Handler) -> Result:
        needed = "read" if call.operation.safe else "write"
        if needed not in call.scopes:
            raise Forbidden(
                f"this needs the scope '{needed}'; the credential has {', '.join(sorted(call.scopes)) or 'none'}"
            )
        return await proceed(call)
