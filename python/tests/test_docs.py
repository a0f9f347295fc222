# SPDX-License-Identifier: Apache-2.0
"""Every snippet of the documents runs: ``python`` blocks share their names, ``sh`` blocks run between them."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from command import environment

ROOT = Path(__file__).resolve().parents[2]
BLOCK = re.compile(r"^```(python|sh)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PAGES = [path for path in sorted((ROOT / "docs").rglob("*.md")) if BLOCK.search(path.read_text(encoding="utf-8"))]
LINK = re.compile(r"\]\((?!https?:|#)([^)#]+)")


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_the_snippets_of_a_page_run(page: Path, tmp_path: Path) -> None:
    """One script a page: each shell block becomes a call in its place."""
    script = ["import subprocess"]
    for match in BLOCK.finditer(page.read_text(encoding="utf-8")):
        script.append(match[2] if match[1] == "python" else shell(match[2]))
    (tmp_path / "page.py").write_text("\n".join(script), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "page.py"],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def shell(block: str) -> str:
    """A call that runs ``block`` with ``penstock`` and ``python`` those of this environment, and stops at an error."""
    head = f'penstock() {{ {sys.executable} -m penstock "$@"; }}\npython() {{ {sys.executable} "$@"; }}\nset -e\n'
    return f"subprocess.run(['bash', '-c', {head + block!r}], check=True)"


@pytest.mark.parametrize("page", sorted((ROOT / "docs").rglob("*.md")), ids=lambda path: str(path.relative_to(ROOT)))
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    for target in LINK.findall(page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), f"{page}: {target}"
