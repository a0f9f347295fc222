# SPDX-License-Identifier: Apache-2.0
"""Taking, sorting, searching, cumulative sums, sets: whatever NumPy does, applied to both."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sweep import DTYPES, FLOATS, INTEGERS, Numbers, assert_same, budget_left

import penstock as ps

ORDERED = ("bool", *INTEGERS, *FLOATS)
SHAPES = ((0,), (1,), (7,), (300,), (3, 4), (2, 0, 5), (3, 5, 4), (40, 70))


def sample(dtype: str, shape: tuple[int, ...], seed: int = 1) -> Numbers:
    """Small numbers, each again and again; floats with NaN, infinities and both zeros."""
    rng = np.random.default_rng(seed)
    kind = np.dtype(dtype).kind
    if kind == "b":
        return rng.integers(0, 2, shape).astype(bool)
    if kind in "iu":
        return rng.integers(0 if kind == "u" else -9, 10, shape).astype(dtype)
    if kind == "f":
        few = np.array([0.0, -0.0, 1.5, -2.25, 3.0, np.inf, -np.inf, np.nan, 0.1], dtype)
        return few[rng.integers(0, len(few), shape)]
    return (rng.integers(-2, 3, shape) + 1j * rng.integers(-2, 3, shape)).astype(dtype)


def axes(shape: tuple[int, ...]) -> range:
    return range(-len(shape), len(shape))


@pytest.mark.parametrize("dtype", ORDERED)
@pytest.mark.parametrize("shape", SHAPES)
def test_sort_and_argsort(dtype: str, shape: tuple[int, ...]) -> None:
    a = sample(dtype, shape)
    x = ps.asarray(a)
    for axis in axes(shape):
        assert_same(ps.sort(x, axis=axis), np.sort(a, axis=axis, kind="stable"))
        assert_same(ps.argsort(x, axis=axis), np.argsort(a, axis=axis, kind="stable"))


@pytest.mark.parametrize("dtype", ORDERED)
def test_descending_keeps_the_order_of_equals_and_nan_last(dtype: str) -> None:
    a = sample(dtype, (200,))
    keys = a.astype(np.float64)
    order = sorted(range(len(a)), key=lambda i: (np.isnan(keys[i]), -keys[i] if not np.isnan(keys[i]) else 0.0, i))
    assert_same(ps.argsort(ps.asarray(a), descending=True), np.array(order))
    assert_same(ps.sort(ps.asarray(a), descending=True), a[order])


def test_a_long_line_is_sorted_by_all_threads() -> None:
    a = np.random.default_rng(3).standard_normal(500_001).astype(np.float32)
    assert_same(ps.sort(ps.asarray(a)), np.sort(a))
    assert_same(ps.argsort(ps.asarray(a)), np.argsort(a, kind="stable"))


@pytest.mark.parametrize("dtype", ORDERED)
@pytest.mark.parametrize("side", ["left", "right"])
def test_searchsorted(dtype: str, side: Any) -> None:
    a, q = sample(dtype, (50,)), sample(dtype, (6, 9), 2)
    order = np.argsort(a, kind="stable")
    expected = np.searchsorted(a, q, side=side, sorter=order)
    assert_same(ps.searchsorted(ps.asarray(np.sort(a)), ps.asarray(q), side=side), expected)
    assert_same(ps.searchsorted(ps.asarray(a), ps.asarray(q), side=side, sorter=ps.asarray(order)), expected)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", SHAPES)
def test_cumulative(dtype: str, shape: tuple[int, ...]) -> None:
    a = sample(dtype, shape)
    x = ps.asarray(a)
    with np.errstate(all="ignore"):
        for axis in axes(shape):
            for ours, theirs, first in ((ps.cumulative_sum, np.cumsum, 0), (ps.cumulative_prod, np.cumprod, 1)):
                got, expected = ours(x, axis=axis), theirs(a, axis=axis)
                np.testing.assert_allclose(np.asarray(got), expected, rtol=1e-5)
                assert str(got.dtype) == str(expected.dtype)
                begun = np.asarray(ours(x, axis=axis, include_initial=True))
                np.testing.assert_allclose(
                    begun,
                    np.concatenate(
                        [
                            np.full_like(
                                expected.take([], axis),
                                first,
                                shape=tuple(1 if d == axis % len(shape) else n for d, n in enumerate(shape)),
                            ),
                            expected,
                        ],
                        axis,
                    ),
                    rtol=1e-5,
                )


def test_cumulative_dtype() -> None:
    x = ps.asarray(np.array([100, 100, 100], np.int8))
    assert ps.cumulative_sum(x).dtype == ps.int64
    assert_same(ps.cumulative_sum(x, dtype=ps.int8), np.cumsum([100, 100, 100], dtype=np.int8))
    assert ps.cumulative_sum(ps.asarray(np.array([True, True]))).dtype == ps.int64
    with pytest.raises(TypeError, match="bool"):
        ps.cumulative_sum(x, dtype=ps.bool)
    with pytest.raises(ValueError, match="axis"):
        ps.cumulative_sum(ps.zeros((2, 3)))


@pytest.mark.parametrize("dtype", DTYPES)
def test_take(dtype: str) -> None:
    a = sample(dtype, (3, 5, 4))
    x = ps.asarray(a)
    for axis in axes(a.shape):
        n = a.shape[axis]
        for indices in (np.array([0, -1, n - 1, -n, 0]), np.array([[0, 1], [2, 0]]), np.array([], np.int64)):
            assert_same(ps.take(x, ps.asarray(indices), axis=axis), a.take(indices, axis))
    assert_same(ps.take(x[0, :, 0], ps.asarray(np.array([1, 1], np.uint8))), a[0, :, 0][[1, 1]])
    backwards = x[::-1, :, ::2]
    assert_same(ps.take(backwards, ps.asarray(np.array([4, 0])), axis=1), a[::-1, :, ::2][:, [4, 0]])


def test_take_along_axis() -> None:
    a = sample("float64", (3, 5, 4))
    x = ps.asarray(a)
    for axis in axes(a.shape):
        order = np.argsort(a, axis=axis, kind="stable")
        assert_same(ps.take_along_axis(x, ps.asarray(order), axis=axis), np.take_along_axis(a, order, axis))
    some = np.array([[[1], [-2]]])
    assert_same(ps.take_along_axis(x, ps.asarray(some), axis=1), np.take_along_axis(a, some, 1))


def test_indices_that_are_none() -> None:
    x = ps.arange(5)
    for wrong in (5, -6):
        with pytest.raises(IndexError, match=f"index {wrong} is out of range for axis 0 of extent 5"):
            ps.take(x, ps.asarray(np.array([0, wrong])))
    with pytest.raises(IndexError, match="18446744073709551615"):
        ps.take(x, ps.asarray(np.array([2**64 - 1], np.uint64)))
    with pytest.raises(TypeError, match="integer"):
        ps.take(x, ps.asarray(np.array([0.0])))
    with pytest.raises(ValueError, match="axis"):
        ps.take(ps.zeros((2, 3)), ps.asarray(np.array([0])))
    with pytest.raises(IndexError):
        ps.take(ps.zeros((0,)), ps.asarray(np.array([0])))
    with pytest.raises(TypeError, match="complex128"):
        ps.sort(ps.asarray(np.array([1j])))
    with pytest.raises(ValueError, match="side"):
        ps.searchsorted(x, x, side="middle")


def test_on_a_file_within_a_budget(tmp_path: Path) -> None:
    a = np.random.default_rng(1).integers(0, 1000, 3_000_000).astype(np.int32)
    np.save(tmp_path / "a.npy", a)
    index = np.random.default_rng(2).integers(0, a.size, 100_000)
    x = ps.open(tmp_path / "a.npy")
    with budget_left(6 << 20):
        ps.save(ps.take(x, ps.asarray(index)), tmp_path / "t.npy")
        ps.save(ps.cumulative_sum(x * 2), tmp_path / "c.npy")
    assert_same(ps.open(tmp_path / "t.npy"), a[index])
    assert_same(ps.open(tmp_path / "c.npy"), np.cumsum(a * 2, dtype=np.int64))
    assert_same(ps.nonzero(ps.greater(x, 990))[0], np.nonzero(a > 990)[0])


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", SHAPES)
def test_nonzero(dtype: str, shape: tuple[int, ...]) -> None:
    a = sample(dtype, shape)
    for got, expected in zip(ps.nonzero(ps.asarray(a)), np.nonzero(a), strict=True):
        assert_same(got, expected)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", SHAPES)
def test_unique(dtype: str, shape: tuple[int, ...]) -> None:
    a = sample(dtype, shape)
    x = ps.asarray(a)
    expected = np.unique_all(a)
    got = ps.unique_all(x)
    assert got._fields == expected._fields
    for ours, theirs in zip(got, expected, strict=True):
        np.testing.assert_array_equal(np.asarray(ours), theirs)
    np.testing.assert_array_equal(np.asarray(ps.unique_values(x)), expected.values)
    for ours, theirs in zip(ps.unique_counts(x), np.unique_counts(a), strict=True):
        np.testing.assert_array_equal(np.asarray(ours), theirs)
    inverse = ps.unique_inverse(x)
    np.testing.assert_array_equal(np.asarray(inverse.inverse_indices), expected.inverse_indices)
    assert inverse.inverse_indices.shape == shape


@pytest.mark.parametrize("dtype", DTYPES)
def test_isin(dtype: str) -> None:
    a, b = sample(dtype, (6, 9)), sample(dtype, (4,), 5)
    for invert in (False, True):
        assert_same(ps.isin(ps.asarray(a), ps.asarray(b), invert=invert), np.isin(a, b, invert=invert))
    assert_same(ps.isin(ps.asarray(a), ps.zeros((0,), dtype=dtype)), np.zeros(a.shape, bool))


def test_repeat() -> None:
    a = sample("int32", (3, 4))
    x = ps.asarray(a)
    for axis in (None, 0, 1, -1):
        for times in (0, 1, 3):
            assert_same(ps.repeat(x, times, axis=axis), np.repeat(a, times, axis))
    each = np.array([2, 0, 3])
    assert_same(ps.repeat(x, ps.asarray(each), axis=0), np.repeat(a, each, 0))
    with pytest.raises(ValueError, match="fit"):
        ps.repeat(x, ps.asarray(each), axis=1)
    for wrong in (-1, ps.asarray(np.array([1, -1, 0]))):
        with pytest.raises(ValueError, match=r"negative|-1"):
            ps.repeat(x, wrong, axis=0)


def test_tile() -> None:
    a = sample("float32", (3, 4))
    for times in ((), (2,), (2, 3), (2, 1, 3), (0, 2)):
        assert_same(ps.tile(ps.asarray(a), times), np.tile(a, times))


def test_diff() -> None:
    a = sample("int64", (5, 6))
    for axis in axes(a.shape):
        for n in (0, 1, 2, 9):
            assert_same(ps.diff(ps.asarray(a), axis=axis, n=n), np.diff(a, n=n, axis=axis))
    ends = np.ones((5, 1), np.int64)
    got = ps.diff(ps.asarray(a), prepend=ps.asarray(ends), append=ps.asarray(ends))
    assert_same(got, np.diff(a, prepend=ends, append=ends))
    with pytest.raises(ValueError, match="-1"):
        ps.diff(ps.asarray(a), n=-1)


def test_complex_sets_tell_parts_apart() -> None:
    a = np.array([1 + 2j, 1 + 2j, 2 + 1j, complex(np.nan, 0), complex(np.nan, 0), 1 + 1j])
    got = ps.unique_counts(ps.asarray(a))
    assert [int(each) for each in got.counts.tolist()] == [1, 2, 1, 1, 1]
    assert ps.isin(ps.asarray(a), ps.asarray(a)).tolist() == [True, True, True, False, False, True]
