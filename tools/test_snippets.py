# SPDX-License-Identifier: Apache-2.0
"""Every `python` and `sh` block of the documents runs as it is printed.

The blocks of one document run in order in one process and one folder, which holds the sample arrays of `samples`. What
is not to be run (output, commands that install) is fenced as `text`; C++, CMake and make keep their names.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parent.parent
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
FENCE = re.compile(r"^(?P<indent> *)```(?P<language>[\w-]*)[^\n]*\n(?P<body>.*?)^ *```\s*$", re.MULTILINE | re.DOTALL)
RUN = {"python", "sh"}
SHOWN = {"text", "cpp", "cmake", "make"}

# Runs in a process of its own: settings and signal handlers of one document do not reach another.
RUNNER = """
import json, subprocess, sys
names = {"__name__": "__main__"}
for language, place, body in json.load(open(sys.argv[1])):
    print("--", place, flush=True)
    if language == "python":
        exec(compile(body, place, "exec"), names)
    else:
        subprocess.run(["bash", "-euo", "pipefail", "-c", body], check=True)
"""


def blocks(text: str, name: str) -> list[tuple[str, str, str]]:
    """(language, 'file:line', body) of each fenced block, its indentation taken off."""
    found = []
    for match in FENCE.finditer(text):
        line = text.count("\n", 0, match.start()) + 1
        indent = match["indent"]
        body = "".join(each.removeprefix(indent) for each in match["body"].splitlines(keepends=True))
        found.append((match["language"], f"{name}:{line}", body))
    return found


def samples(folder: Path) -> None:
    """The arrays that the documents name."""
    rng = np.random.default_rng(1)
    np.save(folder / "photos.npy", rng.integers(0, 256, (12, 48, 64, 3), dtype=np.uint8))
    for name in ("a", "u", "v", "x"):
        np.save(folder / f"{name}.npy", rng.normal(size=(200, 300)).astype(np.float32))
    rng.normal(size=(100, 200)).astype(np.float32).tofile(folder / "x.raw")


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_document(document: Path, tmp_path: Path) -> None:
    found = blocks(document.read_text(encoding="utf-8"), document.relative_to(ROOT).as_posix())
    for language, place, _ in found:
        assert language in RUN | SHOWN, f"{place}: a block is fenced as one of {sorted(RUN | SHOWN)}, got {language!r}"
    to_run = [block for block in found if block[0] in RUN]
    if not to_run:
        return
    samples(tmp_path)
    script = tmp_path / ".blocks.json"
    script.write_text(json.dumps(to_run), encoding="utf-8")
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    command = [sys.executable, "-c", RUNNER, str(script)]
    result = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False, timeout=300
    )
    assert result.returncode == 0, f"{result.stdout}\n{result.stderr}"


def test_blocks_are_found() -> None:
    text = "a\n```python\nx = 1\n```\n- b\n  ```sh\n  echo hi\n  ```\n```text\nno\n```\n"
    assert blocks(text, "d.md") == [
        ("python", "d.md:2", "x = 1\n"),
        ("sh", "d.md:6", "echo hi\n"),
        ("text", "d.md:9", "no\n"),
    ]


def test_every_decision_is_in_the_index() -> None:
    folder = ROOT / "docs" / "decisions"
    index = (folder / "README.md").read_text(encoding="utf-8")
    for page in sorted(folder.glob("[0-9]*.md")):
        title = page.read_text(encoding="utf-8").splitlines()[0].removeprefix("# ").split(". ", 1)[1]
        assert f"[{title}]({page.name})" in index, f"docs/decisions/README.md lacks [{title}]({page.name})"
