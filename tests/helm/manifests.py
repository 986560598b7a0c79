"""What real Helm renders, as data: manifests, the pods in them, the configuration and the notes."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar, cast

import helm_python
import msgspec
import yaml

CHART = Path(__file__).resolve().parents[2] / "helm"
NAMESPACE = "ultimo"
NAME = "gw"

Values = dict[str, object]
Labels = dict[str, str]
T = TypeVar("T")


class Part(msgspec.Struct, frozen=True, rename="camel"):
    """A part of a manifest; what no test looks at is passed over."""


class Metadata(Part, frozen=True):
    """``name`` is empty in the template of a pod."""

    name: str = ""
    namespace: str | None = None
    labels: Labels = {}
    annotations: Labels = {}


class Named(Part, frozen=True):
    """Whatever has a name."""

    metadata: Metadata


class Port(Part, frozen=True):
    name: str
    container_port: int


class VolumeMount(Part, frozen=True):
    name: str
    mount_path: str
    read_only: bool = False
    sub_path: str | None = None


class Variable(Part, frozen=True):
    name: str
    value: str | None = None


class HttpProbe(Part, frozen=True):
    path: str
    port: str


class Command(Part, frozen=True):
    command: tuple[str, ...]


class Probe(Part, frozen=True):
    http_get: HttpProbe | None = None
    exec: Command | None = None
    period_seconds: int = 10
    failure_threshold: int = 3


class Container(Part, frozen=True):
    name: str
    image: str
    resources: dict[str, dict[str, str]]
    security_context: dict[str, object] = {}
    command: tuple[str, ...] = ()
    args: tuple[str, ...] = ()
    env: tuple[Variable, ...] = ()
    ports: tuple[Port, ...] = ()
    volume_mounts: tuple[VolumeMount, ...] = ()
    startup_probe: Probe | None = None
    liveness_probe: Probe | None = None
    readiness_probe: Probe | None = None


class PodSpec(Part, frozen=True):
    containers: tuple[Container, ...]
    security_context: dict[str, object] = {}
    volumes: tuple[dict[str, object], ...] = ()
    automount_service_account_token: bool = True
    termination_grace_period_seconds: int = 30
    topology_spread_constraints: tuple[dict[str, object], ...] = ()
    init_containers: tuple[Container, ...] = ()
    host_network: bool = False
    service_account_name: str = "default"


class Pod(Part, frozen=True):
    """A pod, or the template of one."""

    metadata: Metadata
    spec: PodSpec


class Manifest(msgspec.Struct, frozen=True):
    """One object of the cluster, and all of what is said of it."""

    kind: str
    metadata: Metadata
    whole: dict[str, object]

    def read(self, path: str, kind: type[T]) -> T:
        """The part at ``path``, as ``spec.template``, as a ``kind``. Raises ``KeyError`` when there is none."""
        part: object = self.whole
        for name in path.split("."):
            part = cast("dict[str, object]", part)[name]
        return msgspec.convert(part, kind)

    def pod(self) -> Pod | None:
        """The pod that it is or makes."""
        if self.kind == "Pod":
            return msgspec.convert(self.whole, Pod)
        return self.read("spec.template", Pod) if self.kind in ("Deployment", "StatefulSet") else None

    def __str__(self) -> str:
        return f"{self.kind} {self.metadata.name}"


class Release(msgspec.Struct, frozen=True):
    """All that one installation makes."""

    manifests: tuple[Manifest, ...]
    notes: str

    def of(self, kind: str) -> list[Manifest]:
        return [manifest for manifest in self.manifests if manifest.kind == kind]

    def one(self, kind: str, ending: str = "-ultimo-gateway") -> Manifest:
        """The object of a kind whose name ends so."""
        (found,) = [it for it in self.of(kind) if it.metadata.name.endswith(ending)]
        return found

    def pods(self) -> list[tuple[Manifest, Pod]]:
        """Every object that makes pods, with its pod."""
        return [(manifest, pod) for manifest in self.manifests if (pod := manifest.pod()) is not None]

    def gateway(self) -> Pod:
        """The pods of the gateway."""
        return self.one("Deployment").read("spec.template", Pod)

    def configuration(self) -> str:
        """The text of the gateway's file."""
        return self.one("ConfigMap").read("data", dict[str, str])["gateway.yaml"]


def render(values: Values, *, name: str = NAME, namespace: str = NAMESPACE) -> Release:
    """Install the chart, as far as that goes without a cluster.

    Raises :class:`helm_python.HelmError` where Helm refuses, and ``yaml.YAMLError`` for output that is none.
    """
    # Helm takes the sub chart that is switched off out of the chart it has in hand: a new one each time.
    with helm_python.Chart.load(CHART) as chart:
        rendered = chart.render(values, name=name, namespace=namespace)
    manifests = []
    for path, text in sorted(rendered.items()):
        if not path.endswith("NOTES.txt"):
            manifests += [_manifest(whole) for whole in yaml.safe_load_all(text) if whole]
    return Release(tuple(manifests), rendered["ultimo-gateway/templates/NOTES.txt"])


def _manifest(whole: dict[str, object]) -> Manifest:
    return Manifest(str(whole["kind"]), msgspec.convert(whole["metadata"], Metadata), whole)
