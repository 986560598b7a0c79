"""Workflows: how they are found, what goes out, and what an answer really says."""

from __future__ import annotations

import json

import msgspec
import pytest

from adapters.rest.actions import Workflows, action_done, action_request
from adapters.rest.catalogue import CATALOGUE
from adapters.rest.options import ActionOptions, RestOptions
from contracts.errors import ActionNotFound, UpstreamInvalidResponse, UpstreamRejected
from contracts.operations import RunAction
from contracts.wire import WireResponse


def done(body: object) -> dict[str, object]:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return dict(action_done(WireResponse(200, {}, content)).result)


def test_built_in_workflows_are_found_in_any_case() -> None:
    found = Workflows({}).find("rest_reportjob")
    assert (found.name, found.element) == ("REST_ReportJob", CATALOGUE["REST_ReportJob"])


def test_a_tenant_adds_and_overrides_workflows() -> None:
    own = {
        "_Mine": ActionOptions("0123456789abcdef0123456789ABCDEF"),
        "REST_ReportJob": ActionOptions("01234567-89ab-cdef-0123-456789abcdef"),
    }
    workflows = Workflows(own)
    assert workflows.find("_mine").element == "0123456789abcdef0123456789ABCDEF"
    assert workflows.find("REST_ReportJob").element == "01234567-89ab-cdef-0123-456789abcdef"


@pytest.mark.parametrize("element", ["", "x", "01234567-89ab-cdef-0123456789abcdef", "0" * 31])
def test_an_element_id_that_is_none_stops_the_start(element: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=r"actions\[\.\.\.\]\.element"):
        msgspec.convert({"actions": {"_Mine": {"element": element}}}, RestOptions)


def test_an_unknown_workflow_is_not_sent() -> None:
    with pytest.raises(ActionNotFound, match="_Nobody"):
        Workflows({}).find("_Nobody")


def test_a_slip_in_the_name_of_a_workflow_gets_a_hint() -> None:
    own = {"_Weigh": ActionOptions("0" * 32)}
    with pytest.raises(ActionNotFound, match='did you mean "REST_ReportJob"'):
        Workflows(own).find("rest_reportjobb")
    with pytest.raises(ActionNotFound, match='did you mean "_Weigh"'):
        Workflows(own).find("_Weight")


def test_a_workflow_without_an_element_id_sends_none() -> None:
    operation = RunAction(name="REST_Article_Import", arguments={"a": 1})
    request = action_request(operation, Workflows({}).find(operation.name), ())
    assert request.headers == (("Content-Type", "application/json"),)
    assert (request.method, request.target, request.content) == (
        "POST",
        "/action/REST_Article_Import",
        b'{"a":1}',
    )


@pytest.mark.parametrize(
    ("body", "result"),
    [
        ({"properties": {"JobId": "0000123"}}, {"JobId": "0000123"}),
        ({"Properties": {"JobId": "0000123"}}, {"JobId": "0000123"}),
        ({}, {}),
        (b"", {}),
        ({"properties": None}, {}),
        ({"properties": {"Output": {"object": '{"a": [1, "02"]}'}}}, {"Output": {"a": [1, "02"]}}),
        ({"properties": {"Output": {"object": "plain"}}}, {"Output": "plain"}),
        ({"properties": {"Output": {"object": "{broken"}}}, {"Output": "{broken"}),
        ({"properties": {"Output": {"collection": ['{"a":1}', {"b": 2}]}}}, {"Output": [{"a": 1}, {"b": 2}]}),
        ({"properties": {"Output": "[1]", "Other": "[1]"}}, {"Output": [1], "Other": "[1]"}),
        ({"properties": {"message": "", "JobId": "1"}}, {"message": "", "JobId": "1"}),
        (
            {"properties": {"ResponseSummary": {"Succes": True}, "X": 1}},
            {"ResponseSummary": {"Succes": True}, "X": 1},
        ),
    ],
)
def test_what_an_answer_unwraps_to(body: object, result: object) -> None:
    assert done(body) == result


@pytest.mark.parametrize(
    ("properties", "detail", "code"),
    [
        ({"message": "Room taken.\r\nCause: x", "code": 1015}, "Room taken. Cause: x", "1015"),
        ({"Message": "no"}, "no", None),
        ({"ResponseSummary": {"Succes": False, "Message": "wrong"}}, "wrong", None),
        ({"ResponseSummary": {"Success": "False"}}, "the action says that it did not succeed", None),
        ({"Output": {"object": '{"ResponseSummary": {"Succes": false, "Message": "m"}}'}}, "m", None),
    ],
)
def test_a_refusal_inside_a_200_is_an_error(properties: object, detail: str, code: str | None) -> None:
    with pytest.raises(UpstreamRejected) as caught:
        done({"properties": properties})
    assert caught.value.detail == detail
    assert caught.value.upstream is not None
    assert (caught.value.upstream.status, caught.value.upstream.code) == (200, code)


@pytest.mark.parametrize("body", [b"<html>", b"[1]", b"\xff", b'{"properties": 3}', b"[" * 100_000])
def test_an_answer_that_makes_no_sense(body: bytes) -> None:
    with pytest.raises(UpstreamInvalidResponse):
        done(body)
