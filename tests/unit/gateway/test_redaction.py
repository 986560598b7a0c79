"""No secret in any line: by name, by value, however it is written."""

from __future__ import annotations

import base64
import io
import json
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, quote_plus
from xml.sax.saxutils import escape

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gateway.keys import new_key
from gateway.settings import LogSettings
from gateway.telemetry.log import build_logger
from gateway.telemetry.redaction import Redactor

SECRETS = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), min_size=4, max_size=40)
AROUND = st.text(st.characters(codec="ascii", categories=["L", "N", "P", "Zs"]), max_size=30)


def written(form: str, *secrets: str, **fields: Any) -> str:
    stream = io.BytesIO()
    log = build_logger(LogSettings(format=form), stream, Redactor(secrets))  # type: ignore[arg-type]
    log.info("x", **fields)
    return stream.getvalue().decode()


@pytest.mark.parametrize(
    "name",
    ["authorization", "Authorization", "apikey", "ApiKey", "api_key", "x-api-key", "password", "client_secret",
     "access_token", "Set-Cookie", "credentials"],
)  # fmt: skip
def test_a_value_is_hidden_by_its_name_at_any_depth(name: str) -> None:
    line = json.loads(
        written("json", fields=1, headers={name: "v1", "accept": "x"}, sends=[{"deep": ({name: ["v2"]},)}])
    )
    assert line["headers"] == {name: "***", "accept": "x"}
    assert line["sends"] == [{"deep": [{name: "***"}]}]
    assert json.loads(written("json", **{name: "v3"}))[name] == "***"


def test_ordinary_names_stay() -> None:
    fields = {"key": "0…1", "idempotency_key": "k", "tenant": "demo", "author": "me", "show_keys": True}
    assert json.loads(written("json", **fields)).items() >= fields.items()


def in_an_attribute(text: str) -> str:
    """As an attribute of XML has it."""
    return escape(text, {'"': "&quot;"})


WAYS: list[Callable[[str], str]] = [
    lambda secret: secret,
    lambda secret: quote(secret, safe=""),
    lambda secret: re.sub(r"%..", lambda escape: escape[0].lower(), quote(secret, safe="")),
    quote,
    quote_plus,
    escape,
    in_an_attribute,
]


@pytest.mark.parametrize("way", range(len(WAYS)))
@pytest.mark.parametrize("form", ["json", "text"])
@given(secret=SECRETS, before=AROUND, after=AROUND)
@example(secret='a"b\\c/d e', before="", after="")
@example(secret="é€𝄞-é€𝄞", before="x", after="")
@example(secret="sandbox-demo", before="key=", after="&")
def test_a_value_is_hidden_however_it_is_written(
    way: int, form: str, secret: str, before: str, after: str
) -> None:
    line = written(
        form, secret, detail=f"{before}{WAYS[way](secret)}{after}", deep=[{"a": (WAYS[way](secret),)}]
    )
    assert "***" in line
    # What stands around it may happen to hold a short secret, and the line's own names too.
    if len(secret) > 8 and secret not in before + after:
        assert secret not in line
        assert json.dumps(secret)[1:-1] not in line


@given(secret=st.text(st.characters(codec="ascii", categories=["L", "N", "P"]), min_size=8, max_size=50),
       user=st.text(st.characters(codec="ascii", categories=["L"]), max_size=9))  # fmt: skip
def test_a_value_inside_base64_is_hidden(secret: str, user: str) -> None:
    encoded = base64.b64encode(f"{user}:{secret}".encode()).decode()
    shown = json.loads(written("json", secret, header=f"Basic {encoded}"))["header"]
    # Two characters at each end may mix the secret with its neighbours; the rest must be gone.
    core = base64.b64encode(f"{user}:{secret}".encode()).decode().rstrip("=")[-len(secret) :][2:-2]
    assert core not in shown


def test_a_value_in_an_exception_is_hidden() -> None:
    line = written(
        "json", "a-long-secret-value-0123456789", exc_info=ValueError("was a-long-secret-value-0123456789")
    )
    assert "a-long-secret" not in line
    assert json.loads(line)["exception"].endswith("was ***")


def test_a_value_in_the_name_of_a_field_or_in_bytes_is_hidden() -> None:
    secret = "a-long-secret-value-0123456789"
    assert secret not in written("json", secret, deep={secret: 1, "raw": secret.encode()})
    assert base64.b64encode(secret.encode()).decode() not in written("json", secret, raw=secret.encode())


@pytest.mark.parametrize(
    "text",
    [new_key()[0], "Bearer abc.def", "bearer abc", "eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0.sig"],
    ids=["key", "Bearer", "bearer", "JWT"],
)
def test_what_looks_like_a_credential_is_hidden_though_nobody_configured_it(text: str) -> None:
    shown = json.loads(written("json", detail=f"got {text} here"))["detail"]
    assert text.split(" ")[-1] not in shown
    assert shown.startswith("got ")
    assert shown.endswith(" here")


def test_of_two_secrets_that_begin_alike_nothing_stays() -> None:
    assert json.loads(written("json", "abcdefgh", "abcdefgh-12345678", a="abcdefgh-12345678"))["a"] == "***"


def test_numbers_and_structure_survive_the_scrubbing() -> None:
    line = json.loads(
        written("json", "sandbox-demo", a="sandbox-demo", n=1.5, b=True, none=None, list=[1, {"x": 2}])
    )
    assert line.items() >= {"a": "***", "n": 1.5, "b": True, "none": None, "list": [1, {"x": 2}]}.items()


@given(st.lists(SECRETS, max_size=5), st.binary(max_size=200))
def test_a_line_is_suspected_whenever_it_holds_a_secret(secrets: list[str], noise: bytes) -> None:
    redactor = Redactor(secrets)
    for secret in secrets:
        for at in range(0, len(noise) + 1, 7):
            assert redactor.suspects(noise[:at] + secret.encode() + noise[at:])


def test_a_line_without_a_secret_is_not_suspected() -> None:
    redactor = Redactor([new_key()[0] for _ in range(200)])
    line = b'{"timestamp":"2025-06-15T15:06:40.250Z","level":"info","event":"call","tenant":"demo"}'
    assert not redactor.suspects(line)


def test_a_text_that_is_no_line_is_rid_of_secrets_too() -> None:
    redactor = Redactor(["a-long-secret & more", "abcd"])
    assert redactor.text("was a-long-secret &amp; more, abcd") == "was ***, ***"
    assert redactor.text("nothing of it") == "nothing of it"
    assert redactor.text("\ud800 abcd") == "\ud800 ***"
