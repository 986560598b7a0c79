"""An adapter of someone else's: a wheel with one file and one entry point, installed beside the gateway.

The file is ``letterbox/letterbox.py``; the README's guide shows it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx2
import pytest

from gateway.keys import hash_key
from tests.support.processes import running_process
from tests.support.quota import ENVIRONMENT, STORE
from tests.support.servers import KEY

LETTERBOX = Path(__file__).parent / "letterbox"
VENDORS = [
    {"Id": "2", "Name": "B works", "Context": 1},
    {"Id": "1", "Name": "A works", "Context": "1"},
    {"Id": "3", "Name": "Another", "Context": 2},
]


class _Letters(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        known = self.path == "/letters/Vendor" and self.headers["Key"] == "letterbox-key"
        body = json.dumps(VENDORS).encode() if known else b""
        self.send_response(200 if known else 404)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing."""


@pytest.fixture
def letters() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Letters)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """The folder that the wheel is installed in."""
    dist, site = tmp_path / "dist", tmp_path / "site"
    build = [
        sys.executable,
        "-m",
        "build",
        "--wheel",
        "--no-isolation",
        "--outdir",
        str(dist),
        str(LETTERBOX),
    ]
    subprocess.run(build, check=True, capture_output=True)
    wheel = next(dist.glob("*.whl"))
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index"]
    subprocess.run([*install, "--target", str(site), str(wheel)], check=True, capture_output=True)
    return site


def test_an_adapter_from_another_wheel_serves_calls(letters: str, installed: Path, tmp_path: Path) -> None:
    document = {
        "server": {"port": 0},
        "store": {**STORE},
        "environments": {
            "plant": {"addresses": {"letterbox": letters}, "zone": "Europe/Amsterdam", **ENVIRONMENT}
        },
        "tenants": {
            "post": {
                "environment": "plant",
                "credentials": {"api_key": {"env": "LETTERBOX_KEY"}},
                "adapters": {"letterbox": {"letters": ["Vendor"]}},
            }
        },
        "clients": {"tests": {"keys": [hash_key(KEY)], "scopes": ["read", "write"], "tenants": ["*"]}},
    }
    file = tmp_path / "gateway.yaml"
    file.write_text(json.dumps(document))
    paths = os.pathsep.join(filter(None, (str(installed), os.environ.get("PYTHONPATH"))))
    environ = {"LETTERBOX_KEY": "letterbox-key", "PYTHONPATH": paths}
    with (
        running_process(["gateway.cli", "serve", "--config", str(file)], environ, '"serving"') as gateway,
        httpx2.Client(base_url=gateway.url + "/v1/post", headers={"X-API-Key": KEY}) as client,
    ):
        query = {"filter": "Context eq 1", "orderby": "Name", "select": "Id,Name", "limit": "1"}
        page = client.get("/objects/Vendor", params=query).json()
        assert page["items"] == [{"Id": "1", "Name": "A works"}]
        assert client.get("/objects/Vendor", params={**query, "cursor": page["next"]}).json()["items"] == [
            {"Id": "2", "Name": "B works"}
        ]
        assert client.get("/objects/Vendor/3").json() == {"Id": "3", "Name": "Another", "Context": 2}
        assert client.get("/objects/Vendor/4").json()["code"] == "record_not_found"
        refused = client.delete("/objects/Vendor/3").json()
        assert (refused["code"], refused["detail"]) == (
            "operation_not_supported",
            "letterbox: a letterbox can only be emptied",
        )
        lines = {line["operation"]: line for line in client.get("/capabilities").json()["items"]}
        assert (lines["list"]["adapter"], lines["get"]["adapter"]) == ("letterbox", "letterbox")
        assert lines["create"]["adapter"] is None
