"""The parameters of the API and the headers of its answers, in words."""

from __future__ import annotations

from gateway.http.description.model import Parameter


def _text(pattern: str | None = None) -> dict[str, object]:
    return {"type": "string"} if pattern is None else {"type": "string", "pattern": pattern}


_DATE: dict[str, object] = {"type": "string", "format": "date"}
_FLAG: dict[str, object] = {"type": "boolean", "default": False}

_PARAMETERS = (
    Parameter(
        "tenant", "path", "A tenant that the credential may use.", _text("^[a-z0-9][a-z0-9-]{0,39}$"), "demo"
    ),
    Parameter(
        "path",
        "path",
        "Entity, key, navigation, key …, split at slashes first and decoded after: a slash inside a key is `%2F`, "
        "and the slashes between segments stay as they are, unlike what many generated clients do. "
        "Composite and external keys are named: `Equipment=00001,Article=0191`, `ExternalId=4711`.",
        _text(),
        "Equipment/00001",
    ),
    Parameter(
        "name",
        "path",
        "The name of a workflow.",
        _text("^[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}$"),
        "REST_ReportJob",
    ),
    Parameter(
        "connector",
        "path",
        "The name of a connector.",
        _text("^[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}$"),
        "EXP_EQUIPMENT",
    ),
    Parameter("code", "path", "An error code.", _text(), "invalid_filter"),
    Parameter(
        "filter",
        "query",
        "`eq ne gt ge lt le like in and or not ( )`; texts in single quotes; properties of references by path.",
        _text(),
        "Status eq 2 and Vendor/Name like 'A%'",
    ),
    Parameter("orderby", "query", "Properties, each with `desc` or not.", _text(), "Description desc,Id"),
    Parameter("select", "query", "The properties wanted.", _text(), "Description,Vendor"),
    Parameter(
        "expand",
        "query",
        "References and collections to be given whole, up to three levels.",
        _text(),
        "Vendor",
    ),
    Parameter(
        "limit",
        "query",
        "Records a page, 1 to 1000; without it a page is as large as the upstream makes it (1000 as a rule). A "
        "stream has all records and takes no `limit`.",
        {"type": "integer", "minimum": 1, "maximum": 1000},
    ),
    Parameter("skip", "query", "Records to leave out at the beginning.", {"type": "integer", "minimum": 0}),
    Parameter("count", "query", "Count the whole list as well.", _FLAG),
    Parameter(
        "cursor", "query", "Where a page begins: `next` of the page before, with the same query.", _text()
    ),
    Parameter("upsert", "query", "Create the record when there is none; never empties anything.", _FLAG),
    Parameter("dry_run", "query", "Send nothing; tell what would be sent and what it would cost.", _FLAG),
    Parameter("from", "query", "The first day, today when left out; at most 400 days.", _DATE, "2026-11-01"),
    Parameter("to", "query", "The last day, today when left out.", _DATE, "2026-11-30"),
    Parameter(
        "by",
        "query",
        "What the figures are told apart by, with commas between: `client`, `operation`, `adapter`, `day`.",
        {"type": "string", "default": "client,operation"},
        "client,operation",
    ),
    Parameter("client", "query", "Only what this client did.", _text(), "erp"),
    Parameter("operation", "query", "Only operations of this kind, as in the capabilities.", _text(), "list"),
    Parameter("adapter", "query", "Only what went through this adapter.", _text(), "rest"),
    Parameter(
        "Request-Timeout",
        "header",
        "Seconds for the whole call, waiting and the body's arrival included; at most 300. Without it a call has "
        "30, each page of a stream has 30, and what carries files or many records has 300; the operator may have "
        "set others.",
        {"type": "number", "exclusiveMinimum": 0},
        "10",
    ),
    Parameter(
        "Priority",
        "header",
        "RFC 9218: `u=0` to `2` interactive, `3` to `5` normal, `6`, `7` bulk.",
        _text(),
        "u=1",
    ),
    Parameter(
        "X-Request-Id", "header", "Taken over, answered, logged and passed on.", _text("^[!-~]{1,128}$")
    ),
    Parameter(
        "Cache-Control",
        "header",
        "How old the answer may be: `max-age=60` takes one that was asked for up to 60 seconds ago, or that of an "
        "equal read that is under way; `no-cache` asks the upstream, and keeps the answer. Without it every read asks "
        "the upstream, unless the operator has set an age for the entity; the operator sets the longest age too (an "
        "hour at first). What is written through the gateway shows at once where it was written, on the same "
        "replica; any other change shows when the answer is too old. A stream is always new, and so is what a "
        "write reads. Other directives are ignored.",
        _text(),
        "max-age=60",
    ),
    Parameter("traceparent", "header", "W3C Trace Context; answered, logged and passed on.", _text()),
    Parameter("Accept-Language", "header", "The language of the answer's texts.", _text(), "nl"),
    Parameter("Content-Language", "header", "The language of the body's multilingual texts.", _text(), "nl"),
    Parameter(
        "If-None-Match",
        "header",
        "On a read: 304 when the tag is still current. On PUT and PATCH, `*`: only create.",
        _text(),
    ),
    Parameter(
        "If-Match",
        "header",
        "Write only when the record still has this tag, from a read of the whole record. Checked by a read just "
        "before the write, since the upstream knows no conditional writes: a change between the two goes unseen.",
        _text(),
    ),
    Parameter("Prefer", "header", "`return=minimal` answers with the key alone.", _text(), "return=minimal"),
    Parameter(
        "Idempotency-Key",
        "header",
        "A write that is repeated with the same key runs once: the answer of the first one is given again, with "
        "`Idempotency-Replayed: true`. The same key with another method, path, query, language or body is 422; while "
        "the first one is under way, 409. Quoted or bare, 1 to 255 visible ASCII characters; kept for 24 hours unless "
        "the operator has set another time. What was never sent is not kept. Where it is not known "
        "whether it was carried out, a repetition settles it if it can (a replacement, a change, a deletion, a create "
        "with an `ExternalId`) and says `outcome_unknown` again if it cannot. It means nothing on a read or a dry run.",
        {"type": "string", "maxLength": 512},
        "b5b9ae4e-5a4f-4a9e-9b1c-6f4e4b8e7d11",
    ),
)

PARAMETERS = {parameter.name: parameter for parameter in _PARAMETERS}

HEADERS = {
    "X-Request-Id": "The id of the request, in the log too.",
    "Quota-Cost": "Units that the call took from the upstream's quota; not on a stream, which is not over yet.",
    "Server-Timing": "Milliseconds: `queue`, `upstream`, `gateway`; not on a stream.",
    "RateLimit-Policy": "What the tenant may take of the upstream's quota: its own share, or that of all callers "
    'together. `"day";q=4000;w=86400` is 4,000 units in 86,400 seconds (draft-ietf-httpapi-ratelimit-headers-11).',
    "RateLimit": "What is left of it for this caller, whoever uses it up, and in how many seconds there is more: "
    '`"burst";r=87;t=3, "day";r=3871;t=41200`. As the last call found it; left out while that is not known.',
    "Cache-Status": "RFC 9211, on reads that may be answered with what is kept: `ultimo-gateway; hit; ttl=42`, and for "
    "so many seconds more; `fwd=miss` when there was nothing, `fwd=request` after `no-cache`, each with `stored` when "
    "the answer is kept; `collapsed` when it is that of an equal read that was under way.",
    "Age": "Seconds since the answer was asked for, when it is one that was kept.",
    "ETag": "The strong tag of these bytes.",
    "Idempotency-Replayed": "`true` on the answer of an earlier call with the same `Idempotency-Key`.",
    "Link": '`rel="next"`: the next page.',
    "Location": "The path of the record.",
    "Content-Language": "The language of the texts.",
    "Preference-Applied": "`return=minimal` when the key alone was asked for.",
    "Retry-After": "Seconds to wait.",
    "Allow": "The methods known here.",
    "WWW-Authenticate": "`Bearer`.",
}
