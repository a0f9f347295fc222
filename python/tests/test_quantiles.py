# SPDX-License-Identifier: Apache-2.0
"""Quantiles, percentiles and medians against NumPy: methods, axes, dtypes, NaN, weights, files; and what is refused."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sweep import FLOATS, INTEGERS, Numbers, budget_left, sample

import penstock as ps

METHODS = (
    "inverted_cdf", "averaged_inverted_cdf", "closest_observation", "interpolated_inverted_cdf", "hazen", "weibull",
    "linear", "median_unbiased", "normal_unbiased", "lower", "higher", "midpoint", "nearest",
)  # fmt: skip
SHARES = (0.0, 0.1, 0.25, 0.5, 0.77, 1.0)


def values(dtype: str, shape: tuple[int, ...]) -> Numbers:
    """Numbers in no order, some of them again and again, none infinite or NaN."""
    rng = np.random.default_rng(len(dtype))
    return np.where(rng.random(shape) < 0.3, 7, rng.normal(size=shape) * 30).astype(dtype)


def check(got: ps.Array, want: Any, **close: Any) -> None:
    want = np.asarray(want)
    assert np.asarray(got).dtype == want.dtype
    assert got.shape == want.shape
    close = close or {"rtol": 4 * np.finfo(want.dtype).eps if want.dtype.kind == "f" else 0}
    np.testing.assert_allclose(np.asarray(got), want, **close)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("dtype", ["int8", "uint64", "float32", "float64"])
def test_every_method_means_numpys(method: str, dtype: str) -> None:
    for n in (1, 2, 3, 10, 41):
        x = np.abs(values(dtype, (n,))) if dtype == "uint64" else values(dtype, (n,))
        for q in SHARES:
            # NumPy finds places of float32 in float32.
            want = np.quantile(x.astype("float64"), q, method=method)
            got = ps.quantile(x, q, method=method)
            assert np.asarray(got).dtype == np.quantile(x, q, method=method).dtype
            np.testing.assert_allclose(
                np.asarray(got), want, rtol=3e-7 if dtype == "float32" else 1e-15, err_msg=str(q)
            )


def test_several_quantiles_come_first() -> None:
    x = values("float64", (5, 6, 7))
    for q in ([0.1, 0.9], [[0.2], [0.3]], [0, 1], 0.5):
        for axis in (None, 0, -1, (0, 2), (2, 0), [1]):
            for keepdims in (False, True):
                numpy_axis = tuple(axis) if isinstance(axis, list) else axis
                want = np.quantile(x, q, axis=numpy_axis, keepdims=keepdims)
                check(ps.quantile(x, q, axis=axis, keepdims=keepdims), want, rtol=1e-13)
    check(ps.percentile(x, [10, 50], axis=1), np.percentile(x, [10, 50], axis=1), rtol=1e-13)
    check(ps.percentile(x, 30, method="higher"), np.percentile(x, 30, method="higher"))


@pytest.mark.parametrize("dtype", ["bool", *INTEGERS, *FLOATS])
def test_medians(dtype: str) -> None:
    for shape in ((1,), (2,), (9,), (4, 5), (3, 5_000), (200_001,)):
        x = np.abs(values(dtype, shape)) if dtype.startswith("u") else values(dtype, shape)
        check(ps.median(x), np.median(x))
        check(ps.median(x, axis=-1, keepdims=True), np.median(x, axis=-1, keepdims=True))
        check(ps.median(x.T, axis=0), np.median(x.T, axis=0))


def test_special_values() -> None:
    for dtype in FLOATS:
        x = sample(dtype, (4, 60))
        x[0] = np.where(np.isnan(x[0]), 1, x[0])
        with np.errstate(all="ignore"):
            check(ps.quantile(x, 0.4, axis=1, method="lower"), np.quantile(x, 0.4, axis=1, method="lower"))
            check(ps.median(x, axis=1), np.median(x, axis=1))
    # Between equal infinities there is nothing; NumPy subtracts them.
    assert float(ps.quantile([np.inf, np.inf, 1.0], 0.75)) == np.inf
    assert np.isnan(float(ps.median([1.0, np.nan, 2.0])))
    assert np.isnan(float(ps.median(np.empty(0))))


def test_out_takes_the_result() -> None:
    x, out = values("float64", (6, 7)), np.empty(7)
    assert ps.quantile(x, 0.3, axis=0, out=out) is out
    np.testing.assert_allclose(out, np.quantile(x, 0.3, axis=0), rtol=1e-14)
    assert ps.median(x, axis=0, out=out) is out
    np.testing.assert_allclose(out, np.median(x, axis=0), rtol=1e-14)


def test_more_ranks_than_are_counted() -> None:
    x = values("float32", (3, 900))
    q = np.linspace(0, 1, 300)
    check(ps.quantile(x, q, axis=1), np.quantile(x, q, axis=1), rtol=1e-6)
    x[1, 5] = np.nan
    np.testing.assert_array_equal(np.isnan(np.asarray(ps.quantile(x, q, axis=1))), np.isnan(np.quantile(x, q, axis=1)))


def test_nan_left_out() -> None:
    x = values("float64", (6, 40))
    x[0, :7] = x[1, 3] = x[2, :] = np.nan
    # NumPy warns of what is all NaN.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for method in ("linear", "lower", "hazen", "inverted_cdf"):
            for q in (0.25, [0.0, 0.6, 1.0]):
                want = np.nanquantile(x, q, axis=1, method=method)
                check(ps.nanquantile(x, q, axis=1, method=method), want, rtol=1e-13)
                check(ps.nanquantile(x, q, method=method), np.nanquantile(x, q, method=method), rtol=1e-13)
        check(ps.nanmedian(x, axis=1, keepdims=True), np.nanmedian(x, axis=1, keepdims=True), rtol=1e-13)
    check(ps.nanmedian(x), np.nanmedian(x), rtol=1e-13)
    check(ps.nanpercentile(x[1:2], 40), np.nanpercentile(x[1:2], 40), rtol=1e-13)
    check(ps.nanquantile([1, 2, 5], 0.3), np.nanquantile([1, 2, 5], 0.3))


def test_weights() -> None:
    x = values("float64", (5, 8))
    w = np.random.default_rng(1).integers(0, 4, x.shape).astype(float)
    w[:, 0] = 1
    for q in (0.0, [0.2, 0.5, 1.0]):
        want = np.quantile(x, q, axis=1, method="inverted_cdf", weights=w)
        check(ps.quantile(x, q, axis=1, method="inverted_cdf", weights=w), want)
        check(ps.quantile(x, q, method="inverted_cdf", weights=w), np.quantile(x, q, method="inverted_cdf", weights=w))
        want = np.percentile(x, np.multiply(q, 100), axis=0, method="inverted_cdf", weights=[1, 0, 2, 1, 5])
        check(ps.percentile(x, np.multiply(q, 100), axis=0, method="inverted_cdf", weights=[1, 0, 2, 1, 5]), want)
    x[0, 2] = np.nan
    want = np.nanquantile(x, 0.4, axis=1, method="inverted_cdf", weights=w)
    check(ps.nanquantile(x, 0.4, axis=1, method="inverted_cdf", weights=w), want)


def test_a_file_larger_than_the_budget(tmp_path: Path) -> None:
    x = np.random.default_rng(2).normal(size=4_000_000)
    np.save(tmp_path / "x.npy", x)
    a = ps.open(tmp_path / "x.npy")
    with budget_left(16 << 20):
        got = np.asarray(ps.quantile(a, [0.01, 0.5, 0.999]))
        middle = float(ps.median(a))
    np.testing.assert_allclose(got, np.quantile(x, [0.01, 0.5, 0.999]), rtol=1e-15)
    assert middle == np.median(x)


@pytest.mark.parametrize(
    ("call", "error", "says"),
    [
        (lambda: ps.quantile([1.0], 1.5), ValueError, r"\[0, 1\]"),
        (lambda: ps.quantile([1.0], [0.5, np.nan]), ValueError, r"\[0, 1\]"),
        (lambda: ps.percentile([1.0], -1), ValueError, r"\[0, 100\]"),
        (lambda: ps.quantile([1.0], 0.5, method="mode"), ValueError, "'mode'.*'linear'"),
        (lambda: ps.quantile([1j], 0.5), TypeError, "complex128.*order"),
        (lambda: ps.quantile([1.0], "half"), TypeError, "real numbers"),
        (lambda: ps.quantile(np.empty((0, 3)), 0.5, axis=0), ValueError, "nothing"),
        (lambda: ps.quantile(np.ones((2, 3)), 0.5, axis=2), IndexError, "axis 2"),
        (lambda: ps.quantile(np.ones((2, 3)), 0.5, axis=(0, -2)), ValueError, "twice"),
        (lambda: ps.quantile([1.0], 0.5, weights=[1.0]), ValueError, "inverted_cdf"),
        (lambda: ps.quantile([1.0], 0.5, method="inverted_cdf", weights=[1.0, 2]), ValueError, "do not fit"),
        (lambda: ps.quantile([1.0], 0.5, method="inverted_cdf", weights=[-1.0]), ValueError, "negative"),
    ],
)
def test_what_is_refused(call: Any, error: type[Exception], says: str) -> None:
    with pytest.raises(error, match=says):
        call()


@pytest.mark.parametrize("dtype", ["float32", "float64", "int8"])
def test_the_median_of_nothing_has_its_dtype(dtype: str) -> None:
    for name in ("median", "nanmedian"):
        got = getattr(ps, name)(np.zeros((2, 0), dtype), axis=1)
        assert got.dtype == (ps.float64 if dtype == "int8" else dtype)
        assert np.isnan(np.asarray(got)).all()
