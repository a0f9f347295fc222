# SPDX-License-Identifier: Apache-2.0
"""Rows over arrays in memory: fused chains, fresh results, reductions, levels, and the runner held against itself."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np

import env
import kernels
from bench import Bar, Bench, Ceiling, Outcome, Refused, Row, compared, ratios
from penstock.lab.estimate import Estimate
from penstock.lab.sides import Side, Timed

OLD = "numpy-1.24"
LEVELS = ("none", "simd", "parallel", "full")


def ours(ps: Any, calculation: str, operands: list[Any]) -> Callable[[], Any]:
    """The calculation with Penstock; it gives what NumPy gives, an array or a number that NumPy can use."""
    if calculation == "chain":
        a, b, c = operands
        return lambda: np.asarray(2 * a + 3 * b - 1 / (c + 1))
    if calculation == "add":
        a, b = operands
        return lambda: np.asarray(a + b)
    if calculation == "sin":
        (a,) = operands
        return lambda: np.asarray(ps.sin(a))
    reduction = getattr(ps, calculation)
    return lambda: float(reduction(operands[0]))


def check_same(calculation: str, operands: list[Any], result: Any, expected: Any, who: str) -> None:
    """Raises Refused unless a result is what it has to be: NumPy's bits, or for sums a float64 reference."""
    if calculation in ("sum", "mean"):
        expected = getattr(np, calculation)(operands[0], dtype=np.float64)
        same = bool(np.isclose(result, expected, rtol=1e-5, atol=0))
    elif who == "numexpr":
        same = bool(np.allclose(result, expected, rtol=1e-6, atol=0)) and result.dtype == expected.dtype
    else:
        same = bool(np.array_equal(result, expected))
    if not same:
        raise Refused(f"{who} and NumPy disagree on {calculation} of {len(operands[0])} elements")


def halves(n: int, threads: int) -> list[slice]:
    """`threads` even parts of n elements."""
    edges = [n * each // threads for each in range(threads + 1)]
    return [slice(start, stop) for start, stop in pairwise(edges)]


def memory_ceiling(pool: ThreadPoolExecutor, n: int, threads: int, copies: bool) -> tuple[Side, int]:
    """A copy or a read of n float32 by NumPy in all threads, and the bytes it moves."""
    source = kernels.values(n)
    parts = halves(n, threads)
    if not copies:
        return Timed(lambda: max(pool.map(lambda part: np.max(source[part]), parts))), 4 * n
    target = np.zeros_like(source)
    return Timed(lambda: list(pool.map(lambda part: np.copyto(target[part], source[part]), parts))), 8 * n


def numexpr_side(operands: list[Any], threads: int) -> tuple[Callable[[], Any] | None, str]:
    """The chain with numexpr, or why not."""
    try:
        numexpr: Any = importlib.import_module("numexpr")
    except ImportError:
        return None, "numexpr is not installed: pip install -r requirements/bench.txt"
    numexpr.set_num_threads(threads)
    names = dict(zip("abc", operands, strict=True))
    return lambda: numexpr.evaluate(kernels.CHAIN, local_dict=names, global_dict={}), ""


def against_numpy(bench: Bench, row: Row, *, calculation: str, n: float) -> Outcome:
    """One calculation with Penstock, the newest NumPy, an old one, and for the chain numexpr."""
    count = bench.count(n)
    operands = kernels.inputs(calculation, count)
    function, arity = kernels.CALCULATIONS[calculation]
    fresh = calculation in ("chain", "add")
    calls: dict[str, Callable[[], Any]] = {
        "penstock": ours(bench.ps, calculation, [bench.ps.asarray(each) for each in operands]),
        "numpy": partial(function, *operands),
    }
    missing: dict[str, str] = {}
    if any(bar.peer == "numexpr" for bar in row.bars):
        call, why = numexpr_side(operands, bench.threads)
        if call is None:
            missing["numexpr"] = why
        else:
            calls["numexpr"] = call
    expected = function(*operands)
    for who, call in calls.items():
        check_same(calculation, operands, call(), expected, who)
    sides: dict[str, Side] = {who: Timed(call) for who, call in calls.items()}
    add_old(bench, sides, missing, calculation, count, expected)
    del expected
    with ThreadPoolExecutor(bench.threads) as pool:
        ceiling = None
        if count > 1e6:
            name = "copy" if fresh else "read"
            sides[name], moved = memory_ceiling(pool, count, bench.threads, fresh)
            ceiling = Ceiling(name, moved, 4 * count * (arity + fresh))
        pairs = {who: ("penstock", (who,)) for who in sides if who not in ("penstock", "copy", "read")}
        outcome = ratios(bench, row, sides, pairs, missing=missing, ceiling=ceiling)
    outcome.setup = f"{count} float32, {bench.threads} threads" + (", fresh result" if fresh else "")
    outcome.bytes, outcome.operations = 4 * count * (arity + fresh), kernels.OPERATIONS[calculation] * count
    outcome.checked = "within 1e-5 of a float64 sum" if calculation in ("sum", "mean") else "equal to NumPy's bits"
    if "numexpr" in sides:
        outcome.checked += ", numexpr within 1e-6"
    return outcome


def add_old(
    bench: Bench, sides: dict[str, Side], missing: dict[str, str], calculation: str, count: int, expected: Any
) -> None:
    """The same calculation in an old NumPy, if that environment was made and gives the same result."""
    worker = bench.worker(OLD)
    if worker is None:
        missing[OLD] = f"not installed: python benchmarks/env.py {OLD}"
        return
    theirs, known = worker.ask("prepare", calculation=calculation, n=count), kernels.digest(expected)
    same = np.isclose(theirs["value"], known["value"], rtol=1e-5) if "value" in known else theirs == known
    if not same:
        raise Refused(f"{OLD} and NumPy disagree on {calculation} of {count} elements")
    sides[OLD] = env.Remote(worker)


def over_none(level: str) -> str:
    return f"{level} over none"


def levels(bench: Bench, row: Row, *, calculation: str, n: float) -> Outcome:
    """The same calculation at each level of optimisation."""
    ps, count = bench.ps, bench.count(n)
    operands = [kernels.values(count, seed) for seed in range(3 if calculation == "chain" else 1)]
    call = ours(ps, calculation, [ps.asarray(each) for each in operands])
    standing = ps.opt_level()
    try:
        results = []
        for level in LEVELS:
            ps.opt_level(level)
            results.append(np.asarray(call()).tobytes())
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
    operands = [bench.ps.asarray(each) for each in kernels.inputs("chain", count)]
    call = ours(bench.ps, "chain", operands)
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


def numpy_bars(at_least: float) -> tuple[Bar, ...]:
    """The same bar against the newest NumPy and the one the bars were set with."""
    return Bar("numpy", at_least), Bar(OLD, at_least)


def reduction_rows() -> list[Row]:
    """Sum, mean and max at two sizes."""
    return [
        Row(
            f"{name}-{label}",
            "Reductions",
            f"`{name}(a)`, {text}",
            partial(against_numpy, calculation=name, n=n),
            numpy_bars(limit),
        )
        for n, label, text, limit in ((1e6, "1e6", "1e6 elements", 3.0), (1e8, "1e8", "1e8 elements", 1.2))
        for name in ("sum", "mean", "max")
    ]


def chain_row(label: str, n: float) -> Row:
    bars = (*numpy_bars(4.0), Bar("numexpr", 1.5))
    run = partial(against_numpy, calculation="chain", n=n)
    return Row(f"chain-{label}", "Elementwise", f"`{kernels.CHAIN}`, {label} elements", run, bars)


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
    chain_row("1e7", 1e7),
    chain_row("1e8", 1e8),
    Row(
        "add-1e7",
        "Elementwise",
        "`a + b`, 1e7 elements",
        partial(against_numpy, calculation="add", n=1e7),
        numpy_bars(2.0),
    ),
    *reduction_rows(),
    Row(
        "bits",
        "Reductions",
        "Same bits for each thread count and CPU target",
        equal_bits,
        (Bar("one result", 1, True),),
    ),
    *level_rows(),
]
