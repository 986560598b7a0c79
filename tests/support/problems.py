"""What every problem document has, whatever went wrong."""

from __future__ import annotations

import httpx2


def checked(answer: httpx2.Response, status: int, code: str) -> dict[str, object]:
    """The problem document, when it is one, and has what every one has."""
    assert answer.headers["content-type"] == "application/problem+json"
    problem: dict[str, object] = answer.json()
    assert (answer.status_code, problem["status"], problem["code"]) == (status, status, code), problem
    assert problem["type"] == f"/problems/{code}"
    assert problem["instance"] == answer.headers["x-request-id"]
    assert {"title", "detail", "retryable", "outcome"} <= set(problem)
    if status in (429, 503):
        assert int(answer.headers["retry-after"]) >= 0
    return problem
