"""What a tenant may set for the Connector.ashx adapter."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from adapters._connectors.options import ConnectorOptions


class AshxOptions(ConnectorOptions, frozen=True, forbid_unknown_fields=True):
    """How XML is sent, beside the connectors.

    The vendor shows two ways: the XML is the body, and everything else, user name and password too, stands
    in the URL, where proxies log it; or all is key-value pairs in the body, the XML a single one of them,
    whose name no page tells. Without ``credentials_in_url`` the second one is taken, and ``xml_field`` is
    that name.
    """

    credentials_in_url: bool = False
    xml_field: Annotated[str, Meta(min_length=1, description="the name of a form field")] = "Data"
