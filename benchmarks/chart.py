# SPDX-License-Identifier: Apache-2.0
"""A bar chart of the ratios as SVG: on a logarithmic scale, each with its interval and the bar it is held to."""

from __future__ import annotations

import math
from typing import Any
from xml.sax.saxutils import escape

WIDTH, LEFT, RIGHT, TOP, STEP, THICK = 960, 420, 70, 54, 24, 14
COLOURS = {"met": "#2f7d4f", "missed": "#b3412e", "undecided": "#b98a1d", "": "#5b6f8a"}
TICKS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500)


def draw(lines: list[dict[str, Any]]) -> str:
    """The chart of all comparisons that are ratios of times."""
    found = [
        (line, each)
        for line in lines
        for each in line.get("comparisons", [])
        if each["unit"] == "x" and each["value"] is not None
    ]
    height = TOP + STEP * max(1, len(found)) + 40
    legend = ", ".join(f'<tspan fill="{colour}">{name}</tspan>' for name, colour in COLOURS.items() if name)
    text = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="sans-serif">',
        f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>',
        "<style>text { font-size: 12px }</style>",
        f'<text x="{LEFT}" y="22" font-weight="bold">How many times as fast as the peer</text>',
        f'<text x="{LEFT}" y="38" fill="#444444">whiskers: 95 % interval; dashed: the bar; {legend}</text>',
    ]
    if found:
        edges = [each[key] for _, each in found for key in ("low", "high", "bar") if each[key]]
        text += _bars(found, _Scale(min(*edges, 1.0), max(*edges, 2.0)), height)
    else:
        text.append(f'<text x="{LEFT}" y="{TOP + STEP}">There are no results yet.</text>')
    return "\n".join([*text, "</svg>"]) + "\n"


class _Scale:
    """Ratios to pixels, logarithmically, with a little room at both ends."""

    def __init__(self, low: float, high: float) -> None:
        self._low, self._high = math.log(low / 1.15), math.log(high * 1.15)

    def __call__(self, ratio: float) -> float:
        share = (math.log(ratio) - self._low) / (self._high - self._low)
        return round(LEFT + share * (WIDTH - LEFT - RIGHT), 1)

    def holds(self, ratio: float) -> bool:
        return self._low <= math.log(ratio) <= self._high


def _bars(found: list[tuple[dict[str, Any], dict[str, Any]]], at: _Scale, height: int) -> list[str]:
    bottom = height - 32
    text = []
    for tick in filter(at.holds, TICKS):
        colour = "#444444" if tick == 1 else "#dddddd"
        text.append(f'<line x1="{at(tick)}" y1="{TOP - 8}" x2="{at(tick)}" y2="{bottom}" stroke="{colour}"/>')
        text.append(f'<text x="{at(tick)}" y="{bottom + 16}" text-anchor="middle" fill="#444444">{tick:g}x</text>')
    for place, (line, each) in enumerate(found):
        text += _one(TOP + STEP * place, line["title"].replace("`", ""), each, at)
    return text


def _one(top: int, title: str, each: dict[str, Any], at: _Scale) -> list[str]:
    middle = top + THICK / 2
    start, end = sorted((at(1.0), at(each["value"])))
    low, high = at(each["low"]), at(each["high"])
    colour = COLOURS.get(each["verdict"], COLOURS[""])
    text = [
        f'<text x="{LEFT - 12}" y="{top + 11}" text-anchor="end">{escape(title)} / {escape(each["peer"])}</text>',
        f'<rect x="{start}" y="{top}" width="{max(1.0, round(end - start, 1))}" height="{THICK}" fill="{colour}"/>',
        f'<path d="M{low} {middle}H{high}M{low} {middle - 4}v8M{high} {middle - 4}v8" stroke="#111111" fill="none"/>',
        f'<text x="{WIDTH - RIGHT + 8}" y="{top + 11}">{each["value"]:.2f}x</text>',
    ]
    if each["bar"] is not None:
        x = at(each["bar"])
        text.append(f'<path d="M{x} {top - 3}v{THICK + 6}" stroke="#111111" stroke-width="2" stroke-dasharray="3 2"/>')
    return text
