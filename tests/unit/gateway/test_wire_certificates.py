"""What a certificate says of itself, read from files and from what a peer shows."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime
from pathlib import Path

import pytest
import trustme

from gateway.wire.certificates import expiry_of_file, expiry_of_peer, of_file, of_peer

ENDS = datetime(2031, 5, 4, 3, 2, 1, tzinfo=UTC)
SOONER = datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC)


@pytest.fixture(scope="module")
def leaf() -> trustme.LeafCert:
    authority = trustme.CA(organization_name="Plant A")
    return authority.issue_cert("plant-a.example", "127.0.0.1", common_name="plant-a", not_after=ENDS)


def test_a_peer_is_told_by_whom_it_is_for_and_until_when(leaf: trustme.LeafCert) -> None:
    der = ssl.PEM_cert_to_DER_cert(leaf.cert_chain_pems[0].bytes().decode())
    found = of_peer(der)
    assert (found.subject, found.names) == ("plant-a", ("plant-a.example", "127.0.0.1"))
    # An authority without a common name is told by all of its name.
    assert "O=Plant A" in found.issuer
    assert found.not_after == ENDS.timestamp() == expiry_of_peer(der)
    assert found.not_before < datetime.now(UTC).timestamp()


def test_of_a_file_the_certificate_that_ends_first_counts(leaf: trustme.LeafCert, tmp_path: Path) -> None:
    other = trustme.CA().issue_cert("other.example", not_after=SOONER)
    both = tmp_path / "both.pem"
    both.write_bytes(
        leaf.private_key_pem.bytes() + leaf.cert_chain_pems[0].bytes() + other.cert_chain_pems[0].bytes()
    )
    assert [found.not_after for found in of_file(both)] == [ENDS.timestamp(), SOONER.timestamp()]
    assert expiry_of_file(both) == SOONER.timestamp()


def test_what_is_no_certificate_is_refused(tmp_path: Path) -> None:
    empty = tmp_path / "empty.pem"
    empty.write_text("nothing here\n")
    with pytest.raises(ValueError):
        expiry_of_file(empty)
    with pytest.raises(ValueError):
        expiry_of_peer(b"nothing here")
    with pytest.raises(OSError):
        expiry_of_file(tmp_path / "absent.pem")
