# SPDX-License-Identifier: Apache-2.0
"""Convolutions against NumPy: modes, lengths, dtypes, blocks, files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sweep import COMPLEX, FLOATS, INTEGERS, Numbers, budget_left

import penstock as ps

MODES = ("full", "same", "valid")


def vector(dtype: str, n: int, seed: int) -> Numbers:
    rng = np.random.default_rng([n, seed])
    x = rng.normal(size=n) * 3
    return np.asarray((x + 1j * rng.normal(size=n)) if np.dtype(dtype).kind == "c" else np.abs(x)).astype(dtype)


@pytest.mark.parametrize("name", ["convolve", "correlate"])
@pytest.mark.parametrize("dtype", ["bool", *INTEGERS, *FLOATS, *COMPLEX])
def test_every_mode_and_length(name: str, dtype: str) -> None:
    for n, m in ((1, 1), (5, 1), (1, 5), (5, 5), (9, 4), (4, 9), (9, 5), (5, 9), (300, 40)):
        x, y = vector(dtype, n, 1), vector(dtype, m, 2)
        for mode in MODES:
            got, want = getattr(ps, name)(x, y, mode), getattr(np, name)(x, y, mode)
            assert np.asarray(got).dtype == want.dtype
            assert got.shape == want.shape
            rtol = {"f": 1e-5, "c": 1e-5}.get(want.dtype.kind, 0) if want.dtype.itemsize <= 8 else 1e-13
            np.testing.assert_allclose(np.asarray(got), want, rtol=rtol if want.dtype.kind in "fc" else 0, atol=0)


def test_default_modes_and_promotion() -> None:
    a, v = np.arange(5), np.array([0.5, 1])
    np.testing.assert_array_equal(np.asarray(ps.convolve(a, v)), np.convolve(a, v))
    np.testing.assert_array_equal(np.asarray(ps.correlate(a, v)), np.correlate(a, v))
    np.testing.assert_array_equal(np.asarray(ps.convolve(2, v)), np.convolve(2, v))


@pytest.mark.parametrize("dtype", [*FLOATS, *COMPLEX])
def test_long_kernels_go_by_transforms(dtype: str) -> None:
    x, y = vector(dtype, 100_000, 1), vector(dtype, 700, 2)
    single = dtype in ("float32", "complex64")
    wide = np.complex128 if np.dtype(dtype).kind == "c" else np.float64
    for mode in MODES:
        want = np.convolve(x.astype(wide), y.astype(wide), mode)
        np.testing.assert_allclose(
            np.asarray(ps.convolve(x, y, mode)), want, rtol=1e-6 if single else 1e-11, atol=1e-11
        )


def test_nan_stays_where_it_belongs() -> None:
    x, y = np.ones(50_000), np.ones(600)
    x[20_000] = np.nan
    got = np.asarray(ps.convolve(x, y))
    np.testing.assert_array_equal(np.flatnonzero(np.isnan(got)), np.arange(20_000, 20_600))


def test_any_budget_gives_the_same_bits(tmp_path: Path) -> None:
    x = vector("float32", 1_000_000, 1)
    np.save(tmp_path / "x.npy", x)
    for m in (31, 1000):
        y = vector("float32", m, 2)
        want = np.asarray(ps.convolve(x, y, "same"))
        with budget_left(6 << 20):
            ps.save(ps.convolve(ps.open(tmp_path / "x.npy"), y, "same"), tmp_path / "y.npy")
        np.testing.assert_array_equal(np.load(tmp_path / "y.npy"), want)


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: ps.convolve([1.0], [1.0], "half"), "'half'.*'same'"),
        (lambda: ps.convolve([], [1.0]), "nothing"),
        (lambda: ps.convolve([[1.0]], [1.0]), r"vectors.*\(1, 1\)"),
    ],
)
def test_what_is_refused(call: Any, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        call()
