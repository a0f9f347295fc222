# SPDX-License-Identifier: Apache-2.0
"""Elementwise functions called with positional operands, which go a short way, and by keyword, which don't."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import penstock as ps
from penstock import _core

PARAMETERS = {1: ("x",), 2: ("x1", "x2"), 3: ("condition", "x1", "x2")}
FUNCTIONS = [(name, arity) for name, arity, *_ in _core.elementwise_rows() if name != "clip"]


def small(dtype: str, shape: tuple[int, ...] = (5,)) -> ps.Array:
    return ps.asarray((np.arange(np.prod(shape)).reshape(shape) % 7 + 1).astype(dtype))


def lazy() -> ps.Array:
    """Too large to be calculated where it is written."""
    return ps.broadcast_to(ps.asarray(np.float32(2)), (5000,)) * ps.asarray(np.arange(5000, dtype=np.float32))


def outcome(call: Callable[[], Any]) -> tuple[Any, ...]:
    """What a call gives, or how it fails."""
    try:
        made = call()
        return type(made), str(made.dtype), made.shape, np.asarray(made).tobytes()
    except (TypeError, ValueError, IndexError) as error:
        return type(error), str(error)


def both(name: str, operands: tuple[Any, ...], out: Any) -> None:
    function = getattr(ps, name)
    by_name = dict(zip(PARAMETERS[len(operands)], operands, strict=True))
    short = outcome(lambda: function(*operands, out=out()))
    assert short == outcome(lambda: function(**by_name, out=out()))


@pytest.mark.parametrize(("name", "arity"), FUNCTIONS, ids=[name for name, _ in FUNCTIONS])
@pytest.mark.parametrize("dtype", ["bool", "int8", "uint64", "float32", "complex128"])
def test_a_call_means_the_same_the_short_way(name: str, arity: int, dtype: str) -> None:
    def out(of: str) -> ps.Array:
        return ps.zeros(5, dtype=of)

    for operands in [(small(dtype),) * arity, (small(dtype)[::-1],) * arity, (small(dtype)[2],) * arity]:
        both(name, operands, lambda: None)
        for of in ("bool", "float64", dtype):
            both(name, operands, lambda of=of: out(of))
    if arity == 2:
        both(name, (small(dtype), 2.0), lambda: None)
        both(name, (2.0, 3.0), lambda: None)


OUTS: list[Callable[[], Any]] = [
    lambda: None,
    lambda: ps.zeros(5, dtype="float32"),
    lambda: ps.zeros(4, dtype="float32"),
    lambda: ps.zeros(5, dtype="float64"),
    lambda: ps.zeros(5000, dtype="float32"),
    lambda: np.zeros(5, dtype="float32"),
    lambda: "text",
    lambda: 3.0,
]
OPERANDS: list[Any] = [
    (small("float32"), small("float32")),
    (small("float32"), 1.5),
    (small("float32"), 2),
    (small("float32"), True),
    (small("float32"), np.ones(5, np.float32)),
    (small("float32"), [1, 2, 3, 4, 5]),
    (small("float32"), small("float32", (4,))),
    (small("float32", (2, 1)), small("float32", (1, 3))),
    (small("float32"), lazy()),
    (lazy(), lazy()),
    (small("float32"), None),
    (small("float32"), "a"),
]


@pytest.mark.parametrize("out", range(len(OUTS)))
@pytest.mark.parametrize("operands", range(len(OPERANDS)))
def test_odd_operands_and_results_mean_the_same_the_short_way(operands: int, out: int) -> None:
    both("add", OPERANDS[operands], OUTS[out])


def test_an_array_given_as_out_is_what_comes_back() -> None:
    a, out = small("float32"), ps.zeros(5, dtype="float32")
    view = out[1:3]
    assert ps.add(a, 1.0, out=out) is out
    assert np.asarray(out).tolist() == (np.asarray(a) + 1).tolist()
    assert np.asarray(view).tolist() == [0, 0]  # of the value that the array had
    assert ps.multiply(out, out, out=out) is out
    assert np.asarray(out).tolist() == ((np.asarray(a) + 1) ** 2).tolist()


def test_a_call_that_fails_leaves_out_as_it_was() -> None:
    out = ps.ones(5, dtype="float32")
    for wrong in (small("float64"), small("float32", (3,)), small("float32", (4,))):
        with pytest.raises((TypeError, ValueError)):
            ps.add(wrong, wrong, out=out)
    assert np.asarray(out).tolist() == [1.0] * 5


def test_wrong_arguments_are_refused() -> None:
    a = small("float32")
    for call in (
        lambda: ps.add(a),
        lambda: ps.add(a, a, a),
        lambda: ps.add(a, a, to=a),
        lambda: ps.add(a, a, out=a, to=a),
        lambda: ps.add(a, out=a),
    ):
        with pytest.raises(TypeError):
            call()
