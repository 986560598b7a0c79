"""Which ends of certificates are known: those that were shown, and those in files that may be rotated."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from gateway.expiry import REREAD, Expiry, Shown
from gateway.keys import hash_key
from gateway.settings import Settings, parse
from tests.stores.claims import StoreClock

SOON, LATE = datetime(2031, 5, 1, tzinfo=UTC), datetime(2032, 6, 2, tzinfo=UTC)
AUTHORITY = datetime(3000, 1, 1, tzinfo=UTC)
Known = dict[tuple[str, str, str], datetime]


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


def write(path: Path, *certificates: trustme.Blob) -> None:
    path.write_bytes(b"".join(certificate.bytes() for certificate in certificates))


def settings(folder: Path) -> Settings:
    (folder / "client.key").touch()
    for name in ("ca.crt", "client.crt"):
        (folder / name).touch()
    certificate = {"cert_file": "client.crt", "key_file": "client.key"}
    demo = {
        "environment": "plant",
        "credentials": {"api_key": {"env": "KEY"}},
        "client_certificate": certificate,
    }
    document = {
        "environments": {
            "plant": {"rest": "https://up.example/api", "zone": "Europe/Amsterdam", "ca_file": "ca.crt"}
        },
        "tenants": {"demo": demo},
        "clients": {"erp": {"keys": [hash_key("k")], "scopes": ["read"], "tenants": ["*"]}},
    }
    return parse(msgspec.json.encode(document).decode(), {"KEY": "x"}, folder)


def known(expiry: Expiry) -> Known:
    return {(it.environment, it.kind, it.name): datetime.fromtimestamp(it.ends, UTC) for it in expiry.now()}


def test_files_are_read_again_after_a_minute(authority: trustme.CA, tmp_path: Path) -> None:
    clock, demo = StoreClock(), ("plant", "client", "demo")
    write(tmp_path / "ca.crt", authority.cert_pem)
    write(tmp_path / "client.crt", *authority.issue_cert("demo", not_after=LATE).cert_chain_pems)
    expiry = Expiry(settings(tmp_path), Shown(), clock)
    assert known(expiry) == {demo: LATE, ("plant", "ca", "ca_file"): AUTHORITY}
    write(tmp_path / "client.crt", *authority.issue_cert("demo", not_after=SOON).cert_chain_pems)
    clock.move(REREAD - 1)
    assert known(expiry)[demo] == LATE
    clock.move(1)
    assert known(expiry)[demo] == SOON


@pytest.mark.parametrize("content", [None, b"", b"no certificate"])
def test_a_file_that_cannot_be_read_is_left_out(
    authority: trustme.CA, tmp_path: Path, content: bytes | None
) -> None:
    expiry = Expiry(settings(tmp_path), Shown(), StoreClock())
    write(tmp_path / "ca.crt", authority.cert_pem)
    if content is None:
        (tmp_path / "client.crt").unlink()
    else:
        (tmp_path / "client.crt").write_bytes(content)
    assert known(expiry) == {("plant", "ca", "ca_file"): AUTHORITY}


def test_a_chain_ends_with_its_first_and_authorities_with_their_last(
    authority: trustme.CA, tmp_path: Path
) -> None:
    certificates = [
        authority.issue_cert("a", not_after=ends).cert_chain_pems[0] for ends in (LATE, SOON, LATE)
    ]
    for name in ("ca.crt", "client.crt"):
        write(tmp_path / name, *certificates)
    assert known(Expiry(settings(tmp_path), Shown(), StoreClock())) == {
        ("plant", "ca", "ca_file"): LATE,
        ("plant", "client", "demo"): SOON,
    }


def test_of_what_was_shown_the_last_counts_and_only_where_it_is_configured(
    authority: trustme.CA, tmp_path: Path
) -> None:
    shown = Shown()
    expiry = Expiry(settings(tmp_path), shown, StoreClock())
    for ends in (LATE, SOON):
        shown.noting("plant", "rest")(der(authority, ends))
    shown.noting("plant", "site")(der(authority, LATE))
    shown.noting("former", "rest")(der(authority, LATE))
    assert known(expiry) == {("plant", "upstream", "rest"): SOON}
    shown.noting("plant", "rest")(b"no certificate")
    assert known(expiry) == {}


def der(authority: trustme.CA, ends: datetime) -> bytes:
    pem = authority.issue_cert("up.example", not_after=ends).cert_chain_pems[0].bytes()
    return x509.load_pem_x509_certificate(pem).public_bytes(Encoding.DER)
