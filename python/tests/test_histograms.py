# SPDX-License-Identifier: Apache-2.0
"""Counting by value and by place against NumPy."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sweep import FLOATS, INTEGERS, budget_left

import penstock as ps

ESTIMATORS = ("auto", "doane", "fd", "rice", "scott", "sqrt", "sturges")


def same(got: tuple[ps.Array, ps.Array], want: tuple[Any, Any], rtol: float = 0) -> None:
    for a, b in zip(got, want, strict=True):
        # NumPy rounds even edges to float32 where the elements are.
        assert np.asarray(a).dtype == (np.float64 if b.dtype == np.float32 and a is got[1] else b.dtype)
        np.testing.assert_allclose(np.asarray(a), b, rtol=max(rtol, 1e-6 if b.dtype == np.float32 else 0))


@pytest.mark.parametrize("dtype", ["bool", *INTEGERS, *FLOATS])
def test_counts_of_every_dtype(dtype: str) -> None:
    rng = np.random.default_rng(0)
    for shape in ((1,), (7,), (40, 25), (30_000,)):
        x = np.abs(rng.normal(size=shape) * 50).astype(dtype)
        # NumPy warns that bool counts as uint8.
        a = x.astype("uint8") if dtype == "bool" else x
        same(ps.histogram(x), np.histogram(a.astype("float64") if dtype == "float32" else a))
        same(ps.histogram(x, 7, (3, 31)), np.histogram(a, 7, (3, 31)))
        same(ps.histogram(x, [0, 1, 10, 50]), np.histogram(a, [0, 1, 10, 50]))


def test_values_on_edges_fall_where_numpy_has_them() -> None:
    x = np.linspace(0, 1, 1001)
    for bins in (3, 10, 49, 1000):
        same(ps.histogram(x, bins), np.histogram(x, bins))
        same(ps.histogram(x, bins, (0.1, 0.7)), np.histogram(x, bins, (0.1, 0.7)))


def test_edges_of_every_kind() -> None:
    x = np.array([-np.inf, -1.0, 0, 0, 0.5, 1, 1, 2, np.inf, np.nan])
    for edges in ([0, 1, 1], [0, 0, 1, 2], [-np.inf, 0, np.inf], [1, 2], [0.5, 0.5]):
        same(ps.histogram(x, edges), np.histogram(x, edges))
    big = np.array([2**62, 2**62 + 1, 2**62 + 2, -5])
    edges = np.array([2**62, 2**62 + 1, 2**62 + 3])
    same(ps.histogram(big, edges), np.histogram(big, edges))
    same(ps.histogram(np.full(4, 3.0)), np.histogram(np.full(4, 3.0)))
    same(ps.histogram([]), np.histogram([]))


@pytest.mark.parametrize("name", ESTIMATORS)
def test_numbers_of_bins(name: str) -> None:
    rng = np.random.default_rng(1)
    mostly = np.where(rng.random(1000) < 0.9, 1.0, rng.normal(size=1000))
    for x in (
        rng.normal(size=1000),
        mostly,
        rng.integers(0, 12, 500),
        rng.exponential(size=3),
        np.ones(10),
        np.zeros(2),
    ):
        same(ps.histogram(x, name), np.histogram(x, name))
        np.testing.assert_array_equal(np.asarray(ps.histogram_bin_edges(x, name)), np.histogram_bin_edges(x, name))
    x = rng.normal(size=1000)
    same(ps.histogram(x, name, (0, 2)), np.histogram(x, name, (0, 2)))


def test_weights_and_densities() -> None:
    rng = np.random.default_rng(2)
    x = rng.normal(size=(50, 20))
    for dtype in ("int32", "float32", "float64", "complex64", "complex128"):
        w = (rng.normal(size=x.shape) * 5).astype(dtype)
        close = 1e-4 if dtype in ("float32", "complex64") else 1e-12
        for options in ({}, {"bins": 4, "range": (-1, 1)}, {"bins": [-2.0, 0.5, 0.6, 2]}):
            same(ps.histogram(x, weights=w, **options), np.histogram(x, weights=w, **options), close)
    for options in ({}, {"bins": [-2.0, 0.5, 0.6, 2]}, {"weights": np.abs(x)}):
        same(ps.histogram(x, density=True, **options), np.histogram(x, density=True, **options), 1e-13)


def test_a_file_larger_than_the_budget(tmp_path: Path) -> None:
    x = np.random.default_rng(3).normal(size=1_000_000)
    np.save(tmp_path / "x.npy", x)
    with budget_left(4 << 20):
        same(ps.histogram(ps.open(tmp_path / "x.npy"), 30), np.histogram(x, 30))
        counts = np.asarray(ps.bincount(ps.astype(ps.abs(ps.open(tmp_path / "x.npy")) * 10, ps.int32)))
    np.testing.assert_array_equal(counts, np.bincount((np.abs(x) * 10).astype("int32")))


@pytest.mark.parametrize("dtype", ["bool", *INTEGERS])
def test_bincount(dtype: str) -> None:
    x = np.random.default_rng(4).integers(0, 100, 1000).astype(dtype)
    numpys = x.astype("int64")
    for minlength in (0, 7, 200, 5000):
        got = ps.bincount(x, minlength=minlength)
        assert got.dtype == ps.int64
        np.testing.assert_array_equal(np.asarray(got), np.bincount(numpys, minlength=minlength))
        w = np.random.default_rng(5).normal(size=1000)
        got = ps.bincount(x, w, minlength)
        np.testing.assert_array_equal(np.asarray(got), np.bincount(numpys, w, minlength))
    np.testing.assert_array_equal(np.asarray(ps.bincount([7000, 1])), np.bincount([7000, 1]))
    assert ps.bincount([]).shape == (0,)
    np.testing.assert_array_equal(np.asarray(ps.bincount([], minlength=3)), [0, 0, 0])
    np.testing.assert_array_equal(np.asarray(ps.bincount([1, 1], [1, 2])), [0, 3])


def test_digitize() -> None:
    x = np.array([0.2, 6.4, 3.0, 1.6, np.inf, -1])
    for bins in ([0.0, 1.0, 2.5, 4.0, 10.0], [10, 4, 2.5, 1, 0], [3.0], []):
        for right in (False, True):
            np.testing.assert_array_equal(np.asarray(ps.digitize(x, bins, right)), np.digitize(x, bins, right))


@pytest.mark.parametrize(
    ("call", "error", "says"),
    [
        (lambda: ps.histogram([1.0], 0), ValueError, "at least 1 bin"),
        (lambda: ps.histogram([1.0], 2.5), TypeError, "2.5"),
        (lambda: ps.histogram([1.0], "stone age"), ValueError, "'stone age'"),
        (lambda: ps.histogram([1.0], [2, 1]), ValueError, "ascend"),
        (lambda: ps.histogram([1.0], [2]), ValueError, "2 edges"),
        (lambda: ps.histogram([1.0], range=(2, 1)), ValueError, "not ascending"),
        (lambda: ps.histogram([1.0], range=(0, np.inf)), ValueError, "finite"),
        (lambda: ps.histogram([1.0, np.nan]), ValueError, "nan"),
        (lambda: ps.histogram([1j]), TypeError, "complex128"),
        (lambda: ps.histogram([1.0], weights=[1, 2]), ValueError, "do not fit"),
        (lambda: ps.histogram([1.0], "auto", weights=[1]), TypeError, "weighted"),
        (lambda: ps.bincount([1.5]), TypeError, "float64"),
        (lambda: ps.bincount([-1]), ValueError, "-1"),
        (lambda: ps.bincount([[1]]), ValueError, "vector"),
        (lambda: ps.bincount([1], [1.0, 2]), ValueError, "do not fit"),
        (lambda: ps.bincount([1], minlength=-1), ValueError, "-1"),
        (lambda: ps.digitize([1], [1, 3, 2]), ValueError, "ascends or descends"),
    ],
)
def test_what_is_refused(call: Any, error: type[Exception], says: str) -> None:
    with pytest.raises(error, match=says):
        call()


@pytest.mark.parametrize("dtype", ["int64", "uint8", "float32"])
@pytest.mark.parametrize("right", [False, True])
def test_digitize_at_the_borders(right: bool, dtype: str) -> None:
    x = np.array([0, 1, 1, 2, 3, 5], dtype)
    for bins in ([1, 2, 3], [3, 2, 1], [2, 2, 2], [3, 1, 1]):
        edges = np.array(bins, dtype)
        got = np.asarray(ps.digitize(x, edges, right))
        np.testing.assert_array_equal(got, np.digitize(x, edges, right), err_msg=str(bins))


@pytest.mark.parametrize("given", ["a", (1,), (1, 2, 3), 3, ("a", "b")])
def test_a_range_that_is_no_pair(given: Any) -> None:
    for function in (ps.histogram, ps.histogram_bin_edges):
        with pytest.raises(ps.errors.ArgumentError, match="it takes two numbers"):
            function(np.ones(3), 4, given)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ((0, np.inf), r"range \(0, inf\) is not ascending and finite"),
        ((np.nan, 1), r"range \(nan, 1\) is not ascending and finite"),
        ((0, 10**400), "range is .* is outside float64"),
        ((-(10**5000), 0), "range is .*an integer of 16610 bits.* is outside float64"),
    ],
)
def test_a_range_that_is_not_finite(given: Any, says: str) -> None:
    for function in (ps.histogram, ps.histogram_bin_edges):
        with pytest.raises(ps.errors.ArgumentError, match=says):
            function(np.ones(3), 4, given)
