# SPDX-License-Identifier: Apache-2.0
"""The rows that bear the project's bars. A bar is a claim: it is not changed when it is missed."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

import kernels
from bench import Bar, Bench, Outcome, Row, compared
from calculations import CALCULATIONS, CHAIN_10
from penstock.lab.estimate import Estimate
from rows_calculations import CPP, against, row

EXACT = "80-bit numbers"
OLD = "numpy-1.24"  # bars came from it: what it would say is shown beside the newest


def numpy_bars(limit: float) -> tuple[Bar, Bar]:
    """The same bar against the newest NumPy and the one that the bars were set with."""
    return Bar("numpy", limit), Bar(OLD, limit)


def rows_of(calculation: str, group: str, text: str, claims: dict[str, tuple[Bar, ...]], **more: Any) -> list[Row]:
    """A row for each size, named by it."""
    return [
        row(f"{calculation}-{size}", group, f"{text}, {size} elements", calculation, float(size), *bars, **more)
        for size, bars in claims.items()
    ]


def accurate(name: str, bench: Bench, row: Row) -> Outcome:
    """A function of float64 against its peers, and its greatest error against the same in 80-bit numbers."""
    timed = replace(row, bars=tuple(bar for bar in row.bars if bar.kind != "ulp"))
    outcome = against(bench, timed, calculation=f"{name}-f64", n=1e6)
    (operand,) = CALCULATIONS[f"{name}-f64"].arrays(bench.count(1e6))
    exact = getattr(np, name)(operand.astype(np.longdouble))
    found = np.asarray(getattr(bench.ps, name)(bench.ps.asarray(operand)))
    error = float(np.max(np.abs(found - exact) / np.spacing(np.abs(exact.astype(np.float64)))))
    outcome.comparisons.append(compared(row.bars[-1], "ULP", Estimate(error, error, error, 0.0, operand.size)))
    return outcome


ADD = rows_of(
    "add",
    "Elementwise",
    "`a + b`",
    {
        "1e6": (*numpy_bars(2.0), Bar("torch", 1.1)),
        "1e7": (*numpy_bars(3.0), Bar("torch", 4.0)),
        "1e8": (*numpy_bars(3.5), Bar("torch", 5.0)),
    },
)
ADD_OUT = rows_of(
    "add-out",
    "Elementwise",
    "`add(a, b, out=c)`",
    {
        "1e6": (Bar("numpy", 2.0), Bar("torch", 1.0)),
        "1e7": (Bar("numpy", 1.8), Bar("torch", 1.15)),
        "1e8": (Bar("numpy", 1.8), Bar("torch", 1.3)),
    },
)
CHAIN = rows_of(
    "chain",
    "Chains",
    f"`{kernels.CHAIN}`",
    {
        "1e6": (*numpy_bars(12.0), Bar("numexpr", 10.0), Bar(CPP, 0.8)),
        "1e7": (*numpy_bars(7.0), Bar("numexpr", 4.0), Bar(CPP, 0.8), Bar("blosc2"), Bar("numba")),
        "1e8": (*numpy_bars(15.0), Bar("numexpr", 3.5), Bar(CPP, 0.9), Bar("dask")),
    },
)
CHAIN_OF_10 = rows_of(
    "chain10",
    "Chains",
    f"`{CHAIN_10}`",
    {
        "1e7": (
            Bar("numpy", 12.0),
            Bar("numexpr", 3.0),
            Bar("jax", 1.2),
            Bar("torch.compile", 1.2),
            Bar("blosc2"),
            Bar("numba"),
        )
    },
)
REDUCTIONS = [
    each
    for name in ("sum", "mean", "max")
    for each in rows_of(
        name,
        "Reductions",
        f"`{name}(a)`",
        {
            "1e5": (Bar("numpy", 5.0), Bar("torch", 1.0)),
            "1e6": (*numpy_bars(7.0), Bar("torch", 1.0)),
            "1e7": (Bar("numpy", 3.0), Bar("torch", 1.0)),
            "1e8": (*numpy_bars(1.3), Bar("torch", 1.0), Bar("read ceiling", 0.95, kind="share")),
        },
    )
]
BOOLEANS = [
    row(f"{name}-1e8", "Reductions", f"`{name}(a)`, 1e8 bool", name, 1e8, Bar("numpy", 3.0)) for name in ("any", "all")
]
AXES = [
    row(
        f"mean-axis-{axis}",
        "Reductions",
        f"`mean(a, axis={axis})`, 10000x10000",
        f"mean-axis-{axis}",
        1e8,
        Bar("numpy", 2.0),
    )
    for axis in (0, 1)
]
MATHS = [
    replace(
        row(f"{name}-f64", "Maths", f"`{name}(a)`, 1e6 float64", f"{name}-f64", 1e6),
        run=partial(accurate, name),
        bars=bars,
    )
    for name, bars in {
        name: (Bar("numpy", limit), Bar("torch"), Bar(EXACT, 1.0, at_most=True, kind="ulp"))
        for name, limit in {"sin": 8.0, "cos": 8.0, "exp": 2.0, "log": 2.0}.items()
    }.items()
]
MATHS_32 = [
    row(f"{name}-f32", "Maths", f"`{name}(a)`, 1e6 float32", name, 1e6, Bar("numpy"), Bar("torch"))
    for name in ("sin", "cos", "exp", "log")
]
LAYOUTS = [
    row(name, "Layouts", title, name, 1e7, Bar("numpy", 2.0))
    for name, title in {
        "strided": "`a + b`, every other element, 1e7",
        "transposed": "`a + b.T`, 3162x3162",
        "row": "`a + b`, 3162x3162 and a row of it",
        "column": "`a + b`, 3162x3162 and a column of it",
    }.items()
]
OTHERS = [
    row("where-1e7", "Elementwise", "`where(a > 0.5, b, c)`, 1e7 elements", "where", 1e7, Bar("numpy"), Bar("torch")),
    row("sum-strided", "Layouts", "`sum(a)`, every other element, 1e7", "strided-sum", 1e7, Bar("numpy")),
    *(
        row(
            f"sum-axis-{axis}",
            "Reductions",
            f"`sum(a, axis={axis})`, 10000x10000",
            f"sum-axis-{axis}",
            1e8,
            Bar("numpy"),
        )
        for axis in (0, 1)
    ),
]
ALGEBRA = [
    row("dot-1e5", "Linear algebra", "`dot(a, b)`, 1e5 elements", "dot", 1e5, Bar("numpy", 1.8), Bar("torch", 1.8)),
    *(
        row(
            f"matmul-{side}",
            "Linear algebra",
            f"`matmul(a, b)`, {side}x{side}",
            "matmul",
            side * side,
            Bar("numpy"),
            Bar("torch"),
            *((Bar("numpy or torch", 0.95),) if side in (1000, 4000) else ()),
        )
        for side in (100, 1000, 4000, 5000)
    ),
    *(
        row(
            f"matmul-{side}-f64",
            "Linear algebra",
            f"`matmul(a, b)`, {side}x{side} float64",
            "matmul-f64",
            side * side,
            Bar("numpy"),
            Bar("torch"),
            Bar("numpy or torch", 0.95),
        )
        for side in (1000, 4000)
    ),
]
DENSITY = [
    row(
        "density-1-thread",
        "Maths",
        "Density of sea water (EOS-80), 4M float64, one thread",
        "equation-of-state",
        4e6,
        Bar("numpy", 10.0),
        threads=1,
    ),
    row(
        "density",
        "Maths",
        "Density of sea water (EOS-80), 4M float64",
        "equation-of-state",
        4e6,
        Bar("numpy"),
        Bar("jax", 1.0),
        Bar("torch", 1.0),
        Bar("torch.compile", 1.0),
        Bar("numba"),
    ),
]
ROWS = [
    *ADD,
    *ADD_OUT,
    *CHAIN,
    *CHAIN_OF_10,
    *REDUCTIONS,
    *BOOLEANS,
    *AXES,
    *MATHS,
    *MATHS_32,
    *LAYOUTS,
    *OTHERS,
    *ALGEBRA,
    *DENSITY,
]
# One of each kind: what a short run has, at full size.
TELLING = (
    *("add-1e7", "add-1e8", "add-out-1e7", "chain-1e7", "chain10-1e7", "sum-1e6", "sum-1e8", "any-1e8", "mean-axis-0"),
    *("sin-f64", "transposed", "matmul-1000", "density-1-thread"),
)
ROWS = [replace(each, telling=each.name in TELLING) for each in ROWS]
