# SPDX-License-Identifier: Apache-2.0
"""Random chains of elementwise operations, as text for NumPy and Penstock and as C++ with the same operations.

Drawn with a fixed key from the rows of penstock/op/elementwise.def that take float32 and give it, and for which C++ has
the function. A function of the mathematics library, which C++ calls for one element at a time, takes longer than all
the rest: every other chain has one at most, the others none; none where its argument has few values (after `sign`), of
which a compiler makes constants. A step whose values would leave the finite numbers, or become all equal, is drawn
again.
"""

from __future__ import annotations

import random
import re
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import kernels

TABLE = Path(__file__).resolve().parent.parent / "penstock" / "op" / "elementwise.def"
ROW = re.compile(r"^PENSTOCK_OP\((\w+), (\w+), (\d), (\w+), (\w+)\)", re.MULTILINE)
KEY, CHAINS, SHORTEST, LONGEST = 20_261, 50, 3, 12
CONSTANTS = (0.5, 0.75, 1.25, 1.5, 2.0, 3.0)
SAMPLE, DISTINCT = 4096, 256
# What C++ writes for a row, of the chain's value x and operands y and z. Constants are float.
SIMPLE = {
    "abs": "std::fabs(x)",
    "add": "x + y",
    "ceil": "std::ceil(x)",
    "clip": "x < 0.25f ? 0.25f : x > 0.75f ? 0.75f : x",
    "copysign": "std::copysign(x, y)",
    "divide": "x / y",
    "floor": "std::floor(x)",
    "heaviside": "x < 0.0f ? 0.0f : x > 0.0f ? 1.0f : y",
    "maximum": "x > y ? x : y",
    "minimum": "x < y ? x : y",
    "multiply": "x * y",
    "negative": "-x",
    "reciprocal": "1.0f / x",
    "round": "std::nearbyint(x)",
    "sign": "x > 0.0f ? 1.0f : x < 0.0f ? -1.0f : 0.0f",
    "sqrt": "std::sqrt(x)",
    "square": "x * x",
    "subtract": "x - y",
    "trunc": "std::trunc(x)",
    "where": "x > y ? x : z",
}
UNARY = "acos acosh asin asinh atan atanh cos cosh exp expm1 log log10 log1p log2 sin sinh tan tanh"
LIBRARY = {
    **{name: f"std::{name}(x)" for name in UNARY.split()},
    **{name: f"std::{name}(x, y)" for name in ("atan2", "hypot", "pow")},
}
SPELLINGS = {**SIMPLE, **LIBRARY}
ARGUMENTS = {"clip": "x, 0.25, 0.75", "where": "x > y, x, z"}


@dataclass(frozen=True)
class Step:
    """One operation on the chain's value; `others` are operands or constants."""

    name: str
    others: tuple[str, ...]

    def text(self, inner: str) -> str:
        """The step around `inner`, as NumPy and Penstock write it."""
        names = {"x": inner, **dict(zip("yz", self.others, strict=False))}
        arguments = ARGUMENTS.get(self.name) or ", ".join(["x", *"yz"[: len(self.others)]])
        return f"{self.name}({re.sub(r'[xyz]', lambda found: names[found[0]], arguments)})"

    def cpp(self) -> str:
        names = {"x": "x", **{place: as_float(each) for place, each in zip("yz", self.others, strict=False)}}
        return re.sub(r"\b[xyz]\b", lambda found: names[found[0]], SPELLINGS[self.name])


Chain = tuple[Step, ...]


def as_float(operand: str) -> str:
    """An operand or a constant as C++ has it."""
    return operand if operand.isalpha() else f"{float(operand)}f"


def rows() -> list[str]:
    """The rows that chains are drawn from, in the table's order."""
    found = ROW.findall(TABLE.read_text(encoding="utf-8"))
    return [name for name, _, _, _, result in found if name in SPELLINGS and result in ("kSame", "kRealPart")]


def text(chain: Chain) -> str:
    """The chain as one expression of a, b and c; `x` is what came before."""
    return " | ".join(step.text("a" if number == 0 else "x") for number, step in enumerate(chain))


def function(chain: Chain, module: Any) -> Callable[[Any, Any, Any], Any]:
    """The chain with the functions of NumPy or Penstock."""
    names = names_of(module)
    steps = [eval(f"lambda x, a, b, c: {step.text('x')}", names) for step in chain]  # text made here

    def run(a: Any, b: Any, c: Any) -> Any:
        x = a
        for step in steps:
            x = step(x, a, b, c)
        return x

    return run


def has_library(chain: Chain) -> bool:
    """Whether a function of the mathematics library is in it."""
    return any(step.name in LIBRARY for step in chain)


def names_of(module: Any) -> dict[str, Any]:
    return {name: getattr(module, name) for name in SPELLINGS}


def draw(key: int = KEY, count: int = CHAINS) -> list[Chain]:
    """`count` chains; the same for the same key and table."""
    chance, table = random.Random(key), rows()
    sample = dict(zip("abc", (kernels.values(SAMPLE, seed) for seed in range(3)), strict=True))
    names = names_of(np)
    found = []
    for number in range(count):
        length = SHORTEST + int(chance.random() * (LONGEST - SHORTEST + 1))
        steps: list[Step] = []
        value = sample["a"]
        while len(steps) < length:
            step = _step(chance, table)
            barred = number % 2 == 0 or has_library(tuple(steps)) or np.unique(value).size < DISTINCT
            if step.name in LIBRARY and barred:
                continue
            after = value_of(step.text("x"), {**names, **sample, "x": value})
            if usable(after):
                steps.append(step)
                value = after
        found.append(tuple(steps))
    return found


def _step(chance: random.Random, table: list[str]) -> Step:
    name = table[int(chance.random() * len(table))]
    count = 0 if name == "clip" else len(set(re.findall(r"\b[yz]\b", SPELLINGS[name])))
    pool = ["a", "b", "c", *map(str, CONSTANTS)]
    return Step(name, tuple(pool[int(chance.random() * len(pool))] for _ in range(count)))


def value_of(expression: str, names: dict[str, Any]) -> Any:
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        return eval(expression, names)  # text made here


def usable(value: Any) -> bool:
    """Whether a step's values are finite, of ordinary size, and not all the same."""
    size = np.abs(value[value != 0]) if np.isfinite(value).all() else value[:0]
    return bool(
        size.size > value.size // 10 and size.min() > 1e-6 and size.max() < 1e6 and value.std() > 0.01 * size.max()
    )


HEAD = """// A generated file: chains of operations, each as one loop.
#include <cmath>
#include <cstring>
#include <immintrin.h>

namespace {
constexpr long kBlock = 1024;
void Stream(const float* from, float* to, long count) {
  for (long i = 0; i < count; i += 4) _mm_stream_ps(to + i, _mm_loadu_ps(from + i));
}
template <typename Loop>
void Shared(float* out, long count, int threads, int stream, Loop loop) {
#pragma omp parallel for num_threads(threads) schedule(static, 1)
  for (int thread = 0; thread < threads; ++thread) {
    const long share = count / threads / kBlock * kBlock;
    const long last = thread + 1 == threads ? count : (thread + 1) * share;
    alignas(64) float part[kBlock];
    for (long i = thread * share; i < last; i += kBlock) {
      if (stream && i + kBlock <= last) {
        loop(i, kBlock, part);
        Stream(part, out + i, kBlock);
      } else {
        loop(i, last - i < kBlock ? last - i : kBlock, out + i);
      }
    }
    _mm_sfence();
  }
}
}  // namespace

extern "C" {
"""


def source(chains: Sequence[Chain]) -> str:
    """C++ with a function chain_<number>(a, b, c, out, count, threads, stream) for each chain."""
    return HEAD + "\n".join(_function(number, chain) for number, chain in enumerate(chains)) + "}\n"


def _function(number: int, chain: Chain) -> str:
    steps = "".join(f"      x = {step.cpp()};\n" for step in chain)
    return f"""void chain_{number}(const float* at_a, const float* at_b, const float* at_c, float* out, long count,
               int threads, int stream) {{
  Shared(out, count, threads, stream, [=](long first, long length, float* __restrict to) {{
    for (long i = 0; i < length; ++i) {{
      [[maybe_unused]] const float a = at_a[first + i], b = at_b[first + i], c = at_c[first + i];
      float x = a;
{steps}      to[i] = x;
    }}
  }});
}}
"""
