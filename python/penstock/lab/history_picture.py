# SPDX-License-Identifier: Apache-2.0
"""The history of each row as a picture: ratios with their intervals over time, each level and where it changed."""

from __future__ import annotations

import math
import re
import statistics
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path

from penstock.lab import blocks, svg_dates
from penstock.lab.blocks import Block, Heading, Items, Picture, Text
from penstock.lab.history import Series
from penstock.lab.svg import COLOURS, Axis, Chart

CHANGED = COLOURS[5]
# A series needs so many results for a picture.
LEAST = 2


def write(folder: Path, found: Sequence[Series], others: Mapping[str, int]) -> list[Path]:
    """history.md, history.html and the pictures, made anew from the results; rows that changed come first."""
    folder.mkdir(parents=True, exist_ok=True)
    return blocks.write(folder, "history", "History", document(found, others))


def document(found: Sequence[Series], others: Mapping[str, int]) -> list[Block]:
    parts: list[Block] = [Heading(1, "History"), Text("Ratios of paired runs on this machine; lower is faster.")]
    if others:
        left = [f"{count} results of another machine ({name})" for name, count in others.items()]
        parts += [Text("Never compared, and left out here:"), Items(left)]
    for each in sorted(found, key=lambda series: not series.changes):
        parts += [Heading(2, f"{each.row}, {each.what}"), Text(f"{each.changes_text()}.")]
        if len(each.values) >= LEAST:
            parts.append(Picture(_file_name(each), each.text(), draw(each)))
    return parts


def draw(series: Series) -> str:
    """One series."""
    xs = [svg_dates.seconds(each) for each in series.whens]
    room = max(0.04 * (xs[-1] - xs[0]), 60.0)
    chart = Chart(
        f"{series.row}: {len(xs)} results",
        Axis("time of the measurement (UTC)", low=xs[0] - room, high=xs[-1] + room, dates=True),
        Axis(series.what, log=True),
        subtitle="lower is faster; whiskers are 95 % intervals, lines the levels that the results support",
    )
    starts = [0, *(each.at for each in series.changes), len(xs)]
    medians = [statistics.median(series.values[a:b]) for a, b in pairwise(starts)]
    edges = [xs[0] - room, *(_between(xs, each.at) for each in series.changes), xs[-1] + room]
    for place, level in enumerate(medians):
        chart.line(edges[place : place + 2], [level, level], colour=COLOURS[7], dash="6 3")
    titles = [
        f"{value:.4g} [{low:.4g}, {high:.4g}], {when}, commit {commit}"
        for value, low, high, when, commit in zip(
            series.values, series.lows, series.highs, series.whens, series.commits, strict=True
        )
    ]
    chart.points(xs, series.values, series.lows, series.highs, colour=COLOURS[0], titles=titles)
    for each in series.changes:
        moved = 100 * (math.exp(each.after - each.before) - 1)
        chart.vertical(_between(xs, each.at), f"{moved:+.1f} %", CHANGED)
    return chart.svg()


def _between(xs: Sequence[float], at: int) -> float:
    """Between the last result of the old level and the first of the new."""
    return (xs[at - 1] + xs[at]) / 2


def _file_name(series: Series) -> str:
    return "history-" + re.sub(r"[^A-Za-z0-9_]+", "-", f"{series.row} {series.what} {series.case[:8]}").strip("-")
