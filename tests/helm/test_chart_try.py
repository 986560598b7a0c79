"""`helm install --set sandbox.enabled=true` alone, as processes: the rendered commands, configuration and variables."""

from __future__ import annotations

from pathlib import Path

import httpx
import yaml

from tests.helm.manifests import Pod, Release
from tests.support.processes import running_process


def test_the_sandbox_can_be_tried(releases: dict[str, Release], tmp_path: Path) -> None:
    """The gateway reads a record of the sandbox, with the key that NOTES.txt tells."""
    release = releases["sandbox"]
    (sandbox,) = release.one("Deployment", "-sandbox").read("spec.template", Pod).spec.containers
    (gateway,) = release.gateway().spec.containers
    here = {"--host=0.0.0.0": "--host=127.0.0.1", "--port=8081": "--port=0"}
    command = ["gateway.cli", *(here.get(part, part) for part in sandbox.args)]
    with running_process(command, {}, "sandbox ready") as upstream:
        address = f"http://{release.one('Service', '-sandbox').metadata.name}:8081"
        settings = yaml.safe_load(release.configuration().replace(address, upstream.url))
        settings["server"] |= {"host": "127.0.0.1", "port": 0, "operations_port": 0, "drain_delay": 0}
        file = tmp_path / "gateway.yaml"
        file.write_text(yaml.safe_dump(settings, sort_keys=False))
        served = [
            "gateway.cli",
            *(str(file) if part.endswith("gateway.yaml") else part for part in gateway.args),
        ]
        environ = {variable.name: variable.value or "" for variable in gateway.env}
        with running_process(served, environ, '"serving"') as running:
            answer = httpx.get(
                f"{running.url}/v1/demo/objects/Equipment?limit=1", headers={"X-API-Key": "demo-key"}
            )
    assert answer.status_code == 200, answer.text
    assert len(answer.json()["items"]) == 1
    assert "'localhost:8080/v1/demo/objects/Equipment?limit=1'" in release.notes
