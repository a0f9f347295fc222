# SPDX-License-Identifier: Apache-2.0
"""Special values in functions of whole arrays, as the array API standard lists or defines them.

A rule reads ``function values, arguments -> result``: of nothing, of NaN and infinities, of both zeros, at the ends of
a range. Each is tried in every real floating dtype; the elementwise functions have theirs in test_special_cases.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from sweep import assert_same_bits

import penstock as ps

RULES = """
sum [] -> 0; sum [nan, 1] -> nan; sum [inf, 1] -> inf; sum [inf, -inf] -> nan; sum [-0.0, -0.0] -> -0.0
prod [] -> 1; prod [nan, 1] -> nan; prod [inf, 0] -> nan; prod [inf, -1] -> -inf
mean [] -> nan; mean [nan, 1] -> nan; mean [inf, 1] -> inf; mean [inf, -inf] -> nan; mean [-3.0, 3.0] -> 0
max [nan, 1] -> nan; max [1, nan] -> nan; max [-inf, 1] -> 1; max [-inf, -inf] -> -inf
min [nan, 1] -> nan; min [1, nan] -> nan; min [inf, 1] -> 1; min [inf, inf] -> inf
var [] -> nan; var [nan, 1] -> nan; var [5] -> 0; var [5], correction=1 -> nan; var [1, 3], correction=2 -> nan
var [1, 3], correction=3 -> nan; var [1, 3] -> 1; var [1, 3], correction=1 -> 2; var [1, 3], correction=0.5 -> 4/3
std [] -> nan; std [nan, 1] -> nan; std [5] -> 0; std [5], correction=1 -> nan; std [1, 3] -> 1
any [] -> False; any [0, 0] -> False; any [-0.0] -> False; any [nan] -> True; any [inf, 0] -> True; any [-inf] -> True
all [] -> True; all [1, 0] -> False; all [nan] -> True; all [inf, -inf] -> True; all [-0.0] -> False
count_nonzero [] -> 0; count_nonzero [nan, 0, -0.0, inf] -> 2
argmax [1, 3, 3] -> 1; argmin [2, 1, 1] -> 1; argmax [-inf, -inf] -> 0; argmin [inf, inf] -> 0
cumulative_sum [] -> []; cumulative_sum [1, nan, 1] -> [1, nan, nan]; cumulative_sum [inf, -inf, 1] -> [inf, nan, nan]
cumulative_sum [], include_initial=True -> [0]; cumulative_sum [2, 3], include_initial=True -> [0, 2, 5]
cumulative_prod [] -> []; cumulative_prod [2, nan] -> [2, nan]; cumulative_prod [0, inf] -> [0, nan]
cumulative_prod [], include_initial=True -> [1]; cumulative_prod [2, 3], include_initial=True -> [1, 2, 6]
sort [] -> []; sort [inf, -inf, 0] -> [-inf, 0, inf]; sort [1, 3, 2], descending=True -> [3, 2, 1]
argsort [2, 1, 2, 1] -> [1, 3, 0, 2]; argsort [2, 1, 2, 1], descending=True -> [0, 2, 1, 3]
unique_values [] -> []; unique_values [2, 1, 2] -> [1, 2]; unique_values [nan, nan] -> [nan, nan]
unique_values [0.0, -0.0, 0.0] -> [0.0]; unique_values [inf, -inf, inf] -> [-inf, inf]
nonzero [0, nan, -0.0, inf] -> [1, 3]; nonzero [] -> []
diff [] -> []; diff [1] -> []; diff [inf, inf, 1] -> [nan, -inf]; diff [1, 4, 9], n=2 -> [2]; diff [1, 2], n=0 -> [1, 2]
flip [] -> []; flip [1, nan] -> [nan, 1]; roll [1, 2, 3], -4 -> [2, 3, 1]; roll [], 3 -> []
repeat [1, 2], 0 -> []; repeat [], 3 -> []; tile [1, 2], (0,) -> []; tile [1, 2], () -> [1, 2]
take [5, 6, 7], [-1, 0] -> [7, 5]; take [5, 6], [] -> []
astype [nan, 0, -0.0, inf], ps.bool -> [True, False, False, True]; astype [1.9, -1.9, -0.0], ps.int8 -> [1, -1, 0]
clip [-inf, nan, inf], -1, 1 -> [-1, nan, 1]; clip [5.0], 2, 1 -> [1]
linalg.vector_norm [] -> 0; linalg.vector_norm [nan, 1] -> nan; linalg.vector_norm [3, -4] -> 5
linalg.vector_norm [3, -4], ord=inf -> 4; linalg.vector_norm [3, -4], ord=-inf -> 3
linalg.vector_norm [3, 0], ord=0 -> 1; linalg.vector_norm [3, -4], ord=1 -> 7; linalg.vector_norm [inf, 1] -> inf
linalg.vector_norm [nan, inf], ord=inf -> nan
"""
CREATED = """
arange(0) -> []; arange(5, 0) -> []; arange(0, 5, 2) -> [0, 2, 4]; arange(5, 0, -2) -> [5, 3, 1]
arange(1.0, 2.0, 0.5) -> [1.0, 1.5]
linspace(0, 1, 0) -> []; linspace(3, 9, 1) -> [3.0]; linspace(3, 9, 1, endpoint=False) -> [3.0]
linspace(0, 4, 2, endpoint=False) -> [0.0, 2.0]; linspace(1, -1, 3) -> [1.0, 0.0, -1.0]
eye(2, 3, k=1) -> [[0, 1, 0], [0, 0, 1]]; eye(0) -> []; eye(2, k=-1) -> [[0, 0], [1, 0]]
eye(2, k=5) -> [[0, 0], [0, 0]]; eye(2, k=2**70) -> [[0, 0], [0, 0]]; full((0,), 7) -> []
full((), 7) -> 7; zeros(()) -> 0.0; ones((1, 0)) -> [[]]
searchsorted([1.0, 2.0, 2.0], [2.0, 0.0, 9.0]) -> [1, 0, 3]
searchsorted([1.0, 2.0, 2.0], [2.0, 0.0, 9.0], side='right') -> [3, 0, 3]; searchsorted([], [1.0]) -> [0]
isin([1.0, nan, -0.0], [nan, 0.0, 1.0]) -> [True, False, True]; isin([1], [], invert=True) -> [True]
matmul(ones((2, 0)), ones((0, 2))) -> [[0, 0], [0, 0]]; tensordot(ones(2), ones(2), axes=0) -> [[1, 1], [1, 1]]
vecdot([1j, 2], [1j, 1]) -> 3; linalg.matrix_rank(zeros((2, 2))) -> 0; linalg.det(ones((0, 0))) -> 1.0
meshgrid() -> (); linalg.trace(ones((0, 3))) -> 0; concat([zeros(0), [1]], axis=None) -> [1.0]
where(asarray([True, False]), nan, asarray(1.0)) -> [nan, 1.0]; broadcast_shapes((3, 1), (1, 0)) -> (3, 0)
"""
NAMES = {"nan": np.nan, "inf": np.inf, "ps": ps}


def rules(text: str) -> Iterator[tuple[str, str]]:
    for rule in text.replace("\n", "; ").split("; "):
        call, arrow, result = rule.partition(" -> ")
        if arrow:
            yield call, result


def function(name: str) -> Any:
    where: Any = ps
    for part in name.split("."):
        where = getattr(where, part)
    return where


def looked_at(result: Any) -> Any:
    """The first of several; a NumPy array."""
    return np.asarray(result[0] if isinstance(result, tuple) else result)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("call", "expected"), list(rules(RULES)))
def test_special_values(call: str, expected: str, dtype: str) -> None:
    name, _, arguments = call.partition(" ")
    x = ps.asarray(np.array(eval(arguments[: arguments.index("]") + 1], dict(NAMES)), dtype))
    rest = (
        arguments[arguments.index("]") + 1 :]
        .lstrip(", ")
        .replace("[", "ps.asarray([")
        .replace("]", "], dtype=ps.int64)")
    )
    got = looked_at(eval(f"f(x, {rest})", {**NAMES, "f": function(name), "x": x}))
    want = np.array(eval(expected, dict(NAMES)))
    assert_same_bits(got, want.astype(got.dtype), f"{call} in {dtype}")


@pytest.mark.parametrize(("call", "expected"), list(rules(CREATED)))
def test_ends_of_ranges_and_empty_arrays(call: str, expected: str) -> None:
    names = {name: getattr(ps, name) for name in ps.__all__} | {"linalg": ps.linalg} | NAMES
    got = eval(call, names)
    want = np.array(eval(expected, dict(NAMES)))
    if isinstance(got, tuple):
        assert got == tuple(want.tolist())
        return
    np.testing.assert_array_equal(np.asarray(got), want.reshape(got.shape) if want.size == 0 else want)


@pytest.mark.parametrize("name", ["max", "min", "argmax", "argmin"])
def test_of_nothing_there_is_no_extreme(name: str) -> None:
    with pytest.raises(ValueError, match="no"):
        getattr(ps, name)(ps.zeros((0, 2)), axis=0)
    assert getattr(ps, name)(ps.zeros((0, 2)), axis=1).shape == (0,)
