# SPDX-License-Identifier: Apache-2.0
"""Charts as self-contained SVG text: lines, points with intervals, reference lines and horizontal bars.

``Chart`` has two axes, each linear or logarithmic; svg_bars.py draws named values. All text is escaped, nothing is
fetched, and equal input gives equal bytes. Sizes are in pixels.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from xml.sax.saxutils import escape, quoteattr

from penstock.lab import svg_dates

# Told apart by the colour-blind too; the first is the one for a single series.
COLOURS = ("#2b6cb0", "#c05621", "#2f7d4f", "#805ad5", "#b7791f", "#c53030", "#00838f", "#5b6f8a")
INK, GREY, GRID = "#1a202c", "#4a5568", "#e2e8f0"
_PREFIXES = ("p", "n", "µ", "m", "", "k", "M", "G", "T", "P")


def number_text(value: float, unit: str = "") -> str:
    """Three significant figures with an SI prefix: ``number_text(1.5e9, "B/s")`` gives ``1.5 GB/s``.

    Without a unit there is none below 1: ``0.7``, ``1.5 k``.
    """
    if value == 0 or not math.isfinite(value):
        return f"{value:g} {unit}".rstrip()
    place = min(max(math.floor(math.log10(abs(value)) / 3 + 1e-9), -4 if unit else 0), 5)
    shown = f"{value / 1000.0**place:.3g}"
    if abs(float(shown)) >= 1000 and place < 5:
        place, shown = place + 1, f"{value / 1000.0 ** (place + 1):.3g}"
    return f"{float(shown):g} {_PREFIXES[place + 4]}{unit}".rstrip()


@dataclass(frozen=True)
class Axis:
    """What an axis says and spans. ``low`` and ``high`` None: what the data need. ``unit`` follows each tick.

    Raises ValueError for a logarithmic axis whose ends are not positive.
    """

    label: str = ""
    log: bool = False
    low: float | None = None
    high: float | None = None
    unit: str = ""
    # Counts: no tick between whole numbers.
    whole: bool = False
    # Seconds since 1970, shown as dates (UTC).
    dates: bool = False

    def __post_init__(self) -> None:
        for end in (self.low, self.high):
            if end is not None and self.log and end <= 0:
                raise ValueError(f"a logarithmic axis needs positive ends; got {end:g}: leave it out, or set log=False")


class Scale:
    """Values to pixels: ``low`` lies at ``start``, ``high`` at ``end``."""

    def __init__(self, low: float, high: float, start: float, end: float, axis: Axis) -> None:
        self.low, self.high, self.log = low, high, axis.log
        self._start, self._end = start, end
        self._axis = axis

    def __call__(self, value: float) -> float:
        if self.log:
            share = math.log(value / self.low) / math.log(self.high / self.low)
        else:
            share = (value - self.low) / (self.high - self.low)
        return round(self._start + share * (self._end - self._start), 1)

    def ticks(self) -> list[float]:
        """Round values inside: powers of ten (with 2 and 5 where there are few), or about five even steps."""
        # Less than two doublings look even on either scale.
        wide = self.log and self.high > 4 * self.low
        if self._axis.dates:
            return svg_dates.ticks(self.low, self.high)
        ticks = _log_ticks(self.low, self.high) if wide else _even_ticks(self.low, self.high)
        return [each for each in ticks if not self._axis.whole or each == int(each)]

    def text(self, tick: float) -> str:
        """What stands at a tick."""
        if self._axis.dates:
            return svg_dates.text(tick, svg_dates.step(self.low, self.high))
        return number_text(tick, self._axis.unit)


def fitted(axis: Axis, values: Iterable[float], start: float, end: float) -> Scale:
    """The scale of ``axis`` over ``values`` (not finite ones left out; not positive ones too when logarithmic)."""
    usable = [each for each in values if math.isfinite(each) and not (axis.log and each <= 0)] or [1.0]
    low, high = min(usable), max(usable)
    if axis.log:
        room = max((high / low) ** 0.05, 1.1)
        low, high = low / room, high * room
    else:
        room = (high - low) * 0.05 or abs(high) * 0.05 or 1.0
        low, high = (0.0 if 0 <= low < 0.5 * high else low - room), high + room
    low = low if axis.low is None else axis.low
    high = high if axis.high is None else axis.high
    if high <= low:
        high = low * 10 if axis.log else low + 1
    return Scale(low, high, start, end, axis)


def _even_ticks(low: float, high: float) -> list[float]:
    rough = (high - low) / 5
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(each * power for each in (1, 2, 2.5, 5, 10) if each * power >= rough * 0.999)
    first = math.ceil(low / step - 1e-9)
    return [round(n * step, 12) for n in range(first, math.floor(high / step + 1e-9) + 1)]


def _log_ticks(low: float, high: float) -> list[float]:
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    decades = math.log10(high / low)
    steps = (1, 2, 5) if decades < 4 else (1,)
    found = [step * 10.0**power for power in powers for step in steps]
    inside = [each for each in found if low * (1 - 1e-9) <= each <= high * (1 + 1e-9)]
    return inside[:: max(1, round(len(inside) / 9))] if len(inside) > 12 else inside or [low, high]


@dataclass
class _Series:
    kind: str
    xs: list[float]
    ys: list[float]
    low: list[float]
    high: list[float]
    label: str
    colour: str
    dash: str
    titles: list[str]


@dataclass
class Chart:
    """A chart that grows series by series; ``svg()`` draws it. Each method returns the chart.

    Points that are not finite, or not positive on a logarithmic axis, are left out.
    """

    title: str
    x: Axis
    y: Axis
    width: int = 760
    height: int = 440
    subtitle: str = ""
    _series: list[_Series] = field(default_factory=list)
    _marks: list[tuple[str, float, str, str]] = field(default_factory=list)

    def line(
        self, xs: Sequence[float], ys: Sequence[float], label: str = "", colour: str = "", dash: str = ""
    ) -> Chart:
        """A line through the points; ``dash`` as SVG's stroke-dasharray."""
        return self._add("line", xs, ys, (), (), label, colour, dash, ())

    def points(
        self,
        xs: Sequence[float],
        ys: Sequence[float],
        low: Sequence[float] = (),
        high: Sequence[float] = (),
        label: str = "",
        colour: str = "",
        titles: Sequence[str] = (),
    ) -> Chart:
        """Dots, with whiskers from ``low`` to ``high`` (y values) where given and hover texts ``titles``."""
        return self._add("points", xs, ys, low, high, label, colour, "", titles)

    def band(
        self, xs: Sequence[float], low: Sequence[float], high: Sequence[float], label: str = "", colour: str = ""
    ) -> Chart:
        """The area between two lines."""
        return self._add("band", xs, low, low, high, label, colour, "", ())

    def horizontal(self, y: float, label: str = "", colour: str = GREY) -> Chart:
        """A dashed line across the chart at ``y``, with its name."""
        self._marks.append(("h", y, label, colour))
        return self

    def vertical(self, x: float, label: str = "", colour: str = GREY) -> Chart:
        """A dashed line down the chart at ``x``, with its name."""
        self._marks.append(("v", x, label, colour))
        return self

    def _add(
        self,
        kind: str,
        xs: Sequence[float],
        ys: Sequence[float],
        low: Sequence[float],
        high: Sequence[float],
        label: str,
        colour: str,
        dash: str,
        titles: Sequence[str],
    ) -> Chart:
        for name, values in (("y", ys), ("low", low), ("high", high), ("titles", titles)):
            if len(values) not in (len(xs), 0) or (name == "y" and len(values) != len(xs)):
                raise ValueError(f"{len(xs)} x values need as many of {name}; got {len(values)}")
        colour = colour or COLOURS[len(self._series) % len(COLOURS)]
        self._series.append(_Series(kind, list(xs), list(ys), list(low), list(high), label, colour, dash, list(titles)))
        return self

    def svg(self) -> str:
        """The picture as one ``<svg>`` element, ready for a file or inside HTML."""
        legend = [each for each in self._series if each.label]
        top = 44 + 16 * bool(self.subtitle) + 18 * math.ceil(len(legend) / 4)
        left, right, bottom = 84, self.width - 24, self.height - 52
        marked = {side: [at for kind, at, _, _ in self._marks if kind == side] for side in "hv"}
        across = [each for one in self._series for each in one.xs] + marked["v"]
        up = [each for one in self._series for each in (*one.ys, *one.low, *one.high)] + marked["h"]
        x, y = fitted(self.x, across, left, right), fitted(self.y, up, bottom, top)
        text = [*head(self.width, self.height, self.title, self.subtitle), *self._legend(legend)]
        text += self._grid(x, y, (left, right, top, bottom))
        # Clips what an axis leaves out, but no dot that lies on an edge.
        place = f"{left - 5} {top - 5} {right - left + 10} {bottom - top + 10}"
        size = f'width="{right - left + 10}" height="{bottom - top + 10}"'
        text.append(f'<svg x="{left - 5}" y="{top - 5}" {size} viewBox="{place}">')
        for one in self._series:
            text += _drawn(one, x, y)
        text.append("</svg>")
        text += self._drawn_marks(x, y, (left, right, top, bottom))
        return "\n".join([*text, "</svg>"]) + "\n"

    def _legend(self, legend: list[_Series]) -> list[str]:
        text = []
        for place, one in enumerate(legend):
            left = 84 + place % 4 * ((self.width - 108) / 4)
            top = 44 + 16 * bool(self.subtitle) + 18 * (place // 4)
            text.append(f'<rect x="{left:g}" y="{top - 4}" width="14" height="4" fill="{one.colour}"/>')
            text.append(f'<text x="{left + 20:g}" y="{top + 2}">{escape(one.label)}</text>')
        return text

    def _grid(self, x: Scale, y: Scale, box: tuple[int, int, int, int]) -> list[str]:
        left, right, top, bottom = box
        text = []
        for tick in x.ticks():
            at = x(tick)
            text.append(f'<line x1="{at}" y1="{top}" x2="{at}" y2="{bottom}" stroke="{GRID}"/>')
            shown = escape(x.text(tick))
            text.append(f'<text x="{at}" y="{bottom + 16}" text-anchor="middle" fill="{GREY}">{shown}</text>')
        for tick in y.ticks():
            at = y(tick)
            text.append(f'<line x1="{left}" y1="{at}" x2="{right}" y2="{at}" stroke="{GRID}"/>')
            shown = escape(y.text(tick))
            text.append(f'<text x="{left - 6}" y="{at + 4}" text-anchor="end" fill="{GREY}">{shown}</text>')
        text.append(f'<path d="M{left} {top}V{bottom}H{right}" stroke="{GREY}" fill="none"/>')
        middle = (left + right) / 2
        text.append(f'<text x="{middle:g}" y="{bottom + 38}" text-anchor="middle">{escape(self.x.label)}</text>')
        up = (top + bottom) / 2
        place = f'x="16" y="{up:g}" transform="rotate(-90 16 {up:g})"'
        text.append(f'<text {place} text-anchor="middle">{escape(self.y.label)}</text>')
        return text

    def _drawn_marks(self, x: Scale, y: Scale, box: tuple[int, int, int, int]) -> list[str]:
        left, right, top, bottom = box
        text = []
        for kind, value, label, colour in self._marks:
            scale = y if kind == "h" else x
            if not scale.low <= value <= scale.high:
                continue
            at = scale(value)
            path = f"M{left} {at}H{right}" if kind == "h" else f"M{at} {top}V{bottom}"
            text.append(f'<path d="{path}" stroke="{colour}" stroke-dasharray="5 3" fill="none"/>')
            place = f'x="{right - 4}" y="{at - 4}" text-anchor="end"' if kind == "h" else f'x="{at + 4}" y="{top + 12}"'
            text.append(f'<text {place} fill="{colour}">{escape(label)}</text>')
        return text


def head(width: float, height: float, title: str, subtitle: str = "") -> list[str]:
    """The opening of a picture: its element, white ground, title and subtitle."""
    text = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" width="{width:g}"',
        f'height="{height:g}" font-family="sans-serif" font-size="12" role="img" aria-label={quoteattr(title)}>',
        f'<rect width="{width:g}" height="{height:g}" fill="#ffffff"/>',
        f'<text x="16" y="22" font-size="15" font-weight="bold" fill="{INK}">{escape(title)}</text>',
    ]
    if subtitle:
        text.append(f'<text x="16" y="40" fill="{GREY}">{escape(subtitle)}</text>')
    return text


def _drawn(one: _Series, x: Scale, y: Scale) -> list[str]:
    kept = [place for place in range(len(one.xs)) if _fits(one.xs[place], x) and _fits(one.ys[place], y)]
    if one.kind == "line":
        path = " ".join(f"{x(one.xs[n])},{y(one.ys[n])}" for n in kept)
        dash = f' stroke-dasharray="{one.dash}"' if one.dash else ""
        return [f'<polyline points="{path}" stroke="{one.colour}" stroke-width="2" fill="none"{dash}/>'] if kept else []
    if one.kind == "band":
        kept = [n for n in kept if _fits(one.high[n], y)]
        there = [f"{x(one.xs[n])},{y(one.low[n])}" for n in kept]
        back = [f"{x(one.xs[n])},{y(one.high[n])}" for n in reversed(kept)]
        return [f'<polygon points="{" ".join(there + back)}" fill="{one.colour}" fill-opacity="0.2"/>'] if kept else []
    text = []
    for n in kept:
        across, up = x(one.xs[n]), y(one.ys[n])
        if one.low and one.high and _fits(one.low[n], y) and _fits(one.high[n], y):
            low, high = y(one.low[n]), y(one.high[n])
            path = f"M{across} {low}V{high}M{across - 4:g} {low}h8M{across - 4:g} {high}h8"
            text.append(f'<path d="{path}" stroke="{one.colour}" fill="none"/>')
        title = f"<title>{escape(one.titles[n])}</title>" if one.titles else ""
        text.append(f'<circle cx="{across}" cy="{up}" r="4" fill="{one.colour}">{title}</circle>')
    return text


def _fits(value: float, scale: Scale) -> bool:
    return math.isfinite(value) and not (scale.log and value <= 0)
