# SPDX-License-Identifier: Apache-2.0
"""The row of random chains: Penstock against C++ generated from the same chains."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from typing import Any

import numpy as np

import kernels
import native
import random_chains
from bench import Bar, Bench, Outcome, Refused, Row, compared
from penstock.lab import pairs
from penstock.lab.estimate import Estimate, estimate
from penstock.lab.sides import Side, Timed
from timing import Settled

NEAR, FEW = 1e-4, 1e-3
ALL, LEAST, PLAIN = "C++, median", "C++, least", "C++, median without library functions"


def check(number: int, found: Any, expected: Any, who: str) -> None:
    """Raises Refused unless all but a thousandth agree: where a rounding differs, a step may fall the other way."""
    far = np.abs(found - expected) > NEAR * np.abs(expected).max()
    if far.mean() > FEW or not np.isfinite(found).all():
        raise Refused(f"{who} and NumPy disagree on chain {number} at {int(far.sum())} of {far.size} elements")


def sides_of(
    bench: Bench, number: int, chains: Sequence[random_chains.Chain], operands: Sequence[Any], out: Any
) -> dict[str, Side]:
    """Penstock with a fresh result, and C++ into `out` with the better stores; both checked against NumPy's start."""
    ps, chain = bench.ps, chains[number]
    arrays, run = [ps.asarray(each) for each in operands], random_chains.function(chain, ps)
    compiled = getattr(native.library(random_chains.source(chains)), f"chain_{number}")
    places, count = [native.address(each) for each in (*operands, out)], ctypes.c_long(out.size)

    def theirs(stream: int) -> None:
        compiled(*places, count, bench.threads, stream)

    def ours() -> Any:
        return ps.evaluate(run(*arrays))

    with np.errstate(all="ignore"):
        head = [each[: kernels.PLACES] for each in operands]
        expected = random_chains.function(chain, np)(*head)
    theirs(0)
    check(number, np.asarray(ours()[0])[: kernels.PLACES], expected, "penstock")
    check(number, out[: kernels.PLACES], expected, "C++")
    stream = native.faster_store(theirs)
    return {"penstock": Timed(ours), "C++": Settled(Timed(lambda: theirs(stream)))}


def random_row(bench: Bench, row: Row) -> Outcome:
    """Each chain by itself in quadruples; the bars are on the median and on the least of them."""
    count, quadruples = bench.count(1e7), bench.quadruples(row)
    operands, out = [kernels.values(count, seed) for seed in range(3)], native.target(count)
    chains = random_chains.draw()[: bench.chains]
    logs: list[list[float]] = []
    parts: list[dict[str, Any]] = []
    for number, chain in enumerate(chains):
        sides = sides_of(bench, number, chains, operands, out)
        times = pairs.measure(sides, quadruples, warm_up=1)
        logs.append(times.log_ratios("penstock", ["C++"]))
        found = estimate(logs[-1]).exp()
        medians = {name: times.median(name) for name in sides}
        parts.append({"what": random_chains.text(chain), "value": found.value, "low": found.low, "high": found.high})
        parts[-1] |= {"library": random_chains.has_library(chain), "medians": medians}
    plain = [each for each, chain in zip(logs, chains, strict=True) if not random_chains.has_library(chain)]
    worst = min(parts, key=lambda part: part["value"])
    least = Estimate(worst["value"], worst["low"], worst["high"], 0.0, quadruples)
    results = {ALL: middle(logs), LEAST: least, PLAIN: middle(plain)}
    return Outcome(
        [compared(bar, "x", results[bar.peer], worst["what"] if bar.peer == LEAST else "") for bar in row.bars],
        quadruples,
        f"{count} float32, {bench.threads} threads, {len(chains)} chains, fresh result",
        checked="all but a thousandth of 4,096 elements within 1e-4 of NumPy",
        parts=parts,
    )


def middle(logs: Sequence[Sequence[float]]) -> Estimate:
    """The median chain's ratio, from the median over the chains in each quadruple."""
    return estimate([float(np.median(each)) for each in zip(*logs, strict=True)]).exp()


ROWS = [
    Row(
        "chains-random",
        "Chains",
        "50 random chains of 3 to 12 operations, 1e7 elements",
        random_row,
        (Bar(ALL, 0.85), Bar(LEAST, 0.6), Bar(PLAIN)),
        10,
    )
]
