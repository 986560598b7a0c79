"""What a certificate says of itself: whom it is for, who made it, and until when it holds (RFC 5280 §4.1.2)."""

from __future__ import annotations

from pathlib import Path

import msgspec
from cryptography import x509
from cryptography.x509.oid import NameOID


class Certificate(msgspec.Struct, frozen=True):
    """One certificate. ``names`` are the hosts and addresses that it is for, ``subject`` and ``issuer`` common names.

    ``not_before`` and ``not_after`` are Unix seconds. Who has no common name is told by the whole name, as RFC 4514
    writes it.
    """

    subject: str
    issuer: str
    names: tuple[str, ...]
    not_before: float
    not_after: float


def of_peer(der: bytes) -> Certificate:
    """The certificate that a peer has shown, in DER. Raises :class:`ValueError` where that is none."""
    return _read(x509.load_der_x509_certificate(der))


def of_file(path: Path) -> tuple[Certificate, ...]:
    """The certificates of a PEM file, in its order; a private key beside them is passed over.

    Raises :class:`OSError` when it cannot be read, :class:`ValueError` when no certificate is in it.
    """
    return tuple(_read(found) for found in x509.load_pem_x509_certificates(path.read_bytes()))


def expiry_of_peer(der: bytes) -> float:
    """When the certificate of a peer ends, in Unix seconds. Raises :class:`ValueError`."""
    return of_peer(der).not_after


def expiry_of_file(path: Path) -> float:
    """When the first of the certificates in a PEM file ends, in Unix seconds.

    Raises :class:`OSError` when it cannot be read, :class:`ValueError` when no certificate is in it.
    """
    return min(found.not_after for found in of_file(path))


def _read(found: x509.Certificate) -> Certificate:
    return Certificate(
        subject=_common(found.subject),
        issuer=_common(found.issuer),
        names=_names(found),
        not_before=found.not_valid_before_utc.timestamp(),
        not_after=found.not_valid_after_utc.timestamp(),
    )


def _common(name: x509.Name) -> str:
    found = name.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(found[0].value) if found else name.rfc4514_string()


def _names(found: x509.Certificate) -> tuple[str, ...]:
    try:
        extension = found.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return ()
    hosts = extension.value.get_values_for_type(x509.DNSName)
    return (*hosts, *map(str, extension.value.get_values_for_type(x509.IPAddress)))
