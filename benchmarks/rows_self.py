# SPDX-License-Identifier: Apache-2.0
"""Rows that hold Penstock against itself: the runner's own error, equal bits, levels of optimisation."""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

import kernels
from bench import Bar, Bench, Outcome, Refused, Row, compared, ratios
from calculations import CALCULATIONS
from peers import PEERS, as_numpy
from penstock.lab import pairs
from penstock.lab.estimate import Estimate, estimate
from penstock.lab.sides import Side, Timed

DELAY_VARIABLE = "PENSTOCK_DEBUG_DELAY"
DELAY_US = 200
DELAY_EVERY = 20  # chunks
IN_CHUNKS = 1 << 20  # elements that an evaluation cuts into chunks on any number of threads
LEVELS = ("none", "simd", "parallel", "full")


def ours(ps: Any, calculation: str, count: int) -> Callable[[], Any]:
    """A calculation with Penstock over so many elements."""
    made = CALCULATIONS[calculation]
    return PEERS["penstock"].prepare(made, made.arrays(count), ps.threads())


def over_none(level: str) -> str:
    return f"{level} over none"


def levels(bench: Bench, row: Row, *, calculation: str, n: float) -> Outcome:
    """The same calculation at each level of optimisation."""
    ps, count = bench.ps, bench.count(n)
    call = ours(ps, calculation, count)
    standing = ps.opt_level()
    try:
        results = []
        for level in LEVELS:
            ps.opt_level(level)
            results.append(as_numpy(call()).tobytes())
        if len(set(results)) != 1:
            raise Refused(f"the levels disagree on {calculation} of {count} elements")
        sides: dict[str, Side] = {level: Timed(call, before=partial(ps.opt_level, level)) for level in LEVELS}
        outcome = ratios(bench, row, sides, {over_none(level): (level, ("none",)) for level in LEVELS[1:]})
    finally:
        ps.opt_level(standing)
    outcome.setup = f"{count} float32, {bench.threads} threads where the level has threads"
    outcome.checked = "equal bits at each level"
    return outcome


def same_side(bench: Bench, row: Row) -> Outcome:
    """The chain against itself: what the method gives where there is no difference."""
    count = bench.count(1e7)
    call = ours(bench.ps, "chain", count)
    outcome = ratios(bench, row, {"penstock": Timed(call), "again": Timed(call)}, {"itself": ("penstock", ("again",))})
    outcome.setup = f"{count} float32, {bench.threads} threads, fresh result"
    return outcome


def equal_bits(bench: Bench, row: Row) -> Outcome:
    """Reductions with each number of threads on each CPU target: how many different results there are."""
    ps, count = bench.ps, bench.count(1e7) + 12_345
    standing = ps.simd_target()
    data = {"float32": kernels.values(count), "float64": kernels.values(count).astype(np.float64)}
    targets = ps.show_config()["targets"]
    worst = runs = 0
    try:
        for array in data.values():
            seen: dict[str, set[bytes]] = {}
            for target in targets:
                ps.simd_target(target)
                for threads in range(1, bench.threads + 1):
                    ps.threads(threads)
                    for name in ("sum", "mean", "std", "max"):
                        result = np.asarray(getattr(ps, name)(ps.asarray(array)))
                        seen.setdefault(name, set()).add(result.tobytes())
                        runs += 1
            worst = max(worst, *(len(each) for each in seen.values()))
    finally:
        ps.simd_target(standing)
        ps.threads(bench.threads)
    found = Estimate(worst, worst, worst, 0.0)
    setup = f"sum, mean, std and max of {count} float32 and float64; 1 to {bench.threads} threads; {', '.join(targets)}"
    return Outcome([compared(row.bars[0], "distinct", found)], runs, setup)


def delayed(bench: Bench, row: Row) -> Outcome:
    """An evaluation with and without chunks of work that are held up: how much of its share of them it keeps.

    The share is 1 where the delays take a thread's time and no more: time without + delays / threads.
    """
    ps = bench.ps
    count = max(bench.count(1e7), IN_CHUNKS)
    call = ours(ps, "chain", count)
    expected = as_numpy(call()).tobytes()

    def hold_up() -> None:
        os.environ[DELAY_VARIABLE] = f"{DELAY_US}us/{DELAY_EVERY}"

    def let_go(*_: object) -> None:
        os.environ.pop(DELAY_VARIABLE, None)

    try:
        hold_up()
        before = ps.stats()["delays"]
        if as_numpy(call()).tobytes() != expected:
            raise Refused("the delays change the result")
        delays = int(ps.stats()["delays"] - before)
        if delays == 0:
            raise Refused("no chunk was held up: the evaluation is not cut into chunks here")
        sides: dict[str, Side] = {"without": Timed(call, before=let_go), "with": Timed(call, before=hold_up)}
        times = pairs.measure(sides, bench.quadruples(row), warm_up=1, least=0.02)
    finally:
        let_go()
    extra = delays * DELAY_US * 1e-6 / bench.threads
    shares = [
        math.log((without + extra) / held)
        for without, held in zip(times.means("without"), times.means("with"), strict=True)
    ]
    return Outcome(
        [compared(row.bars[0], "of the share", estimate(shares).exp())],
        times.quadruples,
        f"{count} float32, {bench.threads} threads; {delays} chunks of a call held up by {DELAY_US} us",
        medians={name: times.median(name) for name in sides},
        calls={name: side.calls for name, side in sides.items()},
        checked="equal bits with and without",
    )


def level_rows() -> list[Row]:
    bars = tuple(Bar(over_none(level)) for level in LEVELS[1:])
    return [
        Row(f"levels-{name}", "Levels", f"`{text}`, {label} elements", partial(levels, calculation=name, n=n), bars, 10)
        for name, text, label, n in (
            ("chain", kernels.CHAIN, "1e7", 1e7),
            ("sum", "sum(a)", "1e7", 1e7),
            ("sin", "sin(a)", "1e6", 1e6),
        )
    ]


ROWS = [
    Row("itself-1e7", "Method", f"`{kernels.CHAIN}` against itself, 1e7 elements", same_side, (Bar("itself"),)),
    Row(
        "bits",
        "Reductions",
        "Same bits for each thread count and CPU target",
        equal_bits,
        (Bar("one result", 1, True),),
    ),
    Row(
        "delays",
        "Method",
        f"`{kernels.CHAIN}` with chunks held up, 1e7 elements",
        delayed,
        (Bar("the delays' share", 0.9),),
    ),
    *level_rows(),
]
