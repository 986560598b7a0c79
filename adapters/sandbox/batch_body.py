"""The body of a batch request: its shape, and the rules on ids, methods, urls, groups and dependencies.

Source: vendor page "Inserting data in batch". Names that the page does not know are refused, and a batch
of no requests is taken: both are choices.
"""

from collections.abc import Sequence
from itertools import groupby
from typing import Annotated

import msgspec

from adapters.sandbox.errors import Refusal

METHODS = ("DELETE", "PATCH", "POST", "PUT")

_Name = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9._-]+\Z")]


class Request(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel"):
    """One request of a batch, named as on the wire; ``body`` is ``None`` where there is none."""

    id: _Name
    method: str
    url: str
    body: object = None
    atomicity_group: _Name | msgspec.UnsetType = msgspec.UNSET
    depends_on: tuple[str, ...] = ()

    @property
    def group(self) -> str | None:
        """The transaction that it shares with its neighbours, ``None`` for one of its own."""
        return self.atomicity_group or None

    @property
    def verb(self) -> str:
        """The method in upper case."""
        return self.method.upper()

    @property
    def origin(self) -> str | None:
        """The id of the request whose record the url begins at: ``a1`` of ``Object/$a1/Lines``."""
        first = self.url.partition("/")[2].partition("/")[0]
        return first[1:] if first.startswith("$") else None

    @property
    def path(self) -> str:
        """What stands behind ``Object/`` and, where there is one, behind the origin."""
        behind = self.url.partition("/")[2]
        return behind if self.origin is None else behind.partition("/")[2]


class _Batch(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    requests: tuple[Request, ...]


def read_requests(body: object, most: int) -> tuple[Request, ...]:
    """The requests of a decoded body, in order. Raises ``Refusal`` 400 for any rule that is broken."""
    try:
        requests = msgspec.convert(body, type=_Batch).requests
    except msgspec.ValidationError as error:
        raise _bad(f"{error}.") from error
    if len(requests) > most:
        raise _bad(f"A batch holds at most {most} requests, not {len(requests)}.")
    _refuse_names(requests)
    before: dict[str, Request] = {}
    for request in requests:
        _refuse_target(request)
        _refuse_dependencies(request, before)
        before[request.id] = request
    return requests


def _refuse_names(requests: Sequence[Request]) -> None:
    """Ids and groups are unique among both, and the members of a group are neighbours."""
    taken: set[str] = set()
    for request in requests:
        if request.id in taken:
            raise _bad(f"The id '{request.id}' is used more than once.")
        taken.add(request.id)
    groups: set[str] = set()
    for group, _ in groupby(requests, key=lambda request: request.group):
        if group in taken:
            raise _bad(f"'{group}' is both an id and an atomicityGroup.")
        if group in groups:
            raise _bad(f"The requests of the atomicityGroup '{group}' are not adjacent.")
        if group is not None:
            groups.add(group)


def _refuse_target(request: Request) -> None:
    if request.verb not in METHODS:
        raise _bad(f"The method '{request.method}' of '{request.id}' is none of {', '.join(METHODS)}.")
    if request.url.startswith("/"):
        raise _bad(f"The url of '{request.id}' begins with a slash.")
    face = request.url.partition("/")[0].lower()
    if face == "batch":
        raise _bad(f"The request '{request.id}' is itself a batch request.")
    if face != "object":
        raise _bad(f"The url of '{request.id}' does not begin with 'Object': nothing else is supported.")
    if request.origin is not None and request.origin not in request.depends_on:
        raise _bad(f"The url of '{request.id}' refers to '${request.origin}', which dependsOn does not name.")


def _refuse_dependencies(request: Request, before: dict[str, Request]) -> None:
    """They precede, and both sides are outside of groups or in the same one."""
    for name in request.depends_on:
        other = before.get(name)
        if other is None:
            raise _bad(f"'{request.id}' depends on '{name}', which is no id of a preceding request.")
        if other.group != request.group:
            raise _bad(f"'{request.id}' depends on '{name}', which is not in the same atomicityGroup.")


def _bad(reason: str) -> Refusal:
    """A batch that breaks a rule: nothing of it is carried out. The code is a choice."""
    return Refusal(400, "InvalidBatch", reason)
