# SPDX-License-Identifier: Apache-2.0
"""Named values as horizontal bars, each with its interval: ratios, shares, seconds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

from penstock.lab.svg import COLOURS, GREY, GRID, INK, Axis, Scale, fitted, head, number_text

STEP, THICK, ROOM = 26, 15, 78


@dataclass(frozen=True)
class Bar:
    """One value; ``low`` to ``high`` is its interval, ``mark`` what it is held to, ``text`` what stands behind it."""

    name: str
    value: float
    low: float | None = None
    high: float | None = None
    mark: float | None = None
    colour: str = COLOURS[0]
    text: str = ""


def bars(
    title: str, rows: Sequence[Bar], axis: Axis | None = None, origin: float | None = None, width: int = 760
) -> str:
    """The picture of ``rows`` from top to bottom, as one ``<svg>`` element.

    Bars begin at ``origin``: 1 on a logarithmic axis (ratios), else 0. No rows: a picture that says so.
    """
    axis = axis or Axis()
    origin = (1.0 if axis.log else 0.0) if origin is None else origin
    top, height = 50, 50 + STEP * max(1, len(rows)) + 46
    text = head(width, height, title)
    if not rows:
        return "\n".join([*text, f'<text x="16" y="{top + 12}">There are no results yet.</text>', "</svg>"]) + "\n"
    left = min(width // 2, 24 + 7 * max(len(each.name) for each in rows))
    ends = [end for each in rows for end in (each.value, each.low, each.high, each.mark) if end is not None]
    at = fitted(axis, [origin, *ends], left, width - ROOM)
    bottom = height - 40
    for tick in at.ticks():
        x = at(tick)
        text.append(f'<line x1="{x}" y1="{top - 8}" x2="{x}" y2="{bottom}" stroke="{GRID}"/>')
        shown = escape(number_text(tick, axis.unit))
        text.append(f'<text x="{x}" y="{bottom + 15}" text-anchor="middle" fill="{GREY}">{shown}</text>')
    text.append(f'<line x1="{at(origin)}" y1="{top - 8}" x2="{at(origin)}" y2="{bottom}" stroke="{GREY}"/>')
    middle = (left + width - ROOM) / 2
    text.append(f'<text x="{middle:g}" y="{bottom + 32}" text-anchor="middle" fill="{INK}">{escape(axis.label)}</text>')
    for place, each in enumerate(rows):
        text += _one(top + STEP * place, left, width, each, at, origin, axis.unit)
    return "\n".join([*text, "</svg>"]) + "\n"


def _one(top: int, left: int, width: int, bar: Bar, at: Scale, origin: float, unit: str) -> list[str]:
    start, end = sorted((at(origin), at(bar.value)))
    wide, middle = max(1.0, round(end - start, 1)), top + THICK / 2
    room = max(8, (left - 20) // 7)
    name = bar.name if len(bar.name) <= room else bar.name[: room - 1] + "…"
    shown = bar.text or number_text(bar.value, unit)
    text = [
        f'<text x="{left - 8}" y="{top + 12}" text-anchor="end">{escape(name)}<title>{escape(bar.name)}</title></text>',
        f'<rect x="{start}" y="{top}" width="{wide:g}" height="{THICK}" fill="{bar.colour}"/>',
        f'<text x="{width - ROOM + 8}" y="{top + 12}">{escape(shown)}</text>',
    ]
    if bar.low is not None and bar.high is not None:
        low, high = at(bar.low), at(bar.high)
        path = f"M{low} {middle}H{high}M{low} {middle - 4}v8M{high} {middle - 4}v8"
        text.append(f'<path d="{path}" stroke="{INK}" fill="none"/>')
    if bar.mark is not None:
        path = f"M{at(bar.mark)} {top - 3}v{THICK + 6}"
        text.append(f'<path d="{path}" stroke="{INK}" stroke-width="2" stroke-dasharray="3 2"/>')
    return text
