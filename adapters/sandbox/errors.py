"""Refusals of the look-alike: what a client did wrong, with the status, code and body it is told."""

import msgspec

BUSINESS_RULE = 3
"""The ``type`` of an error that a business rule raised."""


class ErrorBody(msgspec.Struct, frozen=True, omit_defaults=True):
    """The JSON body of an error; ``None`` members are left out."""

    message: str
    code: str
    type: int | None = None
    exception_type: str | None = msgspec.field(default=None, name="exceptionType")
    detail_message: str | None = msgspec.field(default=None, name="detailMessage")
    stack_trace: str | None = msgspec.field(default=None, name="stackTrace")


class Refusal(Exception):
    """A call that is answered with an error.

    ``status`` is the HTTP status, ``code`` the documented or, where the vendor names none, a chosen code.
    ``headers`` are added to the answer.
    """

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        kind: int | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.body = ErrorBody(message, code, kind)
        self.headers = headers or {}


def unknown_resource(name: str) -> Refusal:
    """An entity, navigation, workflow or route that does not exist or that the key does not grant."""
    return Refusal(404, "ResourceNotFound", f"The resource '{name}' was not found.")


def unknown_record(entity: str) -> Refusal:
    """A record that does not exist, or that the key may not see."""
    return Refusal(404, "EntityNotFound", f"The requested {entity} was not found.")


def bad_filter(reason: str) -> Refusal:
    """A filter that cannot be read, or that names what cannot be compared."""
    return Refusal(400, "FilterSyntaxError", f"The filter is not valid: {reason}")


def bad_option(reason: str) -> Refusal:
    """A query option other than ``filter`` that cannot be honoured."""
    return Refusal(400, "InvalidQueryOption", reason)


def bad_path(reason: str) -> Refusal:
    """A path that cannot be addressed."""
    return Refusal(400, "InvalidPath", reason)


def bad_body(reason: str, code: str = "InvalidBody") -> Refusal:
    """A body that is not one JSON object, or a property in it that cannot be written."""
    return Refusal(400, code, reason)


def wrong_method(method: str, allowed: str) -> Refusal:
    """A method that the resource does not know; ``allowed`` is the value of the ``Allow`` header."""
    message = f"The method {method} is not supported for this resource."
    return Refusal(405, "MethodNotAllowed", message, headers={"Allow": allowed})


def unsupported_media(media_type: str) -> Refusal:
    """A body of a type that the face does not read."""
    return Refusal(415, "UnsupportedMediaType", f"The media type '{media_type}' is not supported.")


def business_rule(code: str, message: str, cause: str) -> Refusal:
    """A business rule said no: 400, a numeric code, ``type`` 3, the message with its cause."""
    return Refusal(400, code, f"{message}\r\nCause: {cause}", kind=BUSINESS_RULE)


def internal_error(error: BaseException) -> ErrorBody:
    """The body of a 500, shaped like the upstream's own."""
    return ErrorBody(
        message="An internal error occurred.",
        code="InternalServerError",
        exception_type=f"System.{type(error).__name__}",
        detail_message=str(error),
        stack_trace="   at Ultimo.Api.Sandbox.Handle(HttpContext context)",
    )
