"""The image's virtual environment, made by the very steps of the Dockerfile, without what builds images.

Nothing is fetched: what the files of requirements pin is linked from the environment of the tests, which was installed
by the same hashes, so that pip finds each of them there already. It still refuses what is not pinned or not there.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import sysconfig
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import pytest

from tests.support.image import HOME, ROOT, WORK, ignore_patterns, ignored, read_dockerfile
from tests.support.once import made_once


@pytest.fixture(scope="session")
def image_root(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """A folder in the place of the image's root, with what the builder stage makes in it, for all workers."""
    return made_once("image", _build, tmp_path_factory, worker_id)


def _build(root: Path) -> None:
    context, builder = root / "build", read_dockerfile().stages[0]
    context.mkdir()
    _link(ROOT / ".ci" / "requirements-build.txt", context / "tools")
    _link(ROOT / ".ci" / "requirements.txt", Path(f"{root}{HOME}"))
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    environ = {**os.environ, **builder.pairs("ENV"), "PIP_NO_INDEX": "1", "PATH": path}
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


def _link(requirements: Path, home: Path) -> None:
    """Link into a virtual environment at ``home`` what is installed here of a file of requirements."""
    site = Path(sysconfig.get_path("purelib", "venv", {"base": str(home)}))
    for name in re.findall(r"^([\w.-]+)==", requirements.read_text(), re.MULTILINE):
        try:
            installed = distribution(name)
        except PackageNotFoundError:
            continue  # for another system than this one, or missed by pip right away
        for file in installed.files or ():
            if ".." not in file.parts:
                _linked(Path(str(installed.locate_file(file))), site / file)


def _linked(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        target.hardlink_to(source)
    except OSError:  # another file system
        shutil.copy2(source, target)


def _copy(source: str, target: Path) -> None:
    """As COPY does it: a file into a folder, of a folder what is in it, and nothing that .dockerignore leaves out."""
    patterns = ignore_patterns()

    def left_out(folder: str, names: list[str]) -> set[str]:
        return {name for name in names if ignored(str((Path(folder) / name).relative_to(ROOT)), patterns)}

    if (ROOT / source).is_dir():
        shutil.copytree(ROOT / source, target, ignore=left_out)
    elif not ignored(source, patterns):
        shutil.copy(ROOT / source, target)
