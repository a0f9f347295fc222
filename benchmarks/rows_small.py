# SPDX-License-Identifier: Apache-2.0
"""Rows of what is so short that the way into the engine counts, and of several Python threads at once."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import numpy as np

import kernels
from bench import Bar, Bench, Outcome, Refused, Row, ratios, within
from calculations import CALCULATIONS
from peers import PEERS
from penstock.lab.sides import Side, Timed
from timing import Repeated

# What is timed of Penstock and of NumPy, over arrays `a` and `b` of so many float32, and the bar on the time.
CALLS: dict[str, tuple[str, str, int, float]] = {
    "add-10": ("evaluate(a + b)", "a + b", 10, 1.0),
    "add-1000": ("evaluate(a + b)", "a + b", 1000, 0.7),
    "attribute-shape": ("a.shape", "a.shape", 10, 1.0),
    "attribute-dtype": ("a.dtype", "a.dtype", 10, 1.0),
    "slicing": ("a[2:7]", "a[2:7]", 10, 1.0),
    "reshape": ("a.reshape((2, 5))", "a.reshape((2, 5))", 10, 1.0),
    "element": ("a[3]", "a[3]", 10, 1.0),
    "scalar": ("float(a[3])", "float(a[3])", 10, 1.0),
}
# Calls that a sample divides among the Python threads.
SHARED_CALLS = 16


def small_call(bench: Bench, row: Row, *, ours: str, theirs: str, count: int) -> Outcome:
    """One statement of each, repeated by timeit: its loop looks at the clock once a sample."""
    ps, operands = bench.ps, [kernels.values(count, seed) for seed in range(2)]
    names = dict(zip("ab", operands, strict=True))
    own = {**{name: ps.asarray(each) for name, each in names.items()}, "evaluate": ps.evaluate}
    found, expected = eval(ours, dict(own)), eval(theirs, dict(names))  # text of this file
    if not same(found, expected):
        raise Refused(f"penstock and NumPy disagree on {theirs}: {found} and {expected}")
    sides: dict[str, Side] = {"penstock": Repeated(ours, own), "numpy": Repeated(theirs, names)}
    outcome = ratios(bench, row, sides, {"numpy": ("penstock", ("numpy",))})
    outcome.setup = f"{count} float32; `{ours}` and `{theirs}`, repeated by timeit"
    outcome.checked = "equal to NumPy's"
    return outcome


def same(found: Any, expected: Any) -> bool:
    """Equal values; a dtype has the same name."""
    if isinstance(found, tuple) and not isinstance(expected, tuple):
        (found,) = found
    if isinstance(expected, np.dtype):
        return str(found).rpartition(".")[2].strip("'>)") == str(expected)
    return np.array_equal(np.asarray(found), np.asarray(expected))


class AtOnce:
    """A side of SHARED_CALLS calls, divided among so many Python threads that are there already; the time of one."""

    def __init__(self, pool: ThreadPoolExecutor, calls: list[Callable[[], Any]]) -> None:
        self._pool, self._calls = pool, calls

    def __call__(self) -> None:
        share = SHARED_CALLS // len(self._calls)
        list(self._pool.map(lambda call: [call() and None for _ in range(share)], self._calls))


def at_once(bench: Bench, row: Row, *, calculation: str, n: float, threads: int) -> Outcome:
    """As many evaluations by several Python threads at once as by one after the other."""
    made, count = CALCULATIONS[calculation], bench.count(n)
    operands = made.arrays(count)
    calls = [PEERS["penstock"].prepare(made, operands, bench.threads) for _ in range(threads)]
    with ThreadPoolExecutor(threads) as pool, ThreadPoolExecutor(1) as single:
        sides: dict[str, Side] = {"penstock": Timed(AtOnce(pool, calls)), "one": Timed(AtOnce(single, calls[:1]))}
        outcome = ratios(bench, row, sides, {"one at a time": ("penstock", ("one",))})
    outcome.setup = f"{SHARED_CALLS} evaluations of `{made.text}` over {count} float32, {bench.threads} worker threads"
    return outcome


def small_rows() -> list[Row]:
    return [
        Row(
            name,
            "Small calls",
            f"`{theirs}`, {count} elements",
            partial(small_call, ours=ours, theirs=theirs, count=count),
            (within("numpy", limit),),
            telling=name == "add-10",
        )
        for name, (ours, theirs, count, limit) in CALLS.items()
    ]


def thread_rows() -> list[Row]:
    return [
        Row(
            f"at-once-{calculation}-{size}-{threads}",
            "Several evaluations at once",
            f"`{CALCULATIONS[calculation].text}`, {size} elements, from {threads} Python threads",
            partial(at_once, calculation=calculation, n=float(size), threads=threads),
            (Bar("one at a time", 1.0),),
        )
        for calculation, size in (("chain", "1e4"), ("chain", "1e6"), ("sum", "1e6"), ("chain", "1e7"))
        for threads in (2, 4)
    ]


ROWS = [*small_rows(), *thread_rows()]
