"""The REST face for objects: ``/api/v1/object/...``, reading and the way to writing."""

from urllib.parse import quote

from adapters.sandbox.addressing import Addressing, Target
from adapters.sandbox.errors import unknown_resource, unsupported_media, wrong_method
from adapters.sandbox.exchange import Answer, Call, encode
from adapters.sandbox.model import Record
from adapters.sandbox.options import SandboxOptions
from adapters.sandbox.paths import decode_path, parse_path
from adapters.sandbox.projection import build_projection, visible
from adapters.sandbox.query import Page, Query, parse_query, refuse_list_options, take_page
from adapters.sandbox.records import Store
from adapters.sandbox.writing import Writer, decode_object

_METHODS = "GET, POST, PUT, PATCH"


class Objects:
    """Serves reads and writes of records."""

    def __init__(self, store: Store, options: SandboxOptions) -> None:
        self._store = store
        self._options = options
        self._zone = options.time_zone()

    async def handle(self, call: Call) -> Answer:
        """The answer to one call. Raises ``Refusal``."""
        if call.method not in ("GET", "POST", "PUT", "PATCH"):
            raise wrong_method(call.method, _METHODS)
        call.body.refuse_announced(call.length, self._options.single_bytes)
        body = await call.body.whole(self._options.single_bytes)
        path = decode_path(call.rest)
        if not path.strip("/"):
            raise unknown_resource("object")
        segments = parse_path(path)
        target = Addressing(self._store, call.caller).resolve(segments)
        if call.method == "GET":
            return self._read(call, target)
        if not call.is_json():
            raise unsupported_media(call.media_type)
        writer = Writer(self._store, call.caller, self._options)
        written = writer.write(call.method, target, decode_object(body))
        return Answer(
            status=201 if written.inserted else 200, body=encode(written.answer), effect=written.effect
        )

    def _read(self, call: Call, target: Target) -> Answer:
        query = parse_query(call.query)
        projection = build_projection(self._store, call.caller, target.entity, query)
        rows = self._store.table(target.entity.name).rows
        if target.keys is None:
            refuse_list_options(query)
            key = Addressing(self._store, call.caller).existing(target)
            return Answer(status=200, body=encode(projection.render(rows[key])))
        page = self._page(call, target, query)
        items = [projection.render(rows[key]) for key in page.keys]
        link = _next_page_link(call, query, page, self._options.public_base) if page.more else None
        return Answer(status=200, body=encode({"count": page.count, "nextPageLink": link, "items": items}))

    def _page(self, call: Call, target: Target, query: Query) -> Page:
        caller, entity = call.caller, target.entity
        limited = caller.company is not None and entity.company

        def seen(record: Record) -> bool:
            return visible(caller, entity, record)

        return take_page(
            self._store,
            caller,
            entity,
            target.keys or (),
            query,
            self._options.page_size,
            self._zone,
            seen if limited else None,
        )


def _next_page_link(call: Call, query: Query, page: Page, public_base: str | None) -> str:
    """The absolute address of the next page: the options of the query, ``skip`` moved on, ``top`` reduced."""
    taken = len(page.keys)
    pairs = [pair for pair in call.query.split("&") if pair and _option(pair) not in ("skip", "top")]
    pairs.append(f"skip={query.skip + taken}")
    if query.top is not None:
        pairs.append(f"top={query.top - taken}")
    return f"{public_base or call.base}{quote(call.path, safe='/%()=,$@!~;+-._')}?{'&'.join(pairs)}"


def _option(pair: str) -> str:
    return pair.partition("=")[0].lower().replace("%24", "$").removeprefix("$")
