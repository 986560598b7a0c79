"""Whom connections lead to: the TLS contexts of pools, and who is told of each handshake that is over."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Hashable

from gateway.wire.settings import WireSettings

Met = Callable[[bytes], None]
"""Is told of the certificate (DER) that the other side has shown."""


class Contexts:
    """The TLS contexts of one configuration.

    Each holds all authorities that are trusted, a megabyte which takes 20 ms to read. So tenants share them, but for
    those that show a certificate of their own.
    """

    def __init__(self) -> None:
        self._made: dict[Hashable, ssl.SSLContext] = {}

    def leading_to(self, whom: Hashable, settings: WireSettings, met: Met) -> ssl.SSLContext:
        """The one for connections to ``whom``, of which ``met`` is told. Raises as :meth:`WireSettings.tls` does."""
        key = whom, settings.ca_file, settings.client_cert, settings.client_key, settings.encrypts
        context = self._made.get(key)
        if context is None:
            context = self._made[key] = settings.tls()
            context.sslobject_class = _telling(met)
        return context


def _telling(met: Met) -> type[ssl.SSLObject]:
    """The class of a context's connections that tell ``met`` (see ``SSLContext.sslobject_class``)."""

    class Telling(ssl.SSLObject):
        def do_handshake(self) -> None:
            super().do_handshake()
            certificate = self.getpeercert(binary_form=True)
            if certificate is not None:
                met(certificate)

    return Telling
