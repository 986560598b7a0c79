"""Workflows on jobs: reporting one, attaching images. Source: vendor pages "API key templates", jobs."""

import base64
import binascii
import hashlib
import re

from adapters.sandbox.errors import business_rule
from adapters.sandbox.model import Kind
from adapters.sandbox.workflows.run import Outcome, Run, Workflow, invalid

_CONTEXTS = {"TD": 1, "IT": 128, "MD": 512, "BM": 2048, "FM": 16384, "IM": 32768}
_BASE64 = re.compile(r"imagefile\d?base64\d?")
_IMAGE = re.compile(r"imagefile[2-4]?")
_REFERENCES = {
    "ProcessFunctionId": "ProcessFunction",
    "SpaceId": "Space",
    "SiteId": "Site",
    "WorkOrderTypeId": "WorkOrderType",
}


def workflows() -> list[Workflow]:
    return [
        Workflow("REST_ReportJob", "1ba90cc1-b7f2-452d-8825-101ad7e7a682", report_job),
        Workflow("REST_AttachImageToJob", "d1fb01d5-77c2-48df-b95a-2ada578578df", attach_image),
    ]


def report_job(run: Run) -> Outcome:
    """Insert a job; refuses equipment that is unknown with ``3399``."""
    values: dict[str, object] = {
        "Description": run.text("Description"),
        "ReportText": run.text("ReportText"),
        "StatusCreatedReportDate": run.optional("ReportDate", Kind.TIME) or run.now,
        "Context": _context(run.value("Context")),
    }
    for name, entity in _REFERENCES.items():
        values[entity] = run.reference(name, entity)
    equipment = run.optional("EquipmentId")
    if equipment is not None and run.record("Equipment", str(equipment)) is None:
        raise business_rule("3399", "The job cannot be reported.", f"Equipment '{equipment}' is not known.")
    values["Equipment"] = equipment
    key = run.store.next_key(run.store.model["Job"])
    run.insert("Job", key, values)
    return Outcome({"JobId": key[0]}, f"Insert Job {key[0]}")


def _context(value: object) -> int:
    text = str(value if value is not None else 1).removeprefix("JobContext.")
    number = _CONTEXTS.get(text) or (int(text) if text.isascii() and text.isdigit() else 0)
    if not number:
        raise invalid("Context", f"there is no context '{value}'")
    return number


def attach_image(run: Run) -> Outcome:
    """Attach up to four images to a job, as files of a multipart body or as texts in base64."""
    job = run.reference("JobId", "Job") or run.text("JobId")
    kept = 0
    for file in run.files:
        if _IMAGE.fullmatch(file.field.lower()):
            run.keep(f"Job {job}", file.name, file.size, file.sha256)
            kept += 1
    extension = str(run.value("ImageFileBase64Extension") or ".jpg")
    for name, value in run.parameters.items():
        if _BASE64.fullmatch(name.lower()) and value:
            content = _decoded(name, value)
            run.keep(f"Job {job}", f"{name}{extension}", len(content), hashlib.sha256(content).hexdigest())
            kept += 1
    if not kept:
        raise invalid("ImageFile", "it is mandatory")
    return Outcome({"JobId": job}, f"Attach {kept} to Job {job}")


def _decoded(name: str, value: object) -> bytes:
    try:
        return base64.b64decode(str(value), validate=True)
    except (binascii.Error, ValueError) as error:
        raise invalid(name, "it is not base64") from error
