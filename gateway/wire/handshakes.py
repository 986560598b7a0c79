"""Whom a connection leads to: told once for each, when its TLS handshake is over."""

from __future__ import annotations

import ssl
from collections.abc import Callable

Met = Callable[[bytes], None]
"""Is told of the certificate (DER) that the other side has shown."""


def telling(met: Met) -> type[ssl.SSLObject]:
    """The class of a context's TLS connections that tell ``met`` (see ``SSLContext.sslobject_class``)."""

    class Telling(ssl.SSLObject):
        def do_handshake(self) -> None:
            super().do_handshake()
            certificate = self.getpeercert(binary_form=True)
            if certificate is not None:
                met(certificate)

    return Telling
