"""What a tenant may set for the batch adapter."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta


class BatchOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The most writes and the most bytes of one request.

    The defaults are the upstream's own limits: 100 records (vendor page "Inserting data in batch") and 1 MB
    (vendor page "Limits and quotas").
    """

    count: Annotated[int, Meta(ge=1, le=10_000, description="a number of writes from 1 to 10000")] = 100
    bytes: Annotated[
        int, Meta(ge=1024, le=104_857_600, description="a number of bytes from 1024 to 104857600")
    ] = 1_048_576
