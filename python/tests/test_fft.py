# SPDX-License-Identifier: Apache-2.0
"""Fourier transforms against NumPy's in double precision."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sweep import Numbers, budget_left

import penstock as ps

SHAPES = ((1,), (8,), (9,), (3, 10), (2, 5, 6))
NORMS = ("backward", "ortho", "forward")


def sample(shape: tuple[int, ...], dtype: str) -> Numbers:
    rng = np.random.default_rng(1)
    a = rng.standard_normal(shape)
    return (a + 1j * rng.standard_normal(shape)).astype(dtype) if dtype.startswith("c") else a.astype(dtype)


def assert_close(got: ps.Array, expected: Numbers, dtype: str) -> None:
    assert str(got.dtype) == dtype
    assert got.shape == expected.shape
    single = dtype in ("float32", "complex64")
    np.testing.assert_allclose(
        np.asarray(got), expected, rtol=1e-4 if single else 1e-11, atol=1e-5 if single else 1e-12
    )


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("name", ["fft", "ifft", "irfft", "hfft", "rfft", "ihfft"])
def test_one_axis(name: str, shape: tuple[int, ...], norm: str) -> None:
    real = name in ("rfft", "ihfft")
    gives_real = name in ("irfft", "hfft")
    for dtype in ("float32", "float64") if real else ("complex64", "complex128"):
        a = sample(shape, dtype)
        wide = a.astype(np.result_type(dtype, "float64"))
        result = {"float32": "complex64", "float64": "complex128"}.get(dtype, dtype)
        if gives_real:
            result = {"complex64": "float32", "complex128": "float64"}[dtype]
        for axis in range(-len(shape), len(shape)):
            for n in (None, 4, 7, 12):
                if n is None and gives_real and shape[axis] == 1:
                    continue
                got = getattr(ps.fft, name)(ps.asarray(a), n=n, axis=axis, norm=norm)
                assert_close(got, getattr(np.fft, name)(wide, n=n, axis=axis, norm=norm), result)


@pytest.mark.parametrize("name", ["fftn", "ifftn", "rfftn", "irfftn"])
@pytest.mark.parametrize("norm", NORMS)
def test_several_axes(name: str, norm: Any) -> None:
    a = sample((4, 5, 6), "float64" if name == "rfftn" else "complex128")
    choices: list[dict[str, Any]] = [{}, {"axes": (0, 2)}, {"axes": (-1, 0)}, {"s": (3, 8), "axes": (1, 2)}]
    for choice in choices:
        got = getattr(ps.fft, name)(ps.asarray(a), norm=norm, **choice)
        assert_close(
            got, getattr(np.fft, name)(a, norm=norm, **choice), "float64" if name == "irfftn" else "complex128"
        )


@pytest.mark.parametrize("n", [1, 2, 5, 8])
def test_frequencies(n: int) -> None:
    np.testing.assert_array_equal(np.asarray(ps.fft.fftfreq(n, d=0.5)), np.fft.fftfreq(n, 0.5))
    np.testing.assert_array_equal(np.asarray(ps.fft.rfftfreq(n, d=0.5)), np.fft.rfftfreq(n, 0.5))
    assert ps.fft.fftfreq(n, dtype=ps.float32).dtype == ps.float32


def test_shifts() -> None:
    a = sample((4, 5), "float64")
    for axes in (None, 0, (0, 1)):
        np.testing.assert_array_equal(np.asarray(ps.fft.fftshift(ps.asarray(a), axes=axes)), np.fft.fftshift(a, axes))
        np.testing.assert_array_equal(np.asarray(ps.fft.ifftshift(ps.asarray(a), axes=axes)), np.fft.ifftshift(a, axes))


def test_of_a_file_larger_than_the_budget(tmp_path: Path) -> None:
    a = sample((6000, 600), "float32")
    np.save(tmp_path / "a.npy", a)
    for axis in (0, 1):
        with budget_left(8 << 20):
            ps.save(ps.fft.rfft(ps.open(tmp_path / "a.npy"), axis=axis), tmp_path / "f.npy")
        got = np.load(tmp_path / "f.npy")
        np.testing.assert_allclose(got, np.fft.rfft(a.astype(np.float64), axis=axis), rtol=1e-3, atol=1e-2)


def test_complaints() -> None:
    x = ps.zeros((4,))
    with pytest.raises(ValueError, match="at least 1"):
        ps.fft.fft(x, n=0)
    with pytest.raises(ValueError, match="'sideways'"):
        ps.fft.fft(x, norm="sideways")
    with pytest.raises(IndexError, match="axis 1"):
        ps.fft.fft(x, axis=1)
    with pytest.raises(TypeError, match="complex128"):
        ps.fft.rfft(ps.asarray(np.array([1j])))
    with pytest.raises(ValueError, match="twice"):
        ps.fft.fftn(x, axes=(0, -1))
    with pytest.raises(TypeError, match="int32"):
        ps.fft.fftfreq(4, dtype=ps.int32)
    for f in (ps.fft.rfftn, ps.fft.irfftn):
        with pytest.raises(ps.errors.ArgumentError, match="needs an axis"):
            f(x, axes=())
