"""The description of operations: what the gateway says of itself."""

from __future__ import annotations

from gateway.http.description.common import ACCESS_ERRORS, ACCOUNT, ALWAYS, COST, JSON, TENANT_ERRORS
from gateway.http.description.model import Described, Reply

SERVICE: tuple[Described, ...] = (
    Described(
        method="GET",
        path="/v1/{tenant}/capabilities",
        id="readCapabilities",
        group="Tenants",
        summary="What this tenant can do",
        text="Which operation is served by which adapter, for which entities where not for all, which parts of a query "
        "the upstream carries out and which the gateway does itself (`completed`), and why others are not served.",
        scope="read",
        parameters=("tenant", *ALWAYS, "dry_run"),
        replies=(
            Reply(
                200,
                "One entry per operation, or more where it is not served alike for all entities.",
                {JSON: "CapabilitiesOrPlan"},
                COST,
            ),
        ),
        errors=TENANT_ERRORS,
        curl=("/v1/demo/capabilities",),
    ),
    Described(
        method="GET",
        path="/v1/tenants",
        id="listTenants",
        group="Tenants",
        summary="The tenants of this credential",
        text="Nothing is sent upstream.",
        parameters=(*ALWAYS, "dry_run"),
        replies=(Reply(200, "By name.", {JSON: "TenantsOrPlan"}, ACCOUNT),),
        errors=ACCESS_ERRORS,
        curl=("/v1/tenants",),
    ),
    Described(
        method="GET",
        path="/v1/{tenant}/quota",
        id="readQuota",
        group="Quota",
        summary="How much is left of the upstream's quota",
        text="The windows that a unit must fit into: those of the environment, which all its callers share, the "
        "tenant's share and this client's, where they have one. For each day a forecast, at the rate of the last hour. "
        "Costs no unit. Answers of calls carry the short form, in `RateLimit`.",
        scope="read",
        parameters=("tenant", *ALWAYS, "dry_run"),
        replies=(Reply(200, "As they stand now.", {JSON: "QuotaOrPlan"}, COST),),
        errors=(*TENANT_ERRORS, "store_unavailable"),
        curl=("/v1/demo/quota",),
        answer='{"windows":[{"level":"environment","window":"burst","limit":100,"used":13,"remaining":87,"resetsIn":3,\n'
        '  "resetsAt":"2026-11-23T13:05:09+01:00","enforced":true,"forecast":null},\n'
        ' {"level":"tenant","window":"day","limit":4000,"used":3129,"remaining":871,"resetsIn":39294,\n'
        '  "resetsAt":"2026-11-24T00:00:00+01:00","enforced":true,"forecast":{"exhaustedAt":\n'
        '  "2026-11-23T14:20:03+01:00","perHour":697,"text":"at this rate exhausted at 14:20"}}],\n'
        ' "upstream":{"closedFor":0,"strikes":0},"waiting":2,"store":"ok"}',
    ),
    Described(
        method="GET",
        path="/v1/{tenant}/usage",
        id="readUsage",
        group="Quota",
        summary="Who burns the quota",
        text="The ledger of this tenant: calls, the units that they cost, records, the units that sharing requests and "
        "replaying answers saved, refusals for want of room, and waits. Per day of the environment, which begins when "
        "its quota begins anew. Costs no unit.",
        scope="read",
        parameters=("tenant", "from", "to", "by", "client", "operation", "adapter", *ALWAYS, "dry_run"),
        replies=(Reply(200, "The one with most units first.", {JSON: "UsageOrPlan"}, COST),),
        errors=(*TENANT_ERRORS, "store_unavailable"),
        curl=("/v1/demo/usage?by=client,operation", "/v1/demo/usage?from=2026-11-01&to=2026-11-30&by=day"),
        answer='{"from":"2026-11-23","to":"2026-11-23","by":["client","operation"],\n'
        ' "items":[{"client":"erp","operation":"batch","calls":12,"units":31,"records":2400,"unitsSaved":2369,\n'
        '  "refusals":0,"waits":4}],\n'
        ' "total":{"calls":12,"units":31,"records":2400,"unitsSaved":2369,"refusals":0,"waits":4}}',
    ),
    Described(
        method="GET",
        path="/livez",
        id="livez",
        group="Operations",
        summary="Whether the process answers",
        text="Needs nothing else.",
        public=True,
        replies=(Reply(200, "It does.", {JSON: "Health"}),),
        curl=("/livez",),
    ),
    Described(
        method="GET",
        path="/readyz",
        id="readyz",
        group="Operations",
        summary="Whether each part can serve",
        text="For load balancers. `parts` says of each `ok`, or what is the matter. One that is `degraded` serves all "
        "the same, with less: as when the store is lost and only a local share of the quota may be used, or when an "
        "upstream fails or has no quota left. `config` is the hash of the configuration that runs.",
        public=True,
        replies=(Reply(200, "All can.", {JSON: "Health"}), Reply(503, "One cannot.", {JSON: "Health"})),
        curl=("/readyz",),
    ),
    Described(
        method="GET",
        path="/metrics",
        id="metrics",
        group="Operations",
        summary="Counters and gauges for Prometheus",
        text="In the text format. The gauges of the quota are read from the store for it, at most once a second.",
        public=True,
        replies=(Reply(200, "The metrics.", {"text/plain": "Text"}),),
        curl=("/metrics",),
    ),
    Described(
        method="GET",
        path="/openapi.json",
        id="openapi",
        group="Description",
        summary="This description, for machines",
        text="OpenAPI 3.1.",
        public=True,
        replies=(Reply(200, "The document.", {JSON: "Anything"}),),
        curl=("/openapi.json",),
    ),
    Described(
        method="GET",
        path="/docs",
        id="docs",
        group="Description",
        summary="This description, for people",
        text="One page.",
        public=True,
        replies=(Reply(200, "The page.", {"text/html": "Text"}),),
        curl=("/docs",),
    ),
    Described(
        method="GET",
        path="/problems",
        id="problems",
        group="Description",
        summary="Every error code",
        text="With its status.",
        public=True,
        replies=(Reply(200, "The page.", {"text/html": "Text"}),),
        curl=("/problems",),
    ),
    Described(
        method="GET",
        path="/problems/{code}",
        id="problem",
        group="Description",
        summary="What an error code means",
        text="The page that `type` of a problem document leads to.",
        public=True,
        parameters=("code",),
        replies=(Reply(200, "The page.", {"text/html": "Text"}),),
        errors=("route_not_found",),
        curl=("/problems/invalid_filter",),
    ),
)
