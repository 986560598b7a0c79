"""The HTTP server, which answers also what is no request in the upstream's form, and without a trace."""

from aiohttp import web

from adapters.sandbox.errors import ErrorBody
from adapters.sandbox.exchange import encode


class Server(web.Server):
    """aiohttp's own, with connections of ours."""

    def __call__(self) -> web.RequestHandler:
        return _Connection(self, loop=self._loop, **self._kwargs)


class _Connection(web.RequestHandler):
    __slots__ = ()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        if status != 400 or request.writer.output_size > 0:
            return super().handle_error(request, status, exc, message)
        error = ErrorBody("The request is not valid HTTP, or its line or a header is too long.", "BadRequest")
        answer = web.Response(status=status, body=encode(error), content_type="application/json")
        answer.force_close()
        return answer
