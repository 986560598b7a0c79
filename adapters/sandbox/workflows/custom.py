"""Workflows such as customers build: results in ``Output``, refusals inside a 200, large files, a crash."""

from adapters.sandbox.exchange import encode
from adapters.sandbox.model import Kind, Record
from adapters.sandbox.workflows.run import Outcome, Run, Workflow, invalid

_MOST = 10_000


def workflows() -> list[Workflow]:
    return [
        Workflow("_CustomEcho", "c0000000-0000-4000-8000-000000000001", echo),
        Workflow("_CustomRefuse", "c0000000-0000-4000-8000-000000000002", refuse),
        Workflow("_CustomUpload", "c0000000-0000-4000-8000-000000000003", upload),
        Workflow("_CustomCollection", "c0000000-0000-4000-8000-000000000004", collection),
        Workflow("_CustomCrash", "c0000000-0000-4000-8000-000000000005", crash),
    ]


def echo(run: Run) -> Outcome:
    """The parameters as a JSON text in ``Output.object``."""
    return Outcome({"Output": {"object": encode(run.parameters).decode()}})


def collection(run: Run) -> Outcome:
    """``Count`` numbered objects in ``Output.collection``."""
    count = run.optional("Count", Kind.INTEGER)
    if not isinstance(count, int) or not 0 <= count <= _MOST:
        raise invalid("Count", f"a number up to {_MOST} is expected")
    return Outcome({"Output": {"collection": [{"Number": number + 1} for number in range(count)]}})


def refuse(run: Run) -> Outcome:
    """A refusal inside a 200. ``Form`` chooses it: ``message``, ``summary``, or ``text``, the summary as a
    JSON text in ``Output.object``."""
    form = run.optional("Form") or "message"
    text = str(run.optional("Message") or "The object is blocked.\r\nCause: Refused on request.")
    summary: Record = {"ResponseSummary": {"Succes": False, "Message": text}}
    forms: dict[object, Record] = {
        "message": {"message": text},
        "summary": summary,
        "text": {"Output": {"object": encode(summary).decode()}},
    }
    if form not in forms:
        raise invalid("Form", "it is none of message, summary, text")
    return Outcome(forms[form])


def upload(run: Run) -> Outcome:
    """Keep any files; their measures come back as a JSON text in ``Output.object``."""
    if not run.files:
        raise invalid("File", "it is mandatory")
    for file in run.files:
        run.keep("_CustomUpload", file.name, file.size, file.sha256)
    shown = [{"Name": file.name, "Size": file.size, "Sha256": file.sha256} for file in run.files]
    return Outcome({"Output": {"object": encode({"Files": shown}).decode()}}, f"Upload {len(shown)}")


def crash(run: Run) -> Outcome:
    """Fail as a program fails: the answer is a 500."""
    raise RuntimeError(str(run.optional("Message") or "Object reference not set to an instance."))
