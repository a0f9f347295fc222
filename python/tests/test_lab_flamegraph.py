# SPDX-License-Identifier: Apache-2.0
"""Widths of a flamegraph are shares of the time; callees lie on their callers."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree

import pytest

from penstock.lab import flamegraph

SVG = "{http://www.w3.org/2000/svg}"
STACKS = {("main",): 1.0, ("main", "load"): 3.0, ("main", "step", "add<int>"): 4.0, ("thread w", "work"): 2.0}


def boxes(text: str) -> dict[str, tuple[float, float, float]]:
    """x, y and width by function name."""
    found = {}
    for group in ElementTree.fromstring(text).iter(f"{SVG}g"):
        title, box = group.find(f"{SVG}title"), group.find(f"{SVG}rect")
        if title is not None and title.text is not None and box is not None:
            found[title.text.split("\n")[0]] = tuple(float(box.attrib[key]) for key in ("x", "y", "width"))
    return found  # type: ignore[return-value]


def test_the_tree_sums_what_is_called() -> None:
    root = flamegraph.tree(STACKS)
    assert root.seconds == 10
    assert root.children["main"].seconds == 8
    assert root.children["main"].children["step"].children["add<int>"].seconds == 4
    assert root.depth() == 4


def test_widths_are_shares_and_callees_lie_on_their_callers() -> None:
    found = boxes(flamegraph.draw(flamegraph.tree(STACKS), "t"))
    whole = found["all"][2]
    assert found["main"][2] / whole == pytest.approx(0.8, abs=0.01)
    assert found["add<int>"][2] / whole == pytest.approx(0.4, abs=0.01)
    assert found["main"][1] == found["all"][1] - flamegraph.ROW
    assert found["add<int>"][1] == found["step"][1] - flamegraph.ROW
    assert found["step"][0] >= found["load"][0] + found["load"][2]


def test_hovering_tells_seconds_and_share() -> None:
    text = flamegraph.draw(flamegraph.tree(STACKS), "a & b")
    assert "add&lt;int&gt;\n4 s, 40.0%" in text
    assert "a &amp; b" in text


def test_the_narrowest_are_left_out_and_names_are_cut() -> None:
    root = flamegraph.tree({("a" * 300, "tiny"): 1e-6, ("a" * 300,): 1.0, ("b",): 9.0})
    text = flamegraph.draw(root, "t")
    assert "tiny" not in text
    assert "a" * 5 + "…" in text


def test_no_samples_are_told() -> None:
    assert "No sample was taken" in flamegraph.draw(flamegraph.tree({}), "t")
