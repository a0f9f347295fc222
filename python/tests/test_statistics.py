# SPDX-License-Identifier: Apache-2.0
"""NumPy's statistics beyond the standard: reductions without NaN, averages, covariances, closeness."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
from sweep import COMPLEX, FLOATS, INTEGERS, Numbers, sample

import penstock as ps

REDUCTIONS = ("nansum", "nanprod", "nanmin", "nanmax", "nanmean", "nanvar", "nanstd")


def some(dtype: str, shape: tuple[int, ...] = (6, 7)) -> Numbers:
    """Moderate numbers; of floats some NaN, and a column of them."""
    rng = np.random.default_rng(3)
    x = (rng.normal(size=shape) * 3).astype(dtype)
    if np.dtype(dtype).kind == "c":
        x += (1j * rng.normal(size=shape)).astype(dtype)
    if np.dtype(dtype).kind in "fc":
        x[rng.random(shape) < 0.2] = np.nan
        x[:, 2] = np.nan
    return x


def numpys(name: str, *args: Any, **options: Any) -> Any:
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        return np.asarray(getattr(np, name)(*args, **options))


def check(got: Any, want: Numbers, rtol: float | None = None) -> None:
    got = np.asarray(got)
    assert got.dtype == want.dtype
    assert got.shape == want.shape
    single = want.dtype in (np.float32, np.complex64)
    np.testing.assert_allclose(got, want, rtol=rtol or (2e-6 if single else 1e-13), atol=1e-6 if single else 1e-13)


@pytest.mark.parametrize("name", REDUCTIONS)
@pytest.mark.parametrize("dtype", ["bool", *INTEGERS, *FLOATS, *COMPLEX])
def test_reductions_leave_nan_out(name: str, dtype: str) -> None:
    x = np.abs(some(dtype)) if dtype.startswith("u") else some(dtype)
    if name in ("nanmin", "nanmax") and np.dtype(dtype).kind == "c":
        with pytest.raises(TypeError, match="order"):
            getattr(ps, name)(x)
        return
    for axis in (None, 0, 1, (0, 1)):
        for keepdims in (False, True):
            check(getattr(ps, name)(x, axis=axis, keepdims=keepdims), numpys(name, x, axis=axis, keepdims=keepdims))


def test_options_of_reductions() -> None:
    x = some("float32")
    check(ps.nansum(x, dtype="float64"), numpys("nansum", x, dtype="float64"), 1e-6)
    check(ps.nanmean(x, axis=0, dtype="float64"), numpys("nanmean", x, axis=0, dtype="float64"), 1e-6)
    for ddof in (0, 1, 2.5, 40):
        check(ps.nanvar(x, ddof=ddof), numpys("nanvar", x, ddof=ddof))
        check(ps.nanstd(x, axis=1, correction=ddof), numpys("nanstd", x, axis=1, ddof=ddof))
    out = np.empty(7)
    assert ps.nanmax(x, axis=0, out=out) is out
    np.testing.assert_array_equal(out, numpys("nanmax", x, axis=0))


def test_cumulative_and_places() -> None:
    for dtype in ("int32", "float32", "float64", "complex128"):
        x = some(dtype)
        for axis in (None, 0, 1):
            check(ps.nancumsum(x, axis=axis), numpys("nancumsum", x, axis=axis))
            check(ps.nancumprod(x, axis=axis), numpys("nancumprod", x, axis=axis))
    x = np.delete(some("float64"), 2, axis=1)
    for name in ("nanargmin", "nanargmax"):
        for axis in (None, 0, 1):
            check(getattr(ps, name)(x, axis=axis), numpys(name, x, axis=axis))
        with pytest.raises(ValueError, match="only NaN"):
            getattr(ps, name)(some("float64"), axis=0)
    check(ps.nanargmax([3, 9, 1]), np.asarray(1))


def test_averages() -> None:
    x, w = np.arange(12.0).reshape(3, 4), np.array([1.0, 0.0, 2.0])
    for options in ({}, {"axis": 0}, {"axis": 0, "weights": w}, {"weights": x}, {"axis": 1, "weights": x}):
        check(ps.average(x, **options), numpys("average", x, **options))
        got, want = ps.average(x, returned=True, **options), np.average(x, returned=True, **options)
        for a, b in zip(got, want, strict=True):
            check(a, np.asarray(b))
    check(ps.average([1, 2, 4], keepdims=True), numpys("average", [1, 2, 4], keepdims=True))
    check(ps.ptp(x, axis=1), np.ptp(x, axis=1))
    with pytest.raises(ValueError, match="do not fit"):
        ps.average(x, weights=w)


COVARIANCES: list[dict[str, Any]] = [
    {},
    {"rowvar": False},
    {"bias": True},
    {"ddof": 0},
    {"ddof": 3},
    {"fweights": [1, 2, 0, 3, 1, 1, 2, 1]},
    {"aweights": [0.5, 1, 2, 1, 1, 1, 0, 1]},
    {"fweights": [1, 2, 0, 3, 1, 1, 2, 1], "aweights": [0.5, 1, 2, 1, 1, 1, 0, 1], "ddof": 0},
    {"fweights": [1, 2, 0, 3, 1, 1, 2, 1], "aweights": [0.5, 1, 2, 1, 1, 1, 0, 1]},
]


@pytest.mark.parametrize("options", COVARIANCES, ids=lambda options: ",".join(options) or "none")
def test_covariances(options: dict[str, Any]) -> None:
    x = np.random.default_rng(4).normal(size=(3, 8))
    y = np.random.default_rng(5).normal(size=(2, 8))
    if not options.get("rowvar", True):
        x, y = x.T, y.T
    check(ps.cov(x, **options), np.cov(x, **options))
    check(ps.cov(x, y, **options), np.cov(x, y, **options))
    z = x + 1j * x[::-1]
    check(ps.cov(z, **options), np.cov(z, **options))


def test_correlations() -> None:
    x = np.random.default_rng(4).normal(size=(3, 8))
    for dtype in ("float32", "float64", "complex128", "int32"):
        a = (x * 9).astype(dtype)
        got, want = np.asarray(ps.corrcoef(a)), np.corrcoef(a)
        np.testing.assert_allclose(got, want, rtol=1e-5 if dtype == "float32" else 1e-12, atol=1e-6)
        assert abs(got.real).max() <= 1
    check(ps.corrcoef(x, x[::-1]), np.corrcoef(x, x[::-1]))
    check(ps.corrcoef(x, rowvar=False), np.corrcoef(x, rowvar=False))
    check(ps.corrcoef([1.0, 2, 5]), np.asarray(1.0))
    check(ps.cov([1.0, 2, 5]), np.cov([1.0, 2, 5]))
    check(ps.cov([1.0, 2, 5], [3.0, 2, 1]), np.cov([1.0, 2, 5], [3.0, 2, 1]))
    check(ps.cov(x.astype("float32"), dtype="float64"), np.cov(x.astype("float32"), dtype="float64"))


def test_closeness() -> None:
    for dtype in ("bool", "int64", *FLOATS, *COMPLEX):
        a, b = sample(dtype, (9, 30), 1), sample(dtype, (9, 30), 2)
        for other in (b, a):
            for options in ({}, {"rtol": 0.1}, {"atol": 3.0, "rtol": 0}, {"equal_nan": True}):
                with np.errstate(all="ignore"):
                    np.testing.assert_array_equal(
                        np.asarray(ps.isclose(a, other, **options)), np.isclose(a, other, **options)
                    )
    assert ps.allclose([1e10, 1e-7], [1.00001e10, 1e-8]) is np.allclose([1e10, 1e-7], [1.00001e10, 1e-8])
    assert ps.allclose([1.0, np.nan], [1.0, np.nan], equal_nan=True)
    assert not ps.allclose([1.0, np.nan], [1.0, np.nan])
    assert ps.array_equal([1, 2], [1.0, 2.0])
    assert not ps.array_equal([1, 2], [1, 2, 3])
    assert ps.array_equal([1, np.nan], [1, np.nan], equal_nan=True)
    assert not ps.array_equal([1, np.nan], [1, np.nan])


@pytest.mark.parametrize(
    ("call", "error", "says"),
    [
        (lambda: ps.cov(np.ones((2, 2, 2))), ValueError, r"\(2, 2, 2\)"),
        (lambda: ps.cov([1.0, 2], fweights=[1, -1]), ValueError, "negative"),
        (lambda: ps.cov([1.0, 2], fweights=[1, 0.5]), TypeError, "whole"),
        (lambda: ps.cov([1.0, 2], aweights=[1]), ValueError, "each of 2"),
        (lambda: ps.nansum([1.0], axis=1), IndexError, "axis 1"),
    ],
)
def test_what_is_refused(call: Any, error: type[Exception], says: str) -> None:
    with pytest.raises(error, match=says):
        call()


def test_infinities_in_a_variance_without_nan() -> None:
    x = np.array([[1.0, np.inf, np.nan], [1.0, 2.0, np.nan]])
    with np.errstate(invalid="ignore"):
        for name in ("nanvar", "nanstd"):
            np.testing.assert_array_equal(np.asarray(getattr(ps, name)(x, axis=1)), getattr(np, name)(x, axis=1))


def test_weights_of_nothing() -> None:
    with pytest.raises(ps.errors.ArgumentError, match="add up to 0"):
        ps.cov(np.ones((2, 3)), aweights=np.zeros(3))
