"""The password of Connector.ashx and SOAP arrives as it is, and is seen nowhere else, whatever goes wrong."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import quote, quote_plus
from xml.sax.saxutils import escape

import httpx2
import pytest

from adapters.sandbox import Sandbox, SandboxOptions
from adapters.sandbox.connectors.definitions import ConnectorUser
from adapters.sandbox.faults import Fault
from tests.support.servers import KEY, Served, gateway

PASSWORD = "p&ss <w\u00f6rd>'\"=+%/;\u20ac ]]> {x} \\ end"
USER = "J\u00f8rgen & co"
FORMS = (
    PASSWORD,
    quote(PASSWORD, safe=""),
    quote_plus(PASSWORD),
    escape(PASSWORD),
    escape(PASSWORD, {'"': "&quot;"}),
)
CONNECTORS = {
    "exports": {"Equipment": {"connector": "EXP_EQUIPMENT", "filters": ["Id"]}},
    "imports": {"Equipment": {"connector": "IMP_EQUIPMENT"}},
}
TENANTS = {
    "form": {"connector": CONNECTORS},
    "url": {"connector": {**CONNECTORS, "credentials_in_url": True}},
    "soap": {"soap": CONNECTORS},
}
READING = {"equipment": "00001", "point": "RUNHOURS", "at": "2022-04-15T06:00:00Z", "value": 1}
CALLS: tuple[tuple[str, str, object], ...] = (
    ("GET", "/objects/Equipment?limit=2", None),
    ("GET", "/objects/Equipment/00001", None),
    ("PATCH", "/objects/Equipment/00001", {"Model": "M"}),
    ("POST", "/measurements", {"measurements": [READING]}),
    ("POST", "/exports/EXP_EQUIPMENT", {"filter": {"Id": "00001"}}),
    (
        "POST",
        "/imports/IMP_EQUIPMENT",
        {"objects": [{"type": "Equipment", "action": "Update", "properties": {"Id": "00001"}}]},
    ),
)


@asynccontextmanager
async def served(
    tenant: str, password: str = PASSWORD
) -> AsyncIterator[tuple[Sandbox, Served, httpx2.AsyncClient]]:
    users = (ConnectorUser(name=USER, password=PASSWORD),)
    async with Sandbox(SandboxOptions(limits="off", users=users)) as sandbox:
        settings = {
            "adapters": TENANTS[tenant],
            "credentials": {"username": USER, "password": {"env": "PASSWORD"}},
        }
        async with (
            gateway(
                sandbox.url + "/api/v1",
                {"demo": settings},
                server={"log": {"format": "json", "level": "debug"}},
                secrets={"PASSWORD": password},
            ) as running,
            httpx2.AsyncClient(
                base_url=running.url, headers={"X-API-Key": KEY}, verify=False, timeout=20
            ) as client,
        ):
            yield sandbox, running, client


def seen(running: Served, *answers: httpx2.Response) -> list[str]:
    """The forms of the password that stand in an answer or in the log."""
    shown = "".join(f"{answer.headers}{answer.text}" for answer in answers) + running.log.getvalue().decode()
    shown += shown.encode().decode("unicode-escape", "replace")
    return [form for form in FORMS if form in shown]


@pytest.mark.parametrize("tenant", TENANTS)
async def test_an_awkward_password_arrives_and_is_shown_nowhere(tenant: str) -> None:
    async with served(tenant) as (_, running, client):
        answers = []
        for method, path, body in CALLS:
            answer = await client.request(method, f"/v1/demo{path}", json=body)
            assert answer.status_code == 200, answer.text
            separator = "&" if "?" in path else "?"
            planned = await client.request(method, f"/v1/demo{path}{separator}dry_run=true", json=body)
            assert "***" in planned.text
            answers += [answer, planned]
        metrics = await client.get("/metrics")
        assert seen(running, metrics, *answers) == []
        assert PASSWORD not in repr(running.gateway)


@pytest.mark.parametrize("tenant", TENANTS)
async def test_a_wrong_password_is_told_to_the_operator_without_it(tenant: str) -> None:
    async with served(tenant, password=PASSWORD + "x") as (_, running, client):
        answers = []
        for method, path, body in CALLS:
            answer = await client.request(method, f"/v1/demo{path}", json=body)
            problem = answer.json()
            if "results" in problem:
                (result,) = problem["results"]
                problem = result["error"]
            assert (problem["code"], problem["outcome"]) == ("upstream_auth_failed", "refused")
            answers.append(answer)
        assert seen(running, *answers) == []
        line = running.lines()[0]
        assert (line["adapter"], line["code"]) == (next(iter(TENANTS[tenant])), "upstream_auth_failed")


@pytest.mark.parametrize("tenant", TENANTS)
@pytest.mark.parametrize("written", FORMS, ids=["plain", "percent", "plus", "xml", "quot"])
async def test_an_upstream_that_repeats_the_password_is_not_repeated(tenant: str, written: str) -> None:
    async with served(tenant) as (sandbox, running, client):
        text = f"Ultimo.GeneralException: the request Password={written} was not understood"
        sandbox.faults.add(Fault(action="answer", count=None, status=500, body=text, media="text/plain"))
        answers = [await client.request(method, f"/v1/demo{path}", json=body) for method, path, body in CALLS]
        assert seen(running, *answers) == []


@pytest.mark.parametrize("tenant", TENANTS)
@pytest.mark.parametrize("action", ["reset", "truncate", "redirect"])
async def test_a_connection_that_fails_tells_of_no_password(tenant: str, action: str) -> None:
    async with served(tenant) as (sandbox, running, client):
        sandbox.faults.add(Fault(action=action, count=None))  # type: ignore[arg-type]
        answers = [await client.request(method, f"/v1/demo{path}", json=body) for method, path, body in CALLS]
        assert answers[2].status_code == 502
        assert seen(running, *answers) == []
