"""The image's virtual environment, made by the very steps of the Dockerfile, without what builds images."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.image import HOME, ROOT, WORK, ignore_patterns, ignored, read_dockerfile


@pytest.fixture(scope="session")
def image_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in the place of the image's root, with what the builder stage makes in it."""
    root = tmp_path_factory.mktemp("image")
    context, builder = root / "build", read_dockerfile().stages[0]
    context.mkdir()
    environ = {
        **os.environ,
        **builder.pairs("ENV"),
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
    }
    del environ[
        "PIP_NO_CACHE_DIR"
    ]  # what keeps the image small would have the tests fetch everything each time
    for step in builder.instructions:
        if step.keyword == "COPY":
            *sources, target = step.text.split()
            for source in sources:
                _copy(source, context / target)
        elif step.keyword == "RUN":
            command = step.text.replace(HOME, f"{root}{HOME}").replace(WORK, f"{root}{WORK}")
            done = subprocess.run(
                ["/bin/sh", "-c", command],
                cwd=context,
                env=environ,
                capture_output=True,
                text=True,
                check=False,
            )
            assert done.returncode == 0, done.stderr[-2000:]
    return root


def _copy(source: str, target: Path) -> None:
    """As COPY does it: a file into a folder, of a folder what is in it, and nothing that .dockerignore leaves out."""
    patterns = ignore_patterns()

    def left_out(folder: str, names: list[str]) -> set[str]:
        return {name for name in names if ignored(str((Path(folder) / name).relative_to(ROOT)), patterns)}

    if (ROOT / source).is_dir():
        shutil.copytree(ROOT / source, target, ignore=left_out)
    elif not ignored(source, patterns):
        shutil.copy(ROOT / source, target)
