"""The description of the API: complete, valid, and readable."""

import re
from html.parser import HTMLParser

import pytest
from openapi_spec_validator import validate

from contracts import errors
from contracts.errors import GatewayError
from gateway.http import problems
from gateway.http.app import API_ROUTES, OPERATIONS_ROUTES
from gateway.http.openapi import document
from gateway.http.problem_kinds import KINDS
from tests.unit.http.serving import Served


def leaves(error: type[GatewayError]) -> set[type[GatewayError]]:
    derived = error.__subclasses__()
    return {error} if not derived else set().union(*map(leaves, derived))


def test_every_error_has_a_status_and_a_page() -> None:
    assert {error.code for error in leaves(GatewayError)} == set(KINDS)
    for kind in KINDS.values():
        assert 400 <= kind.status < 600
        assert kind.meaning.endswith(".")
        assert kind.advice.endswith(".")


def test_retry_after_is_on_every_429_and_503_and_on_a_key_under_way() -> None:
    for kind in KINDS.values():
        arguments = {
            "InvalidFilter": {"position": 0, "expected": "x"},
            "MethodNotAllowed": {"allowed": ("GET",)},
        }.get(kind.error.__name__, {})
        answer = problems.answer(kind.error("why", **arguments), "r")  # type: ignore[arg-type]
        assert (b"retry-after" in dict(answer.headers)) is (
            kind.status in (429, 503) or kind.error is errors.IdempotencyInFlight
        )


def test_without_a_known_wait_a_quota_is_waited_for_as_long_as_its_window() -> None:
    for given, expected in ((None, b"10"), (3.2, b"4"), (0.0, b"1")):
        answer = problems.answer(errors.QuotaExceeded("full", retry_after=given), "r")
        assert dict(answer.headers)[b"retry-after"] == expected


async def test_the_examples_of_bodies_are_accepted(api: Served) -> None:
    schemas = document()["components"]["schemas"]  # type: ignore[index]
    (example,) = schemas["RecordBody"]["examples"]
    assert (await api.send("PUT", "/v1/demo/objects/Equipment/00077", body=example)).status == 201
    assert (await api.send("POST", "/v1/demo/objects/Job", body=example)).status == 201


async def test_the_pages_name_the_host_that_they_were_asked_of(api: Served) -> None:
    assert b"GATEWAY=http://gw.plant:81 " in (await api.get("/docs", {"Host": "gw.plant:81"})).content
    assert b"<script" not in (await api.get("/docs", {"Host": "<script>"})).content
    assert b"Status eq 1" in (await api.get("/problems/invalid_filter")).content


def test_the_document_is_openapi() -> None:
    validate(document())


def test_the_document_and_the_routes_are_the_same_set() -> None:
    paths = document()["paths"]
    assert isinstance(paths, dict)
    described = {(path, method.upper()) for path, methods in paths.items() for method in methods}
    served = {(route.path, method) for route in API_ROUTES + OPERATIONS_ROUTES for method in route.endpoints}
    assert described == served


def test_every_operation_names_its_path_parameters() -> None:
    paths = document()["paths"]
    assert isinstance(paths, dict)
    for path, methods in paths.items():
        for operation in methods.values():
            named = {reference["$ref"].rpartition("/")[2] for reference in operation["parameters"]}
            assert set(re.findall(r"\{(\w+)\}", path)) <= named


class Links(HTMLParser):
    """What a page leads to, what it loads, and the places in it."""

    def __init__(self) -> None:
        super().__init__()
        self.targets: set[str] = set()
        self.places: set[str] = set()
        self.loaded: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if tag in ("script", "link", "img", "iframe"):
            self.loaded.append(tag)
        if "id" in values:
            self.places.add(str(values["id"]))
        if tag == "a":
            self.targets.add(str(values["href"]))


async def test_every_link_of_the_pages_leads_somewhere_and_nothing_is_loaded(api: Served) -> None:
    waiting, seen = ["/docs"], set[str]()
    while waiting:
        target = waiting.pop()
        seen.add(target)
        reply = await api.get(target, key="")
        assert reply.status == 200, target
        if not reply.headers["content-type"].startswith("text/html"):
            continue
        links = Links()
        links.feed(reply.content.decode())
        assert links.loaded == []
        for link in links.targets:
            page, _, place = link.partition("#")
            assert place == "" or place in links.places, link
            if page and page not in seen and page not in waiting:
                waiting.append(page)
    assert {f"/problems/{code}" for code in KINDS} <= seen
    assert "/openapi.json" in seen


@pytest.mark.parametrize("path", ["/problems/%3Cscript%3E", "/problems/none"])
async def test_a_code_that_there_is_not_is_no_page(api: Served, path: str) -> None:
    assert (await api.get(path)).code == "route_not_found"
