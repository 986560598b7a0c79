"""What is told of clocks, troubles and lines, from values alone."""

from __future__ import annotations

import ssl
from email.utils import formatdate
from itertools import product
from zoneinfo import ZoneInfo

import pytest

from adapters.rest import SPEC as REST
from contracts.adapter import AdapterContext, TenantProfile
from contracts.errors import (
    DeadlineExceeded,
    GatewayError,
    OperationNotSupported,
    Overloaded,
    QuotaExceeded,
    StoreUnavailable,
    UpstreamAnswer,
    UpstreamAuthFailed,
    UpstreamUnavailable,
)
from contracts.operations import RunExport
from gateway.doctor import Report, Verdict, editions, rendered
from gateway.doctor.answers import clock, credential, request
from gateway.doctor.connection import authorities, client_certificate, connection
from gateway.doctor.findings import Place, TenantReport, ok, unknown, wrong
from gateway.doctor.question import AdapterFailed, Asked, OneAlone, Question
from gateway.settings import data_model
from gateway.wire.certificates import Certificate
from gateway.wire.observed import Answer
from gateway.wire.probe import Probe, Step
from gateway.wire.troubles import ProxyRefused, Trouble, trouble

NOW = 1_795_000_000.0
DAY = 86_400
PLACE = Place("erp", "plant-a", "site")
ASKED = Question(adapter="foreign", operation=RunExport(name="x"), text="something")


@pytest.mark.parametrize(
    ("ahead", "seconds", "verdict", "text"),
    [
        (0, 0.2, Verdict.OK, "0.5 s ahead of ours, give or take 0.6 s"),
        (-20, 0.2, Verdict.OK, "19.5 s behind ours"),
        (31, 4.0, Verdict.OK, "31.5 s ahead of ours, give or take 2.5 s"),
        (31, 0.2, Verdict.WRONG, "31.5 s ahead of ours, give or take 0.6 s"),
        (-3600, 0.2, Verdict.WRONG, "3599.5 s behind ours"),
    ],
)
def test_clocks_may_differ_by_what_the_way_blurs_and_half_a_minute(
    ahead: int, seconds: float, verdict: Verdict, text: str
) -> None:
    finding = clock(Answer(200, {"date": formatdate(NOW + ahead, usegmt=True)}, NOW, seconds))
    assert finding.verdict is verdict
    assert text in finding.text


@pytest.mark.parametrize("headers", [{}, {"date": "yesterday"}])
def test_a_clock_that_is_not_told_is_not_known(headers: dict[str, str]) -> None:
    assert clock(Answer(200, headers, NOW, 0.1)).verdict is Verdict.UNKNOWN


@pytest.mark.parametrize(
    ("error", "verdict", "words"),
    [
        (None, Verdict.UNKNOWN, ""),
        (UpstreamAuthFailed("no key"), Verdict.UNKNOWN, ""),
        (Overloaded("busy"), Verdict.UNKNOWN, "--timeout"),
        (OperationNotSupported("no lists"), Verdict.UNKNOWN, "--entity"),
        (QuotaExceeded("full"), Verdict.WRONG, "ultimo-gateway quota"),
        (StoreUnavailable("lost"), Verdict.WRONG, "put the store right"),
        (UpstreamUnavailable("no connection"), Verdict.WRONG, "check environments.plant-a.site"),
        (AdapterFailed("KeyError"), Verdict.WRONG, "whoever makes the adapter"),
    ],
)
def test_what_kept_a_request_from_leaving_is_wrong_unless_another_try_may_tell(
    error: GatewayError | None, verdict: Verdict, words: str
) -> None:
    finding = request(Asked(requests=0, units=0, waited=0.0, error=error), ASKED, PLACE)
    assert finding.verdict is verdict
    assert finding.text.startswith("nothing was sent over foreign: ")
    assert words in finding.advice


@pytest.mark.parametrize(
    ("error", "verdict", "words"),
    [
        (OneAlone("another"), Verdict.UNKNOWN, "foreign needs several requests"),
        (AdapterFailed("KeyError"), Verdict.WRONG, "whoever makes the adapter"),
        (DeadlineExceeded("late"), Verdict.WRONG, "the answer began, and did not end"),
    ],
)
def test_an_adapter_that_makes_nothing_of_an_answer_says_nothing_of_the_credential(
    error: GatewayError, verdict: Verdict, words: str
) -> None:
    asked = Asked(requests=1, units=1, waited=0.0, answer=Answer(200, {}, NOW, 0.1), error=error)
    finding = request(asked, ASKED, PLACE)
    assert finding.verdict is verdict
    assert words in finding.advice
    assert credential(asked, ASKED, PLACE, REST).verdict is Verdict.UNKNOWN


def test_a_key_that_is_known_and_may_not_is_told_from_one_that_is_not_known() -> None:
    said = UpstreamAnswer("rest", 403, "Forbidden")
    asked = Asked(
        requests=1,
        units=1,
        waited=0.0,
        answer=Answer(403, {}, NOW, 0.1),
        error=UpstreamAuthFailed("no", upstream=said),
    )
    finding = credential(asked, ASKED, PLACE, REST)
    assert finding.verdict is Verdict.WRONG
    assert finding.text.startswith("403 Forbidden: tenants.erp.credentials.api_key may not do this")
    assert "list of addresses" in finding.advice


@pytest.mark.parametrize(
    ("address", "verdict"),
    [
        ("https://plant-a.ultimo.net/api/v1", Verdict.OK),
        ("https://ultimo.net.example/api/v1", Verdict.UNKNOWN),
    ],
)
def test_a_host_of_the_vendors_cloud_tells_the_edition(address: str, verdict: Verdict) -> None:
    context = AdapterContext(
        base_url=address,
        schema=data_model({}),
        zone=ZoneInfo("UTC"),
        profile=TenantProfile(),
        options=REST.options(),
    )
    asked = Asked(requests=1, units=1, waited=0.0, answer=Answer(200, {}, NOW, 0.1))
    question = Question(adapter="rest", operation=RunExport(name="x"), text="something")
    *_, edition = editions.found({"rest": REST.open(context)}, question, asked, PLACE, address)
    assert (edition.about, edition.verdict) == ("edition", verdict)


def certificate(begins: int, ends: int) -> Certificate:
    """One that holds from so many days from now on, up to so many."""
    return Certificate("ours", "Plant CA", (), NOW + begins * DAY, NOW + ends * DAY)


def test_of_the_certificates_in_a_file_an_old_one_is_no_harm_beside_one_that_holds() -> None:
    old, good = certificate(-400, -30), certificate(-30, 400)
    for found, verdict in (
        ([good], Verdict.OK),
        ([old, good], Verdict.UNKNOWN),
        ([old, old], Verdict.WRONG),
    ):
        assert authorities(found, NOW, "environments.plant-a.ca_file").verdict is verdict
    for found, verdict, text in (
        ([good], Verdict.OK, "400 days left"),
        ([good, old], Verdict.WRONG, "over for 30 days"),
        ([certificate(1, 400)], Verdict.WRONG, "it is not valid yet"),
    ):
        finding = client_certificate(found, NOW, PLACE.certificate)
        assert finding.verdict is verdict
        assert text in finding.text


def test_every_trouble_at_every_step_has_a_sentence_and_an_advice() -> None:
    for found, step, proxied in product(Trouble, Step, (False, True)):
        tried = Probe(
            host="plant-a.example", peer="plant-a.example:443", proxied=proxied, step=step, trouble=found
        )
        worst = connection(tried, PLACE, NOW)[-1]
        assert worst.verdict is Verdict.WRONG
        assert worst.advice, (found, step)
        assert "{" not in worst.text + worst.advice


def test_whoever_shows_a_certificate_and_is_turned_away_is_told_so() -> None:
    ended = ssl.SSLError()
    ended.reason = "SSLV3_ALERT_HANDSHAKE_FAILURE"
    assert trouble(ended, with_certificate=False) is Trouble.CLIENT_CERTIFICATE_WANTED
    assert trouble(ended, with_certificate=True) is Trouble.CLIENT_CERTIFICATE_REFUSED
    assert trouble(ProxyRefused("403"), with_certificate=True) is Trouble.PROXY_REFUSED
    assert trouble(OSError("no route"), with_certificate=False) is Trouble.NO_ROUTE


def test_a_line_begins_with_its_mark_and_breaks_no_address() -> None:
    long = "https://" + "a" * 120 + ".example/api/v1"
    tenant = TenantReport(
        tenant="erp",
        environment="plant-a",
        requests=1,
        units=0,
        interfaces=(),
        findings=(ok("clock", "agrees"), wrong("connection", f"no way to {long}", "ask " + "again " * 40)),
    )
    report = Report(
        version="1",
        config="c0ffee",
        configuration=(unknown("environments.plant-a.rest", "does not end in '/api/v1'"),),
        tenants=(tenant,),
    )
    lines = rendered(report).splitlines()
    assert "    unknown environments.plant-a.rest does not end in '/api/v1'" in lines
    assert "tenant erp (environment plant-a): 1 request sent, which does not count in the quota" in lines
    assert any(line.startswith("    ok      clock") for line in lines)
    assert any(line.startswith("    WRONG   connection") for line in lines)
    assert any(long in line for line in lines)
    assert lines[-1] == "1 wrong, 1 unknown. 0 of the quota's units spent."
