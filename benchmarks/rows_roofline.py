# SPDX-License-Identifier: Apache-2.0
"""The row of the machine's own ceilings, which the page's roofline is drawn from."""

from __future__ import annotations

from typing import Any

from bench import Bar, Bench, Comparison, Outcome, Row, verdict
from penstock.lab import roofline

NAME = "roofline"
# What a comparison is called, the loop and its memory, and the unit it is told in.
SHOWN = {
    "read from memory": ("read", "DRAM", "GB/s"),
    "copy in memory": ("copy", "DRAM", "GB/s"),
    "read from L2": ("read", "L2", "GB/s"),
    "multiply-add, float32": ("fma_f32", "", "GFLOP/s"),
    "multiply-add, float64": ("fma_f64", "", "GFLOP/s"),
}


def ceilings(bench: Bench, row: Row) -> Outcome:
    """Every ceiling of `penstock lab roofline` on one thread and on all."""
    effort = roofline.QUICK if bench.quick else roofline.Effort()
    line = roofline.measure(effort, threads=bench.threads, directory=None)
    found = [told(bar, roofline.of(line, *SHOWN[bar.peer][:2]), SHOWN[bar.peer][2]) for bar in row.bars]
    setup = f"loops of the engine's own, {bench.threads} threads; `penstock lab roofline`"
    return Outcome(found, effort.samples, setup, parts=line["ceilings"])


def told(bar: Bar, ceiling: dict[str, Any], unit: str) -> Comparison:
    low, value, high = (ceiling[key] / 1e9 for key in ("low", "median", "high"))
    return Comparison(bar.peer, unit, value, low, high, ceiling["spread"], verdict=verdict(low, high, None))


ROWS = [Row(NAME, "Method", "What the machine can do", ceilings, tuple(Bar(name) for name in SHOWN))]
