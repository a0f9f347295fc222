# SPDX-License-Identifier: Apache-2.0
"""The pictures of the results: ratios as bars, throughput over size, and the roofline."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from penstock.lab import roofline, roofline_picture, svg_bars
from penstock.lab.results import identity_of
from penstock.lab.svg import COLOURS, Axis, Chart
from rows_roofline import NAME as ROOFLINE
from rows_sweep import AT

Line = dict[str, Any]
VERDICTS = {"met": "#2f7d4f", "missed": "#c53030", "undecided": "#b7791f", "": "#5b6f8a"}
WIDTH = 900
LONGEST = 56  # characters that have room beside the bars
# Rows of the whole table that are drawn over size: what is shown, and its colour.
SIZES = {
    "sweep-add-float32-plain": "a + b",
    "sweep-add-out-float32-plain": "add(a, b, out=c)",
    "sweep-sum-float32-plain": "sum(a)",
    "sweep-max-float32-plain": "max(a)",
}


def ratios(title: str, lines: Sequence[Line]) -> str:
    """A bar for each ratio of times, with its interval and the bar it is held to. No ratios: ""."""
    found = [
        svg_bars.Bar(
            name(line, each["peer"]),
            each["value"],
            each["low"],
            each["high"],
            each["bar"],
            VERDICTS.get(each["verdict"], VERDICTS[""]),
            f"{each['value']:.2f}x" if each["value"] < 100 else f"{each['value']:.0f}x",
        )
        for line in lines
        for each in line.get("comparisons", [])
        if each["unit"] == "x" and each["value"] is not None
    ]
    axis = Axis("times as fast as the peer", log=True)
    return svg_bars.bars(title, found, axis, width=WIDTH) if found else ""


def name(line: Line, peer: str) -> str:
    """What a bar is called: the row's title, or its name where that would be cut off."""
    title = line["title"].replace("`", "")
    return f"{title if len(title) + len(peer) < LONGEST else line['row']} / {peer}"


def over_size(lines: Sequence[Line]) -> str:
    """Elements a second over the number of elements, of Penstock and, dashed, of NumPy. No such rows: ""."""
    rows = {line["row"]: line for line in lines if line["row"] in SIZES and line.get("medians")}
    if not rows:
        return ""
    chart = Chart(
        "Throughput over size, float32",
        Axis("elements", log=True),
        Axis("elements a second", log=True),
        WIDTH,
        subtitle="median of each side; solid: Penstock, dashed: NumPy",
    )
    for number, (row, text) in enumerate(SIZES.items()):
        for side, dash in (("penstock", ""), ("numpy", "5 3")):
            points = over(rows.get(row, {}), side)
            if points:
                sizes, speeds = zip(*points, strict=True)
                chart.line(sizes, speeds, "" if dash else text, COLOURS[number], dash)
    return chart.svg()


def over(line: Line, side: str) -> list[tuple[float, float]]:
    """(elements, elements a second) of a side at each size."""
    medians = line.get("medians", {}).items()
    named = [(float(name.partition(AT)[2]), seconds) for name, seconds in medians if name.partition(AT)[0] == side]
    scale = line.get("scale", 1)
    found = [(n if n <= 1e6 else max(1e6, n * scale), seconds) for n, seconds in named]
    return [(n, n / seconds) for n, seconds in found]


def of_roofline(lines: Sequence[Line]) -> str:
    """The machine's roofline with Penstock's rows on it. Not measured: ""."""
    measured = next((line for line in lines if line["row"] == ROOFLINE and line.get("parts")), None)
    if measured is None:
        return ""
    line = {**measured, "ceilings": measured["parts"], "disk": {"missing": "a row of its own"}}
    kernels = [each for each in roofline.kernels(lines, identity_of(line)) if each.name.endswith(", penstock")]
    return roofline_picture.draw(line, kernels)
