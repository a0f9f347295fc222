# SPDX-License-Identifier: Apache-2.0
"""The calculations that are compared, written once for every peer, and their operands.

A calculation is text over the operands `a`, `b`, `c`, ... and functions that NumPy, PyTorch, JAX, Dask and Penstock
name alike; `function` binds it to a peer's functions. numexpr and blosc2 read the same text.
"""

from __future__ import annotations

import math
import types
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

import density
import kernels

LETTERS = "abcdefgh"
DTYPES = ("float32", "float64", "int32", "uint8", "bool", "complex128")
FUNCTIONS = [
    "add",
    "subtract",
    "multiply",
    "divide",
    "sum",
    "mean",
    "max",
    "min",
    "any",
    "all",
    "where",
    "maximum",
    "minimum",
    "sin",
    "cos",
    "exp",
    "log",
    "sqrt",
    "abs",
    "dot",
    "matmul",
    "sort",
    "cumulative_sum",
    "median",
    "histogram",
    "unique_values",
]


def flat(n: int) -> tuple[int, ...]:
    return (n,)


def square(n: int) -> tuple[int, ...]:
    side = max(1, math.isqrt(n))
    return side, side


def line(n: int) -> tuple[int, ...]:
    """One row of a square."""
    return (square(n)[0],)


def column(n: int) -> tuple[int, ...]:
    return square(n)[0], 1


@dataclass(frozen=True)
class Operand:
    """An array: `low` and `high` bound its values; `layout` is plain, strided (every other element) or transposed.

    Booleans are all `low`: whoever looks for another one has to look at each.
    """

    dtype: str = "float32"
    shape: Callable[[int], tuple[int, ...]] = flat
    layout: str = "plain"
    low: float = 0.0
    high: float = 1.0

    def array(self, n: int, seed: int) -> Any:
        shape = self.shape(n)
        if self.layout == "transposed":
            return self._values(math.prod(shape), seed).reshape(shape[::-1]).T
        if self.layout == "strided":
            return self._values(2 * math.prod(shape), seed).reshape(*shape[:-1], -1)[..., ::2]
        return self._values(math.prod(shape), seed).reshape(shape)

    def _values(self, count: int, seed: int) -> Any:
        dtype = np.dtype(self.dtype)
        if dtype == np.bool_:
            return np.full(count, bool(self.low))
        values = kernels.values(count, seed)
        if dtype == np.float64:
            values = values + kernels.values(count, seed + 100) * 2.0**-24
        if (self.low, self.high) != (0.0, 1.0):
            values *= values.dtype.type(self.high - self.low)
            values += values.dtype.type(self.low)
        if dtype.kind == "c":
            result = np.empty(count, dtype)
            result.real, result.imag = values, values[::-1]
            return result
        return values.astype(dtype, copy=False)


@dataclass(frozen=True)
class Calculation:
    """`text` gives the result; with `into` the last operand receives it. `relative` bounds how far sides may differ.

    `relative` 0: Penstock's bits are NumPy's; other peers round in their own order and get 1e-5 of the greatest value.
    `operations` are counted as a roofline does, for each element, a division as one. It `streams` where memory sets the
    pace of a perfect program over large arrays.
    """

    text: str
    operands: tuple[Operand, ...]
    relative: float = 0.0
    operations: float | Callable[[int], float] = 1
    into: bool = False
    streams: bool = True
    body: Callable[..., Any] | None = None

    def arrays(self, n: int) -> list[Any]:
        return [operand.array(n, seed) for seed, operand in enumerate(self.operands)]

    def work(self, n: int) -> int:
        """Operations of a call; 0 where nobody counts them."""
        each = self.operations(n) if callable(self.operations) else self.operations
        return round(each * n)

    def letters(self) -> str:
        return ", ".join(LETTERS[: len(self.operands)])

    def function(self, names: Mapping[str, Any]) -> Callable[..., Any]:
        """The calculation as a function of its operands, with a peer's functions."""
        if self.body is not None:
            return types.FunctionType(self.body.__code__, {**self.body.__globals__, **names})
        made: Callable[..., Any] = eval(f"lambda {self.letters()}: {self.text}", dict(names))  # text of this file
        return made


def plain(text: str, count: int, operations: float = 1, relative: float = 0.0, **how: Any) -> Calculation:
    """A calculation over `count` equal operands."""
    return Calculation(text, (Operand(**how),) * count, relative, operations)


def product(dtype: str, relative: float) -> Calculation:
    """Of two square matrices whose elements are of either sign."""
    matrix = Operand(dtype, square, low=-0.5, high=0.5)
    return Calculation("matmul(a, b)", (matrix, matrix), relative, lambda n: 2 * math.isqrt(n), streams=False)


def maths(text: str, dtype: str, low: float, high: float) -> Calculation:
    """A function that takes its time over each element; `relative` is some ULP of float64, few of float32."""
    relative = 1e-15 if dtype == "float64" else 5e-7
    return Calculation(text, (Operand(dtype, low=low, high=high),), relative, 0, streams=False)


def reductions(dtype: str, layout: str = "plain") -> dict[str, Calculation]:
    """Sums, means and greatest values of a dtype."""
    how: dict[str, Any] = {"dtype": dtype, "layout": layout}
    if dtype == "bool":
        kinds = {"any": Operand(low=0, **how), "all": Operand(low=1, **how), "sum": Operand(low=1, **how)}
        return {name: Calculation(f"{name}(a)", (operand,)) for name, operand in kinds.items()}
    if np.dtype(dtype).kind in "iu":
        how |= {"low": 1, "high": 100}
    loose = 1e-5 if dtype == "float32" else 1e-12
    found = {name: Calculation(f"{name}(a)", (Operand(**how),), loose) for name in ("sum", "mean")}
    return found if dtype == "complex128" else found | {"max": Calculation("max(a)", (Operand(**how),))}


def arithmetic(dtype: str, layout: str = "plain") -> dict[str, Calculation]:
    """The four operations with a fresh result and into an array."""
    if dtype == "bool":
        return {}
    whole = np.dtype(dtype).kind in "iu"
    operand = Operand(dtype, layout=layout, low=1, high=100 if whole else 2)
    found = {}
    for name, sign in (("add", "+"), ("sub", "-"), ("mul", "*"), ("div", "/")):
        long = {"sub": "subtract", "mul": "multiply", "div": "divide"}.get(name, name)
        target = Operand("float64") if whole and name == "div" else Operand(dtype, layout=layout)
        loose = 1e-15 if dtype == "complex128" else 0.0
        found[name] = Calculation(f"a {sign} b", (operand, operand), loose)
        into = Calculation(f"{long}(a, b, out=c)", (operand, operand, target), loose, into=True)
        found[f"{name}-out"] = into
    return found


CHAIN_10 = "abs(a*b - c) + sqrt(a + 1)/(b + 2) - c*c"

CALCULATIONS: dict[str, Calculation] = {
    "chain": plain(kernels.CHAIN, 3, 6),
    "chain10": plain(CHAIN_10, 3, 10),
    **reductions("float32"),
    **arithmetic("float32"),
    "any": plain("any(a)", 1, dtype="bool", low=0),
    "all": plain("all(a)", 1, dtype="bool", low=1),
    "mean-axis-0": plain("mean(a, axis=0)", 1, relative=1e-5, shape=square),
    "mean-axis-1": plain("mean(a, axis=1)", 1, relative=1e-5, shape=square),
    "sum-axis-0": plain("sum(a, axis=0)", 1, relative=1e-5, shape=square),
    "sum-axis-1": plain("sum(a, axis=1)", 1, relative=1e-5, shape=square),
    **{f"{name}-f64": maths(f"{name}(a)", "float64", -10, 10) for name in ("sin", "cos", "exp")},
    "log-f64": maths("log(a)", "float64", 1e-3, 1000),
    **{name: maths(f"{name}(a)", "float32", -10, 10) for name in ("sin", "cos", "exp")},
    "log": maths("log(a)", "float32", 1e-3, 1000),
    "sqrt": plain("sqrt(a)", 1),
    "where": plain("where(a > 0.5, b, c)", 3),
    "strided": plain("a + b", 2, layout="strided"),
    "strided-sum": plain("sum(a)", 1, relative=1e-5, layout="strided"),
    "transposed": Calculation("a + b", (Operand(shape=square), Operand(shape=square, layout="transposed"))),
    "row": Calculation("a + b", (Operand(shape=square), Operand(shape=line))),
    "column": Calculation("a + b", (Operand(shape=square), Operand(shape=column))),
    "dot": Calculation("dot(a, b)", (Operand(), Operand()), 1e-5, 2),
    "matmul": product("float32", 1e-5),
    "matmul-f64": product("float64", 1e-13),
    **{name: Calculation(f"{name}(a)", (Operand(),), streams=False) for name in ("sort", "median", "unique_values")},
    # NumPy adds one after the other: what it has lost by then bounds how near others come.
    "cumulative_sum": Calculation("cumulative_sum(a)", (Operand(low=-0.5, high=0.5),), 1e-3),
    "histogram": Calculation("histogram(a, 128, range=(0, 1))[0]", (Operand(),)),
    "equation-of-state": Calculation(
        "density(a, b, c)",
        (Operand("float64", high=40), Operand("float64", low=-2, high=40), Operand("float64", high=1000)),
        1e-12,
        density.OPERATIONS,
        streams=False,
        body=density.equation_of_state,
    ),
}
for _dtype in DTYPES:
    for _layout in ("plain", "strided"):
        for _name, _made in {**reductions(_dtype, _layout), **arithmetic(_dtype, _layout)}.items():
            CALCULATIONS[f"{_name}/{_dtype}/{_layout}"] = _made
