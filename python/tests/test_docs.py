# SPDX-License-Identifier: Apache-2.0
"""The documents' links to each other lead somewhere, and their lists say what the command says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from command import run

from penstock.expression import CONSTANTS, CREATION, PRODUCTS, REDUCTIONS, VIEWS

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
LINK = re.compile(r"\]\((?!https?:|#)([^)#]+)")


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    for target in LINK.findall(page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), f"{page}: {target}"


def test_the_reference_names_every_option() -> None:
    text = (ROOT / "docs" / "reference" / "command-line.md").read_text(encoding="utf-8")
    for command in ("eval", "info", "plan", "doctor", "tune"):
        for option in re.findall(r"--[a-z][-a-z]+", run(command, "--help").stdout):
            assert option in text, f"{command} {option}"


def test_the_reference_names_every_function_that_is_no_elementwise_one() -> None:
    text = (ROOT / "docs" / "reference" / "expressions.md").read_text(encoding="utf-8")
    creation = (each for each in CREATION if not each.endswith("_like"))
    for name in (*REDUCTIONS, *PRODUCTS, *VIEWS, *CONSTANTS, *creation):
        assert f"`{name}`" in text, name
