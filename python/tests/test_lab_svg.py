# SPDX-License-Identifier: Apache-2.0
"""Charts are well-formed, put values where their scales say, and survive values that cannot be drawn."""

from __future__ import annotations

import math
import xml.etree.ElementTree as ElementTree

import pytest

from penstock.lab import svg
from penstock.lab.svg import Axis, Chart
from penstock.lab.svg_bars import Bar, bars

SVG = "{http://www.w3.org/2000/svg}"


def circles(text: str) -> list[tuple[float, float]]:
    found = ElementTree.fromstring(text).iter(f"{SVG}circle")
    return [(float(each.attrib["cx"]), float(each.attrib["cy"])) for each in found]


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [(0, "s", "0 s"), (1.5e9, "B/s", "1.5 GB/s"), (999.9, "", "1 k"), (0.0123, "s", "12.3 ms"), (1, "", "1"),
     (-2e-6, "s", "-2 µs"), (1e18, "", "1000 P"), (math.nan, "", "nan"), (1000, "B", "1 kB"), (0.7, "", "0.7"),
     (0.00012, "", "0.00012")],
)  # fmt: skip
def test_numbers_take_a_prefix(value: float, unit: str, text: str) -> None:
    assert svg.number_text(value, unit) == text


def test_scales_are_linear_and_logarithmic() -> None:
    even, log = svg.Scale(0, 10, 100, 200, Axis()), svg.Scale(1, 100, 100, 200, Axis(log=True))
    assert [even(each) for each in (0, 5, 10)] == [100, 150, 200]
    assert [log(each) for each in (1, 10, 100)] == [100, 150, 200]
    assert even.ticks() == [0, 2, 4, 6, 8, 10]
    assert log.ticks() == pytest.approx([1, 2, 5, 10, 20, 50, 100])


@pytest.mark.parametrize("log", [False, True])
@pytest.mark.parametrize("ends", [(1e-9, 1e12), (3.0, 3.0), (0.97, 1.03), (1.0, 7.0)])
def test_ticks_are_few_and_inside(log: bool, ends: tuple[float, float]) -> None:
    scale = svg.fitted(Axis(log=log), ends, 0, 100)
    ticks = scale.ticks()
    assert 2 <= len(ticks) <= 12
    assert all(0 <= scale(tick) <= 100 for tick in ticks)
    assert ticks == sorted(set(ticks))


def test_points_lie_where_the_axes_say_with_whiskers_and_titles() -> None:
    chart = Chart("two", Axis("n", low=0, high=10), Axis("s", low=0, high=1))
    text = chart.points([0, 10], [0, 1], [0, 0.5], [0.5, 1], titles=["a<b", "c"]).svg()
    (left, bottom), (right, top) = circles(text)
    assert left == 84
    assert right == chart.width - 24
    assert bottom == chart.height - 52
    assert top < bottom
    assert "a&lt;b" in text
    assert text.count("h8M") == 2


def test_a_line_a_band_and_marks_are_drawn_and_named() -> None:
    chart = Chart("t & u", Axis("x"), Axis("y", log=True), subtitle="sub")
    text = chart.line([1, 2], [1, 10], "up", dash="4 2").band([1, 2], [1, 2], [3, 4], "between").svg()
    assert ElementTree.fromstring(text).find(f".//{SVG}polyline") is not None
    assert ElementTree.fromstring(text).find(f".//{SVG}polygon") is not None
    assert "t &amp; u" in text
    marked = chart.horizontal(5, "bar").vertical(1.5, "day").horizontal(5000, "far").svg()
    assert marked.count("stroke-dasharray") == 4
    assert all(name in marked for name in ("bar", "day", "far", "between", "up", "sub"))


def test_what_cannot_be_drawn_is_left_out() -> None:
    chart = Chart("", Axis(log=True), Axis(log=True)).points([1, 0, 10, 2], [1, 1, math.nan, -1])
    assert len(circles(chart.svg())) == 1
    assert "nan" not in chart.svg()
    ElementTree.fromstring(Chart("empty", Axis(log=True), Axis()).svg())


def test_uneven_series_and_wrong_axes_are_refused() -> None:
    with pytest.raises(ValueError, match="2 x values need as many of y; got 1"):
        Chart("", Axis(), Axis()).line([1, 2], [1])
    with pytest.raises(ValueError, match="positive ends; got 0"):
        Axis(log=True, low=0)


def test_bars_begin_at_the_origin_and_carry_interval_and_mark() -> None:
    rows = [Bar("fast & long" * 9, 4, 3.5, 4.5, 3, text="4x"), Bar("slow", 0.5)]
    root = ElementTree.fromstring(bars("ratios", rows, Axis("times as fast", log=True)))
    _, first, second = root.findall(f"{SVG}rect")
    start = float(first.attrib["x"])
    assert float(second.attrib["x"]) + float(second.attrib["width"]) == pytest.approx(start, abs=0.11)
    # 4 is two doublings above 1, 0.5 one below.
    assert float(first.attrib["width"]) == pytest.approx(2 * float(second.attrib["width"]), abs=0.3)
    assert len(root.findall(f"{SVG}path")) == 2


def test_no_bars_say_so() -> None:
    assert "no results yet" in bars("none", [])


def test_equal_input_gives_equal_bytes() -> None:
    def drawn() -> str:
        return Chart("t", Axis("x"), Axis("y")).points([1, 2, 3], [3, 1, 2], label="s").svg()

    assert drawn() == drawn()
