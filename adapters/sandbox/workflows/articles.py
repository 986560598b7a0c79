"""Workflows that import articles and their vendors.

The vendor publishes no body for them; that of the look-alike, one record's parameters or a list of such
under ``Articles`` or ``ArticleVendors``, is a choice.
"""

from adapters.sandbox.errors import bad_body
from adapters.sandbox.model import Key, Kind, Record
from adapters.sandbox.workflows.run import Outcome, Run, Workflow


def workflows() -> list[Workflow]:
    return [
        Workflow("REST_Article_Import", None, import_articles),
        Workflow("REST_ArticleVendor_Import", "09655272-a56b-457b-ae3d-3fbaf1ebd9c5", import_vendors),
    ]


def import_articles(run: Run) -> Outcome:
    """Insert or update articles; what is not given stays as it is."""
    done = [_article(each) for each in _each(run, "Articles")]
    return Outcome({"Output": {"collection": done}}, f"Import {len(done)} Article")


def _article(run: Run) -> Record:
    key = (run.text("ArticleId"),)
    values: Record = {
        "Description": run.optional("Description"),
        "ArticleGroup": run.reference("ArticleGroupId", "ArticleGroup"),
        "Vendor": run.reference("VendorId", "Vendor"),
        "PurchasePrice": run.number("PurchasePrice"),
        "MinimumStock": run.number("MinimumStock"),
        "LeadTime": run.optional("LeadTime", Kind.INTEGER),
    }
    return {"ArticleId": key[0], "Action": _put(run, "Article", key, values)}


def import_vendors(run: Run) -> Outcome:
    """Insert or update the vendors of articles; both sides must exist."""
    done = [_vendor(each) for each in _each(run, "ArticleVendors")]
    return Outcome({"Output": {"collection": done}}, f"Import {len(done)} ArticleVendor")


def _vendor(run: Run) -> Record:
    article = run.reference("ArticleId", "Article") or run.text("ArticleId")
    vendor = run.reference("VendorId", "Vendor") or run.text("VendorId")
    values: Record = {
        "Description": run.optional("Description"),
        "PurchasePrice": run.number("PurchasePrice"),
    }
    action = _put(run, "ArticleVendor", (article, vendor), values)
    return {"ArticleId": article, "VendorId": vendor, "Action": action}


def _each(run: Run, name: str) -> list[Run]:
    items = run.value(name)
    if items is None:
        return [run]
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise bad_body(f"'{name}' must be a list of objects.")
    return [run.scoped(item) for item in items]


def _put(run: Run, entity: str, key: Key, values: Record) -> str:
    if run.record(entity, *key) is None:
        run.insert(entity, key, values)
        return "Insert"
    run.change(entity, key, {name: value for name, value in values.items() if value is not None})
    return "Update"
