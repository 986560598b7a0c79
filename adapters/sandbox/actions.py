"""The REST face for workflows: ``POST /api/v1/action/<name>`` with JSON or multipart."""

import hashlib
from typing import cast
from uuid import UUID

from aiohttp import BodyPartReader, MultipartReader, StreamReader
from aiohttp.http_exceptions import HttpProcessingError

from adapters.sandbox.errors import Refusal, bad_body, unknown_resource, unsupported_media, wrong_method
from adapters.sandbox.exchange import Answer, Call, encode
from adapters.sandbox.model import Record
from adapters.sandbox.options import MEGABYTE, SandboxOptions
from adapters.sandbox.paths import decode_path
from adapters.sandbox.records import Store
from adapters.sandbox.uploads import Uploads
from adapters.sandbox.workflows import ReceivedFile, Run, Workflow, all_workflows
from adapters.sandbox.writing import decode_json

_CHUNK = 256 * 1024
_FIELD_BYTES = MEGABYTE


class Actions:
    """Runs workflows."""

    def __init__(self, store: Store, uploads: Uploads, options: SandboxOptions) -> None:
        self._store = store
        self._uploads = uploads
        self._options = options
        self._zone = options.time_zone()
        self._workflows = all_workflows()

    async def handle(self, call: Call) -> Answer:
        """The answer to one call. Raises ``Refusal``.

        A workflow's changes happen together or not at all.
        """
        name = decode_path(call.rest).strip("/")
        workflow = self._workflows.get(name.lower())
        if workflow is None or not call.caller.key.may_run(workflow.name):
            raise unknown_resource(name)
        if call.method != "POST":
            raise wrong_method(call.method, "POST")
        _check_element(workflow, call.headers.get("ApplicationElementId"))
        parameters, files = await self._read(call)
        run = Run(
            store=self._store,
            uploads=self._uploads,
            caller=call.caller,
            zone=self._zone,
            now=self._options.clock(),
            company=next(iter(self._options.companies)),
            parameters=parameters,
            files=files,
        )
        with self._store.transaction():
            outcome = workflow.run(run)
        return Answer(status=200, body=encode({"properties": outcome.properties}), effect=outcome.effect)

    async def _read(self, call: Call) -> tuple[Record, list[ReceivedFile]]:
        if call.media_type == "multipart/form-data":
            call.body.refuse_announced(call.length, self._options.upload_bytes)
            call.body.limit = self._options.upload_bytes
            return await _read_multipart(call)
        if not call.is_json():
            raise unsupported_media(call.media_type)
        call.body.refuse_announced(call.length, self._options.action_bytes)
        content = await call.body.whole(self._options.action_bytes)
        value = decode_json(content) if content.strip() else {}
        if not isinstance(value, dict):
            raise bad_body("The request body must be a JSON object.")
        return value, []


def _check_element(workflow: Workflow, given: str | None) -> None:
    """Raise ``Refusal`` 400 unless the element id fits; a workflow without a documented one takes any."""
    if workflow.element is None:
        return
    try:
        fits = given is not None and UUID(given) == UUID(workflow.element)
    except ValueError:
        fits = False
    if not fits:
        message = f"The header 'ApplicationElementId' is missing or is not that of '{workflow.name}'."
        raise Refusal(400, "InvalidApplicationElementId", message)


async def _read_multipart(call: Call) -> tuple[Record, list[ReceivedFile]]:
    """Form fields and files; of a file only its measures are kept, whatever its size."""
    parameters: Record = {}
    files: list[ReceivedFile] = []
    try:
        reader = MultipartReader(call.headers, cast(StreamReader, call.body))
        while (part := await reader.next()) is not None:
            if not isinstance(part, BodyPartReader) or not part.name:
                raise bad_body("The multipart body has a part without a name.")
            if part.filename:
                files.append(await _measure(part, part.name, part.filename))
            else:
                parameters[part.name] = await _field(part)
    except (ValueError, AssertionError, RuntimeError, HttpProcessingError) as error:
        raise bad_body("The multipart body cannot be read.") from error
    while await call.body.read():
        pass
    return parameters, files


async def _measure(part: BodyPartReader, field: str, name: str) -> ReceivedFile:
    digest = hashlib.sha256()
    size = 0
    while chunk := await part.read_chunk(_CHUNK):
        digest.update(chunk)
        size += len(chunk)
    return ReceivedFile(field, name, size, digest.hexdigest())


async def _field(part: BodyPartReader) -> str:
    content = b""
    while chunk := await part.read_chunk(_CHUNK):
        content += chunk
        if len(content) > _FIELD_BYTES:
            raise bad_body(f"The form field '{part.name}' is too long.")
    return content.decode("utf-8")
