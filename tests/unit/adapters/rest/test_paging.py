"""nextPageLink ↔ continuation: only the configured address is followed, and only its parameters are kept."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.rest.paging import continuation, resumed
from contracts.errors import UpstreamInvalidResponse

BASE = "https://plant.example/Ultimo/api/v1"


def test_a_list_ends_where_no_link_is_given() -> None:
    assert continuation(None, BASE, {}, 17) is None
    assert continuation("", BASE, {"top": "50"}, 17) is None


def test_a_link_is_kept_as_the_parameters_that_it_changes() -> None:
    link = f"{BASE}/object/Equipment?filter=Status eq 1&skip=1000"
    assert continuation(link, BASE, {"filter": "Status eq 1"}, 1000) == "skip=1000"


def test_a_link_may_spell_parameters_with_a_dollar_and_paths_in_any_case() -> None:
    link = "https://PLANT.example:443/ultimo/API/V1/object/Equipment?$skip=5&$skiptoken=x%26y"
    token = continuation(link, BASE, {}, 5)
    assert resumed({"filter": "a eq 1"}, token) == {"filter": "a eq 1", "skip": "5", "skiptoken": "x&y"}


def test_the_size_of_the_page_stays_the_callers() -> None:
    """What is left of ``top`` on the second page of the upstream must not shrink the caller's pages."""
    token = continuation(f"{BASE}/object/Equipment?skip=500&top=300", BASE, {"top": "800"}, 500)
    assert resumed({"top": "800"}, token) == {"top": "800", "skip": "500"}


@pytest.mark.parametrize(
    "link",
    [
        "http://plant.example/Ultimo/api/v1/object/Equipment?skip=1",
        "https://evil.example/Ultimo/api/v1/object/Equipment?skip=1",
        "https://plant.example:444/Ultimo/api/v1/object/Equipment?skip=1",
        "https://plant.example/Ultimo/api/v2/object/Equipment?skip=1",
        "https://plant.example/other?skip=1",
        "https://user@plant.example/Ultimo/api/v1/object/Equipment?skip=1",
        "https://plant.example.evil/Ultimo/api/v1/object/Equipment?skip=1",
        "//evil.example/Ultimo/api/v1/object/Equipment?skip=1",
        "/Ultimo/api/v1/object/Equipment?skip=1",
        "https://[::1/Ultimo/api/v1/object",
        "https://plant.example:x/Ultimo/api/v1/object?skip=1",
    ],
)
def test_a_link_that_leads_away_is_refused_and_not_quoted(link: str) -> None:
    with pytest.raises(UpstreamInvalidResponse) as caught:
        continuation(link, BASE, {}, 1)
    assert "example" not in caught.value.detail


def test_a_link_to_the_same_page_is_refused() -> None:
    with pytest.raises(UpstreamInvalidResponse, match="same page"):
        continuation(f"{BASE}/object/Equipment?skip=1000", BASE, {"skip": "1000"}, 1000)


def test_a_full_page_without_a_link_goes_on_behind_it() -> None:
    assert continuation(None, BASE, {"top": "5"}, 5) == "skip=5"
    assert continuation(None, BASE, {"top": "5", "skip": "10"}, 5) == "skip=15"
    assert continuation(None, BASE, {"top": "5"}, 4) is None
    assert continuation(None, BASE, {"top": "0"}, 0) is None


@given(st.dictionaries(st.sampled_from(["skip", "skiptoken", "cursor"]), st.text(min_size=1), min_size=1))
def test_whatever_a_link_adds_comes_back(parameters: dict[str, str]) -> None:
    link = f"{BASE}/object/Equipment?{urlencode(parameters)}"
    token = continuation(link, BASE, {}, 1)
    assert resumed({}, token) == dict(parse_qsl(urlencode(parameters), True))
