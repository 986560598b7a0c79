"""What a cluster would accept: strict schemas of Kubernetes by version, and those of custom resources in ``crds/``.

They are the schemas of the package kubernetes-validate, read once per version; its own function reads all of them for
each manifest.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from referencing import Registry, Resource

from tests.helm.manifests import Manifest

VERSIONS = ("1.29", "1.30", "1.31", "1.32", "1.33", "1.34")
Schema = Mapping[str, Any]
_CRDS = Path(__file__).parent / "crds"


def problems(manifest: Manifest, version: str) -> list[str]:
    """What is wrong with a manifest in a version of Kubernetes. Raises ``FileNotFoundError`` for an unknown kind."""
    own = _CRDS / f"{manifest.kind.lower()}.json"
    schema = json.loads(own.read_text()) if own.exists() else _schema(version, _file(manifest))
    validator = Draft202012Validator(schema, registry=_definitions(version))
    return [
        f"{manifest}: {error.json_path}: {error.message}" for error in validator.iter_errors(manifest.whole)
    ]


def _file(manifest: Manifest) -> str:
    """The name of its schema, as in ``deployment-apps-v1``."""
    group, _, version = str(manifest.whole["apiVersion"]).rpartition("/")
    parts = [manifest.kind.lower(), *([group.split(".")[0]] if group else []), version]
    return "-".join(parts)


@cache
def _schema(version: str, name: str) -> Schema:
    folder = files("kubernetes_validate") / "kubernetes-json-schema" / f"v{version}.0-local-strict"
    schema: Schema = json.loads((folder / f"{name}.json").read_text())
    return schema


@cache
def _definitions(version: str) -> Registry[bool | Schema]:
    resource: Resource[bool | Schema] = Resource.from_contents(_schema(version, "_definitions"))
    return resource @ Registry()
