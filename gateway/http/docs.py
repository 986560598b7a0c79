"""``/openapi.json``, ``/docs`` and ``/problems``: the description of the API, for machines and for people."""

from __future__ import annotations

import re
from html import escape
from itertools import groupby

import msgspec

from contracts.errors import GatewayError, InvalidFilter
from gateway.http.answers import Answer
from gateway.http.description import HEADERS, INTRODUCTION, OPERATIONS, PARAMETERS, SUMMARY, TITLE, Described
from gateway.http.exchange import Exchange
from gateway.http.openapi import document
from gateway.http.pages import page, text
from gateway.http.problem_kinds import KINDS, Kind, RouteNotFound
from gateway.http.problems import problem
from gateway.version import VERSION

_HOST = re.compile(r"(?:[A-Za-z0-9.-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?")


async def openapi_json(exchange: Exchange) -> Answer:
    """The OpenAPI document."""
    body = msgspec.json.format(msgspec.json.encode(document()), indent=2)
    return Answer(
        200, body, ((b"content-type", b"application/json"), (b"cache-control", b"public, max-age=300"))
    )


async def docs(exchange: Exchange) -> Answer:
    """The description on one page."""
    groups = [(name, list(members)) for name, members in groupby(OPERATIONS, key=lambda item: item.group)]
    sections = "".join(
        f'<h2 id="{name.lower()}">{escape(name)}</h2>' + "".join(map(_operation, members))
        for name, members in groups
    )
    links = "".join(
        f"<b>{escape(name)}</b>"
        + "".join(f'<a href="#{item.id}">{escape(item.summary)}</a>' for item in members)
        for name, members in groups
    )
    headers = f'<h2 id="headers">Headers of answers</h2>{_header_table()}'
    errors = f'<h2 id="errors">Errors</h2>{_problem_example()}{_problem_table(KINDS)}'
    start = (
        f'<h1>{TITLE}</h1><p class="lead">{text(SUMMARY)}</p><p>{text(INTRODUCTION)}</p>'
        f'<p class="soft">Version {escape(VERSION)} · <a href="/openapi.json">openapi.json</a></p>'
        '<h2 id="begin">Begin</h2><p>Every call to a path below <code>/v1</code> carries a key, as '
        "<code>X-API-Key: …</code> or <code>Authorization: Bearer …</code>. The examples take it and the "
        f"address from the shell:</p><pre><code>export GATEWAY={_address(exchange)} KEY=demo-key</code></pre>"
    )
    navigation = (
        f'<nav><a href="#begin">Begin</a>{links}<b>Answers</b><a href="#headers">Headers</a>'
        '<a href="#errors">Errors</a></nav>'
    )
    return page(TITLE, start + sections + headers + errors, navigation=navigation)


async def problem_list(exchange: Exchange) -> Answer:
    """Every error code on one page."""
    body = f'<p><a href="/docs">{TITLE}</a></p><h1>Errors</h1>{_problem_table(KINDS)}'
    return page(f"Errors · {TITLE}", body)


async def problem_page(exchange: Exchange) -> Answer:
    """One code: what it means and what to do. Raises :class:`RouteNotFound` for a code that there is not."""
    code = exchange.scope["path_params"]["code"]
    kind = KINDS.get(code)
    if kind is None:
        raise RouteNotFound("there is no error of that code; /problems lists them")
    example = f"<h4>For example</h4><p>{text(kind.example)}</p>" if kind.example else ""
    body = (
        f'<p><a href="/docs">{TITLE}</a> · <a href="/problems">Errors</a></p>'
        f'<div class="status">{kind.status}</div><h1>{escape(kind.error.title)}</h1>'
        f"<p><code>{escape(code)}</code></p>"
        f"<h4>What it means</h4><p>{text(kind.meaning)}</p><h4>What to do</h4><p>{text(kind.advice)}</p>"
        f"{example}"
        f"<h4>As a rule</h4>{_defaults(kind.error)}"
    )
    return page(f"{code} · {TITLE}", body)


def _operation(operation: Described) -> str:
    scope = f'<span class="scope">scope {operation.scope}</span>' if operation.scope else ""
    curl = "curl" if operation.public else 'curl -H "X-API-Key: $KEY"'
    examples = "\n".join(f"{curl} {_located(example)}" for example in operation.curl)
    answer = f"<pre><code>{escape(operation.answer)}</code></pre>" if operation.answer else ""
    return (
        f'<section id="{operation.id}"><h3>{escape(operation.summary)}</h3><div class="route">'
        f'<span class="method {operation.method.lower()}">{operation.method}</span>'
        f"<code>{escape(operation.path)}</code>{scope}</div><p>{text(operation.text)}</p>"
        f"<pre><code>{escape(examples)}</code></pre>{answer}{_parameters(operation)}{_replies(operation)}</section>"
    )


def _address(exchange: Exchange) -> str:
    """Where the reader's own request went, as far as its Host is one."""
    host = exchange.headers.get(b"host", b"").decode("latin-1")
    return f"{exchange.scope['scheme']}://{host}" if _HOST.fullmatch(host) else "https://gateway.example"


def _located(example: str) -> str:
    """The example with the address before its path."""
    return " ".join(f'"$GATEWAY{word}"' if word.startswith("/") else word for word in example.split(" "))


def _parameters(operation: Described) -> str:
    if not operation.parameters:
        return ""
    known = [PARAMETERS[name] for name in operation.parameters]
    rows = "".join(
        f"<tr><td><code>{escape(item.name)}</code></td><td class=soft>{item.place}</td><td>{text(item.text)}"
        + (f"<br><span class=soft>e.g. <code>{escape(item.example)}</code></span>" if item.example else "")
        + "</td></tr>"
        for item in known
    )
    return f"<details><summary>{len(known)} parameters and headers</summary><table>{rows}</table></details>"


def _replies(operation: Described) -> str:
    rows = "".join(
        f"<tr><td><code>{reply.status}</code></td><td>{text(reply.text)}"
        f"<br><span class=soft>{escape(', '.join(reply.headers))}</span></td></tr>"
        for reply in sorted(operation.replies, key=lambda reply: reply.status)
    )
    return f"<h4>Answers</h4><table>{rows}</table>{_failures(operation.errors)}"


def _failures(codes: tuple[str, ...]) -> str:
    by_status: dict[int, list[str]] = {}
    for code in codes:
        by_status.setdefault(KINDS[code].status, []).append(f'<a href="/problems/{code}">{code}</a>')
    rows = "".join(
        f"<tr><td><code>{status}</code></td><td>{', '.join(by_status[status])}</td></tr>"
        for status in sorted(by_status)
    )
    return f"<details><summary>{len(codes)} errors</summary><table>{rows}</table></details>" if codes else ""


def _header_table() -> str:
    rows = "".join(
        f"<tr><td><code>{name}</code></td><td>{text(words)}</td></tr>" for name, words in HEADERS.items()
    )
    return f"<table>{rows}</table>"


def _problem_example() -> str:
    error = InvalidFilter("'=' is not an operator", position=7, expected="eq, ne, gt, ge, lt, le, like or in")
    shown = msgspec.json.format(msgspec.json.encode(problem(error, "order-4711")), indent=2)
    return f"<pre><code>{escape(shown.decode())}</code></pre>"


def _problem_table(kinds: dict[str, Kind]) -> str:
    rows = "".join(
        f'<tr><td>{kind.status}</td><td><a href="/problems/{code}"><code>{code}</code></a></td>'
        f"<td>{escape(kind.error.title)}</td></tr>"
        for code, kind in kinds.items()
    )
    return f"<table><tr><th>Status</th><th>Code</th><th>Title</th></tr>{rows}</table>"


def _defaults(error: type[GatewayError]) -> str:
    outcomes = {
        "not_sent": "nothing was sent upstream that it could have acted on",
        "refused": "the upstream answered and did not do it",
        "unknown": "the upstream may have done it",
    }
    repeat = "may help later" if error.retryable else "does not help while nothing else changes"
    return f"<p>Repeating the same call {repeat}; {outcomes[error.outcome.value]}.</p>"
