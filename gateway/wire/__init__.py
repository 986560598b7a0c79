"""The only way out: everything that leaves for an upstream goes through here, is metered and mapped.

``wire`` is the wire itself, ``gate`` what it asks before anything leaves, ``egress`` what may leave, ``departure`` the
moment at which it does, ``transport`` the connections, ``failures`` the table of what can go wrong, ``inflate`` the
answers' compression, ``settings`` the address and its limits, ``handshakes`` whom a connection leads to,
``certificates`` what those show of themselves, ``spans`` what traces show of it all. Nothing else in the house imports
httpx2 or aiohttp.
"""

from gateway.wire.settings import WireSettings
from gateway.wire.transport import AiohttpTransport
from gateway.wire.wire import Meter, SendReport, UpstreamWire

__all__ = ["AiohttpTransport", "Meter", "SendReport", "UpstreamWire", "WireSettings"]
