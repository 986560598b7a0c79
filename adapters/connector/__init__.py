"""The Connector.ashx adapter: export and import connectors over HTTP POST.

options.py  what a tenant may set
channel.py  how a call is wrapped: a form, or XML and a query

Everything else it shares with the SOAP adapter (:mod:`adapters._connectors`).
"""

from adapters._connectors.adapter import ConnectorsAdapter
from adapters.connector.channel import AshxChannel
from adapters.connector.options import AshxOptions
from contracts.adapter import API_VERSION, AdapterContext, AdapterSpec
from contracts.wire import Slot


def open_adapter(context: AdapterContext) -> ConnectorsAdapter:
    """Raises UnusableOptions."""
    if not isinstance(context.options, AshxOptions):
        raise TypeError("the Connector.ashx adapter takes AshxOptions")
    return ConnectorsAdapter(context, AshxChannel(context.options))


SPEC = AdapterSpec(
    name="connector",
    api_version=API_VERSION,
    interface="site",
    summary="export and import connectors over HTTP POST (/WebServices/Connector.ashx)",
    options=AshxOptions,
    open=open_adapter,
    credentials=(Slot.USERNAME, Slot.PASSWORD),
)
