"""The faces of the site, outside ``/api/v1``: found by the end of a path, in any case, below any sub path."""

import re
from collections.abc import Awaitable, Callable
from urllib.parse import unquote_plus

from adapters.sandbox.connectors.ashx import Ashx
from adapters.sandbox.connectors.desk import Desk
from adapters.sandbox.connectors.sitecall import SiteCall
from adapters.sandbox.connectors.soap import Soap
from adapters.sandbox.exchange import Answer
from adapters.sandbox.options import SandboxOptions
from adapters.sandbox.records import Store

SiteFace = Callable[[SiteCall], Awaitable[Answer]]

_CREDENTIALS = ("username", "password")


class Sites:
    """``<site>/WebServices/Connector.ashx`` and ``<site>/WebServices/SoapConnector.svc``."""

    def __init__(self, store: Store, options: SandboxOptions) -> None:
        desk = Desk(store, options)
        self._faces: dict[str, SiteFace] = {
            "/webservices/connector.ashx": Ashx(desk, options).handle,
            "/webservices/soapconnector.svc": Soap(desk, options).handle,
        }

    def face(self, path: str) -> SiteFace | None:
        """The face of a path, or ``None`` when it is none of the site's."""
        folded = path.lower()
        return next((face for end, face in self._faces.items() if folded.endswith(end)), None)


def without_credentials(target: str) -> str:
    """A raw path with query in which user names and passwords are replaced by stars."""
    path, mark, query = target.partition("?")
    return path + mark + re.sub(r"([^&]*?)=([^&]*)", _masked, query)


def _masked(match: re.Match[str]) -> str:
    name = match.group(1)
    return f"{name}=***" if unquote_plus(name).lower() in _CREDENTIALS else match.group()
