"""The SOAP adapter: export and import connectors over ``SoapConnector.svc`` (SOAP 1.1, WCF).

codec.py     requests and faults, by the pinned description of the service (``adapters/wsdl``)
envelope.py  the envelope of an answer, read as it comes
channel.py   the two put together: how a call is wrapped, and how its answer is unwrapped

Everything else it shares with the Connector.ashx adapter (:mod:`adapters._connectors`).
"""

from adapters._connectors.adapter import ConnectorsAdapter
from adapters._connectors.options import ConnectorOptions
from contracts.adapter import API_VERSION, AdapterContext, AdapterSpec
from contracts.wire import Slot


def open_adapter(context: AdapterContext) -> ConnectorsAdapter:
    """Raises UnusableOptions."""
    # zeep takes a quarter of a second to load: only who speaks SOAP waits for it.
    from adapters.soap.channel import SoapChannel

    return ConnectorsAdapter(context, SoapChannel())


SPEC = AdapterSpec(
    name="soap",
    api_version=API_VERSION,
    interface="site",
    summary="export and import connectors over SOAP (/WebServices/SoapConnector.svc)",
    options=ConnectorOptions,
    open=open_adapter,
    credentials=(Slot.USERNAME, Slot.PASSWORD),
)
