# SPDX-License-Identifier: Apache-2.0
"""Every elementwise operation, of every dtype it takes, in every kind of memory, against NumPy."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np
import oracle
import pytest
from sweep import DTYPES, SHAPES, Numbers, assert_same_bits, layouts, sample, ulp_error

import penstock as ps
from penstock import _core

ARITY = {name: arity for name, arity, *_ in _core.elementwise_rows()}
CASES = [(name, dtype) for name in ARITY for dtype in DTYPES if np.dtype(dtype).kind in oracle.ROWS[name].kinds]
REFUSED = [(name, dtype) for name in ARITY for dtype in DTYPES if np.dtype(dtype).kind not in oracle.ROWS[name].kinds]
# Normwise, in epsilons: complex functions are the C library's.
COMPLEX_BOUND = 6.0


def operands_of(name: str, dtype: str, shape: tuple[int, ...]) -> list[Numbers]:
    operands = [sample(dtype, shape, seed) for seed in range(ARITY[name])]
    if name == "where":
        operands[0] = sample("bool", shape)
    return operands


def check(name: str, dtype: str, got: Numbers, want: Numbers, operands: list[Numbers], where: str) -> None:
    assert got.dtype == oracle.result_dtype(name, dtype), where
    assert got.shape == want.shape, where
    agreement = oracle.agreement_of(name, dtype)
    if agreement == oracle.EXACT:
        assert_same_bits(got, want.astype(got.dtype) if want.dtype.kind == "b" else want, where)
    elif agreement == oracle.MATHS:
        scale = None
        if name == "logaddexp":
            scale = np.maximum(np.abs(want), np.maximum(*(np.abs(each.astype(want.dtype)) for each in operands)))
        errors = ulp_error(got, want, scale)
        bound = oracle.BOUNDS.get(name, 1.0) + 0.01
        if not (errors <= bound).all():
            at = tuple(np.argwhere(~(errors <= bound))[0])
            values = [each[at] for each in operands]
            raise AssertionError(
                f"{where}{values}: {got[at]!r}, exactly {want[at]!r}: {errors[at]} units of the last place"
            )
    else:
        check_complex(name, got, want, operands, where)


def check_complex(name: str, got: Numbers, want: Numbers, operands: list[Numbers], where: str) -> None:
    """Finite results of finite operands, normwise."""
    with np.errstate(all="ignore"):
        # The error of a logarithm grows with what it is multiplied by.
        growth = np.ones(want.shape)
        if name == "pow":  # of 0 it is exact
            growth = 1 + np.abs(operands[1] * np.log(np.where(operands[0] == 0, 1, operands[0])))
        nearest = want.astype(got.dtype)
        finite = np.isfinite(nearest) & np.isfinite(got)
        for each in operands:
            finite &= np.isfinite(each)
        distance = np.abs(np.where(finite, got, 0).astype(want.dtype) - np.where(finite, want, 0))
        bound = (
            COMPLEX_BOUND * np.finfo(got.dtype).eps * np.where(finite, growth * np.abs(want), 0)
            + 4 * np.finfo(got.dtype).tiny
        )
    bad = ~(distance <= bound)
    if bad.any():
        at = tuple(np.argwhere(bad)[0])
        raise AssertionError(f"{where}{[each[at] for each in operands]}: {got[at]!r}, exactly {want[at]!r}")


def test_the_oracle_knows_every_row() -> None:
    assert sorted(oracle.ROWS) == sorted(ARITY)


@pytest.mark.parametrize(("name", "dtype"), CASES, ids=lambda each: str(each))
def test_agrees_in_every_kind_of_memory(name: str, dtype: str) -> None:
    function = getattr(ps, name)
    for shape in SHAPES:
        operands = operands_of(name, dtype, shape)
        want = oracle.expected(name, operands)
        before = [each.tobytes() for each in operands]
        placed = [dict(layouts(each)) for each in operands]
        for layout in placed[0]:
            got = np.asarray(function(*(each[layout] for each in placed)))
            check(name, dtype, got, want, operands, f"{name} {dtype} {shape} {layout} ")
        kinds = itertools.cycle(placed[0])
        mixed = [each[next(kinds)] for each in placed[::-1]][::-1]
        got = np.asarray(function(*map(ps.asarray, mixed)))
        check(name, dtype, got, want, operands, f"{name} {dtype} {shape} mixed ")
        assert [each.tobytes() for each in operands] == before


@pytest.fixture
def each_target() -> Iterator[list[str]]:
    """The CPU targets of this machine; the one in use is restored."""
    chosen = ps.simd_target()
    yield ps.show_config()["targets"]
    ps.simd_target(chosen)


@pytest.mark.parametrize(("name", "dtype"), CASES, ids=lambda each: str(each))
def test_agrees_on_every_target(name: str, dtype: str, each_target: list[str]) -> None:
    function = getattr(ps, name)
    for shape in SHAPES:
        operands = operands_of(name, dtype, shape)
        want = oracle.expected(name, operands)
        placed = [dict(layouts(each)) for each in operands]
        for target, layout in itertools.product(each_target, ("contiguous", "strided", "unaligned")):
            ps.simd_target(target)
            got = np.asarray(function(*(each[layout] for each in placed)))
            check(name, dtype, got, want, operands, f"{name} {dtype} {shape} {layout} {target} ")


@pytest.mark.parametrize(("name", "dtype"), CASES, ids=lambda each: str(each))
def test_broadcasts(name: str, dtype: str) -> None:
    operands = operands_of(name, dtype, (5, 13))
    if ARITY[name] == 1:
        operands = [np.broadcast_to(operands[0][2], (7, 13))]
    else:
        operands = [operands[0][:, :1], *operands[1:-1], operands[-1][3]]
    full = [np.ascontiguousarray(each) for each in np.broadcast_arrays(*operands)]
    got = np.asarray(getattr(ps, name)(*operands))
    check(name, dtype, got, oracle.expected(name, full), full, f"{name} {dtype} broadcast ")


@pytest.mark.parametrize(("name", "dtype"), CASES, ids=lambda each: str(each))
def test_zero_dimensions(name: str, dtype: str) -> None:
    operands = [each.reshape(()) for each in operands_of(name, dtype, (1, 1))]
    got = np.asarray(getattr(ps, name)(*operands))
    check(name, dtype, got, oracle.expected(name, operands), operands, f"{name} {dtype} 0-d ")


@pytest.mark.parametrize(("name", "dtype"), REFUSED, ids=lambda each: str(each))
def test_refuses_other_dtypes(name: str, dtype: str) -> None:
    operands = [np.zeros(3, dtype)] * ARITY[name]
    with pytest.raises(ps.errors.DTypeError, match=name) as caught:
        getattr(ps, name)(*operands)
    assert dtype in str(caught.value)
    assert "it wants" in str(caught.value)


@pytest.mark.parametrize("name", sorted(ARITY))
def test_writes_into_out(name: str) -> None:
    dtype = "complex64" if name == "imag" else "int32" if oracle.ROWS[name].kinds in ("iu", "biu") else "float32"
    operands = operands_of(name, dtype, (25, 40))
    want = np.asarray(getattr(ps, name)(*operands))
    for layout, out in layouts(np.zeros(want.shape, want.dtype)):
        if layout == "big-endian":
            continue
        result = getattr(ps, name)(*operands, out=out)
        assert result is out
        assert_same_bits(np.ascontiguousarray(out), want, f"{name} out {layout}")


@pytest.mark.parametrize("name", sorted(name for name in ARITY if ARITY[name] == 2))
def test_wrong_shapes_and_operands(name: str) -> None:
    dtype = "int32" if oracle.ROWS[name].kinds in ("iu", "biu") else "float32"
    function: Any = getattr(ps, name)
    with pytest.raises(ps.errors.ShapeError, match=r"\(3,\).*\(4,\)|\(4,\).*\(3,\)"):
        function(np.zeros(3, dtype), np.zeros(4, dtype))
    with pytest.raises(ps.errors.DTypeError):
        function(np.zeros(3, dtype), "text")
    with pytest.raises(ps.errors.DTypeError):
        function(np.zeros(3, dtype), None)
    with pytest.raises(TypeError):
        function(np.zeros(3, dtype))


@pytest.mark.parametrize("dtype", ["float32", "float64", "int8", "uint16", "int64"])
def test_a_square_is_a_product(dtype: str) -> None:
    values = np.random.default_rng(8).integers(0, 200, 5000).astype(dtype) * np.dtype(dtype).type(1.37)
    values = values.astype(dtype)
    x = ps.asarray(values)
    with np.errstate(over="ignore"):
        np.testing.assert_array_equal(np.asarray(x**2), values * values)
        np.testing.assert_array_equal(np.asarray(x**2.0), values**2.0)
    assert (x**2).dtype == x.dtype
    np.testing.assert_array_equal(np.asarray(ps.pow(x, 2)), np.asarray(x**2))


def test_only_the_number_two_squares() -> None:
    x = ps.asarray(np.array([2.0, 3.0, -1.5]))
    np.testing.assert_array_equal(np.asarray(x**2.5)[:2], np.array([2.0, 3.0]) ** 2.5)
    np.testing.assert_array_equal(np.asarray(x**True), [2.0, 3.0, -1.5])
    np.testing.assert_array_equal(np.asarray(2**x)[:2], [4.0, 8.0])
