# SPDX-License-Identifier: Apache-2.0
"""A roofline as a picture, a Markdown table and a page that needs no other file."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

from penstock.lab.roofline import LEVELS, Kernel, Line, attainable, bandwidth, of
from penstock.lab.svg import COLOURS, Axis, Chart, number_text
from penstock.lab.svg_bars import Bar, bars

_LEVEL_COLOURS = dict(zip(LEVELS, ("#c05621", "#b7791f", "#2f7d4f", "#2b6cb0"), strict=True))
HEAD = ("ceiling", "threads", "median", "95 % interval", "spread", "n", "bytes")


def draw(line: Line, kernels: Sequence[Kernel]) -> str:
    """The roofline of all threads, log-log: a slope a memory, a flat roof an arithmetic, a dot a kernel."""
    peak, double = of(line, "fma_f32")["median"], of(line, "fma_f64")["median"]
    ends = [each.intensity for each in kernels]
    low = min([1 / 64, *(each / 2 for each in ends)])
    ridge = peak / bandwidth(line)
    high = max([4 * ridge, *(2 * each for each in ends)])
    threads = line["threads"]
    chart = Chart(
        f"Roofline of this machine, {threads} thread{'s' * (threads != 1)}",
        Axis("operations per byte", log=True, low=low, high=high),
        Axis("operations per second", log=True, unit="op/s"),
        width=900,
        height=560,
        subtitle=_about(line),
    )
    for level in LEVELS:
        rate = bandwidth(line, level)
        top = peak / rate
        xs = [low, top, high] if low < top < high else [low, high]
        label = f"{level} {number_text(rate, 'B/s')}"
        chart.line(xs, [min(peak, rate * each) for each in xs], label, _LEVEL_COLOURS[level])
    chart.horizontal(peak, f"float32 multiply-add {number_text(peak, 'op/s')}")
    chart.horizontal(double, f"float64 multiply-add {number_text(double, 'op/s')}")
    bytes_peak = of(line, "dot_int8")["median"]
    chart.horizontal(bytes_peak, f"int8 multiply-add {number_text(bytes_peak, 'op/s')}")
    if kernels:
        chart.points(
            [each.intensity for each in kernels],
            [each.rate for each in kernels],
            label="recorded kernels",
            colour=COLOURS[3],
            titles=[_title(line, each) for each in kernels],
        )
    return chart.svg()


def _about(line: Line) -> str:
    noisy = "; others used the machine meanwhile" if line["beside"]["noisy"] else ""
    return f"{line['on']['machine']}, target {line['on']['target']}, {line['when'][:10]}{noisy}"


def share(line: Line, kernel: Kernel) -> float:
    """A kernel's rate as a share of what memory and arithmetic allow it."""
    return kernel.rate / attainable(line, kernel.intensity)


def _title(line: Line, kernel: Kernel) -> str:
    moved = number_text(kernel.bytes / kernel.seconds, "B/s")
    return f"{kernel.name}: {number_text(kernel.rate, 'op/s')}, {moved}, {share(line, kernel):.0%} of DRAM's roof"


def draw_memories(line: Line) -> str:
    """The bandwidths as bars, on one thread and on all."""
    rows = [
        Bar(f"{name(each)}, {each['threads']} thr.", each["median"], each["low"], each["high"])
        for each in line["ceilings"]
        if each["level"]
    ]
    return bars("Bytes a second from each memory", rows, Axis("bytes a second", log=True, unit="B/s"), _start(rows))


def _start(rows: Sequence[Bar]) -> float:
    """A logarithmic bar has to begin somewhere: at half of the smallest."""
    return min(each.value for each in rows) / 2


def name(ceiling: Line) -> str:
    """ "read L2", "fma_f32"."""
    return f"{ceiling['name']} {ceiling['level']}".rstrip()


def rows(line: Line) -> list[tuple[str, ...]]:
    """The table of the ceilings."""
    return [
        (
            name(each),
            str(each["threads"]),
            number_text(each["median"], each["unit"]),
            f"{number_text(each['low'], each['unit'])} to {number_text(each['high'], each['unit'])}",
            f"{each['spread']:.1%}",
            str(each["n"]),
            number_text(each["bytes"], "B") if each["bytes"] else "-",
        )
        for each in line["ceilings"]
    ]


def kernel_rows(line: Line, kernels: Sequence[Kernel]) -> list[tuple[str, ...]]:
    """The table of the kernels: operations a byte, rate, bytes a second, share of the roof."""
    return [
        (
            each.name,
            f"{each.intensity:.3g}",
            number_text(each.rate, "op/s"),
            number_text(each.bytes / each.seconds, "B/s"),
            f"{share(line, each):.0%}",
        )
        for each in kernels
    ]


KERNEL_HEAD = ("kernel", "operations per byte", "operations", "bytes", "share of DRAM's roof")


def disk_text(disk: dict[str, Any]) -> str:
    """The disk in a sentence."""
    if "missing" in disk:
        return f"disk: not available ({disk['missing']})"
    write, read = number_text(disk["write_bytes_per_second"], "B/s"), number_text(disk["read_bytes_per_second"], "B/s")
    return f"disk ({disk['file_system']}): write {write}, read {read}, sync {number_text(disk['sync_seconds'], 's')}"


def markdown(line: Line, kernels: Sequence[Kernel]) -> str:
    """The roofline in tables."""
    text = ["# Roofline", "", f"{_about(line)}.", "", "![roofline](roofline.svg)", "", *_table(HEAD, rows(line)), ""]
    text += [f"{disk_text(line['disk'])}.", ""]
    if kernels:
        text += [*_table(KERNEL_HEAD, kernel_rows(line, kernels)), ""]
    return "\n".join([*text, NOTE]) + "\n"


NOTE = (
    "Medians of short runs; a written byte counts once. A kernel above DRAM's slope works from a cache, one far below "
    "its roof leaves something unused."
)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    return [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}", *(f"| {' | '.join(each)} |" for each in rows)]


def html(line: Line, kernels: Sequence[Kernel]) -> str:
    """One page with both pictures and the tables."""
    parts = [
        "<!doctype html><html lang=en><meta charset=utf-8><title>Roofline</title>",
        "<style>body { font: 15px/1.45 sans-serif; max-width: 940px; margin: 2em auto; color: #1a202c }",
        "td, th { text-align: left; padding: 2px 14px 2px 0; border-bottom: 1px solid #e2e8f0 }</style>",
        draw(line, kernels),
        f"<p>{escape(NOTE)}</p>",
        draw_memories(line),
        _html_table(HEAD, rows(line)),
        f"<p>{escape(disk_text(line['disk']))}</p>",
    ]
    if kernels:
        parts.append(_html_table(KERNEL_HEAD, kernel_rows(line, kernels)))
    return "\n".join([*parts, "</html>"]) + "\n"


def _html_table(head: Sequence[str], body: Sequence[Sequence[str]]) -> str:
    top = "".join(f"<th>{escape(each)}</th>" for each in head)
    text = "".join(f"<tr>{''.join(f'<td>{escape(each)}</td>' for each in row)}</tr>" for row in body)
    return f"<table><tr>{top}</tr>{text}</table>"
