# SPDX-License-Identifier: Apache-2.0
"""NumPy's functions without a counterpart of their name, called on arrays: NumPy's values, shapes and dtypes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import penstock as ps
from penstock import _numpy_besides, _numpy_functions

RNG = np.random.default_rng(3)
X = RNG.normal(size=(3, 4))
V = np.array([3.0, 1.0, 2.0, 2.0])
N = np.array([25, -15, 7, 0])
C = np.array([1 + 2j, -3, 0, 1j])
BAD = np.array([np.nan, np.inf, -np.inf, 1.5], np.float32)
Z = np.array([complex(np.nan, 1), complex(np.inf, np.nan), complex(2, -np.inf), 1.5], np.complex64)

CALLS: dict[str, Callable[..., Any]] = {
    "size": lambda f: f(np.size, X),
    "size-along": lambda f: f(np.size, X, 0),
    "size-along-both": lambda f: f(np.size, X[None], (0, -1)),
    "size-along-none": lambda f: f(np.size, X, ()),
    "round": lambda f: f(np.round, X, 2),
    "round-hundreds": lambda f: f(np.around, X * 1000, -2),
    "round-integers": lambda f: f(np.round, N, -1),
    "round-integers-to-decimals": lambda f: f(np.round, N, 2),
    "round-beyond-floats": lambda f: f(np.round, X, 400),
    "round-complex-beyond-floats": lambda f: f(np.round, C, -309),
    "round-float32-beyond-floats": lambda f: f(np.round, BAD, -400),
    "round-at-the-limit": lambda f: f(np.round, X, -308),
    "round-integers-beyond-floats": lambda f: f(np.round, N, 400),
    "nan_to_num": lambda f: f(np.nan_to_num, BAD),
    "nan_to_num-by": lambda f: f(np.nan_to_num, BAD, nan=7, posinf=8, neginf=9),
    "nan_to_num-complex": lambda f: f(np.nan_to_num, Z),
    "nan_to_num-complex-by": lambda f: f(np.nan_to_num, Z[:, None], nan=np.inf, posinf=np.inf, neginf=-7),
    "nan_to_num-integers": lambda f: f(np.nan_to_num, N),
    "argwhere": lambda f: f(np.argwhere, X > 0),
    "argwhere-without-axes": lambda f: f(np.argwhere, np.array(3)),
    "argwhere-of-zero": lambda f: f(np.argwhere, np.array(0.0)),
    "flatnonzero": lambda f: f(np.flatnonzero, X > 0),
    "compress": lambda f: f(np.compress, V > 1, X, axis=1),
    "compress-flat": lambda f: f(np.compress, V > 1, X),
    "extract": lambda f: f(np.extract, X > 0, X),
    "diag": lambda f: f(np.diag, X, 1),
    "diag-of-vector": lambda f: f(np.diag, N),
    "diag-above": lambda f: f(np.diag, C, 2),
    "diag-below": lambda f: f(np.diag, V > 1, -1),
    "inner": lambda f: f(np.inner, X, V),
    "inner-of-matrices": lambda f: f(np.inner, X, X),
    "vdot": lambda f: f(np.vdot, C, C),
    "append": lambda f: f(np.append, X, V),
    "append-along": lambda f: f(np.append, X, X, axis=1),
    "split": lambda f: f(np.split, X, 2, axis=1),
    "split-at": lambda f: f(np.split, V, [1, 3, 9]),
    "array_split": lambda f: f(np.array_split, V, 3),
    "array_split-many": lambda f: f(np.array_split, V, 6),
    "flipud": lambda f: f(np.flipud, X),
    "fliplr": lambda f: f(np.fliplr, X),
    "rot90": lambda f: f(np.rot90, X),
    "rot180": lambda f: f(np.rot90, X, 2),
    "rot270": lambda f: f(np.rot90, X[None], -1, (1, 2)),
    "rot90-backwards": lambda f: f(np.rot90, X[None], 1, [-1, -2]),
    "imag-of-real": lambda f: f(np.imag, X),
    "isreal": lambda f: f(np.isreal, C),
    "isreal-of-real": lambda f: f(np.isreal, X),
    "isreal-of-bool": lambda f: f(np.isreal, V > 1),
    "iscomplex": lambda f: f(np.iscomplex, C),
    "angle": lambda f: f(np.angle, C),
    "angle-in-degrees": lambda f: f(np.angle, X, deg=True),
    "atleast_3d": lambda f: f(np.atleast_3d, X),
    "atleast_3d-of-vector": lambda f: f(np.atleast_3d, V),
    "dstack": lambda f: f(np.dstack, [X, X]),
    "trapezoid": lambda f: f(np.trapezoid, X),
    "trapezoid-over": lambda f: f(np.trapezoid, X, V, axis=1),
    "trapezoid-over-a-matrix": lambda f: f(np.trapezoid, X * [[[1]], [[2]]], X),
    "trapezoid-over-rows": lambda f: f(np.trapezoid, X * [[[1]], [[2]]], X, axis=-2),
    "trapezoid-of-integers": lambda f: f(np.trapezoid, N, dx=0.5),
    "interp": lambda f: f(np.interp, X, [0.0, 1.0, 2.0], [5.0, 6.0, 4.0], left=-1),
    "ediff1d": lambda f: f(np.ediff1d, X),
    "ediff1d-between": lambda f: f(np.ediff1d, V, to_end=[8, 9], to_begin=7),
    "ediff1d-before": lambda f: f(np.ediff1d, V, to_end=5),
    "ediff1d-narrower": lambda f: f(np.ediff1d, BAD, to_end=np.array([2.5, 3])),
    "union1d": lambda f: f(np.union1d, V, N),
    "intersect1d": lambda f: f(np.intersect1d, V, [1, 2, 9]),
    "setdiff1d": lambda f: f(np.setdiff1d, N, [7]),
    "array_equiv": lambda f: f(np.array_equiv, X, X[:1]),
    "array_equiv-not": lambda f: f(np.array_equiv, X, X.T),
    "amax": lambda f: f(np.amax, X, axis=0, keepdims=True),
    "amin": lambda f: f(np.amin, X),
    "singular-values": lambda f: f(np.linalg.svd, X, compute_uv=False),
    "fft2": lambda f: f(np.fft.fft2, X),
    "ifft2": lambda f: f(np.fft.ifft2, X, s=(2, 2)),
    "irfft2": lambda f: f(np.fft.irfft2, C[None] + X, norm="ortho"),
}


def as_arrays(value: Any) -> Any:
    return [ps.asarray(each) for each in value] if isinstance(value, list) else ps.asarray(value)


def same(got: Any, expected: Any) -> None:
    if isinstance(expected, list | tuple):
        for one, other in zip(got, expected, strict=True):
            same(one, other)
    elif isinstance(expected, bool | int):
        assert got == expected
    else:
        assert isinstance(got, ps.Array)
        assert (got.shape, str(got.dtype)) == (np.shape(expected), np.asarray(expected).dtype.name)
        np.testing.assert_allclose(np.asarray(got), expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS.keys())
def test_as_numpys(call: Callable[..., Any]) -> None:
    got = call(lambda f, x, *rest, **options: f(as_arrays(x), *rest, **options))
    with np.errstate(all="ignore"):
        same(got, call(lambda f, x, *rest, **options: f(x, *rest, **options)))


def test_all_of_them_are_found() -> None:
    table = _numpy_functions._table()
    for name in _numpy_besides.__all__:
        assert table[getattr(np, name)] is getattr(_numpy_besides, name)
    assert np.array_repr(ps.asarray(V)) == repr(ps.asarray(V))
    assert np.array_str(ps.asarray(V)) == str(ps.asarray(V))


def test_copyto() -> None:
    target = np.zeros(4)
    np.copyto(target, ps.asarray(V))
    np.testing.assert_array_equal(target, V)
    np.copyto(target, ps.asarray(V) * 2, where=V > 1)
    np.testing.assert_array_equal(target, np.where(V > 1, V * 2, V))
    with pytest.raises(TypeError, match="casting"):
        np.copyto(np.zeros(4, int), ps.asarray(V))


def test_they_stay_lazy() -> None:
    x = ps.zeros((1 << 11, 1 << 10)) + 1
    for result in (np.round(x, 2), np.nan_to_num(x), np.rot90(x), np.interp(x, [0, 1], [2.0, 3.0]), np.fliplr(x)):
        assert not result.evaluated
    assert float(np.interp(x, [0, 1], [2.0, 3.0])[5, 5]) == 3


def test_refused() -> None:
    x = ps.asarray(V)
    with pytest.raises(ps.errors.ArgumentError, match="no 3 equal parts"):
        np.split(x, 3)
    with pytest.raises(ps.errors.ArgumentError, match="1 part or more"):
        np.array_split(x, 0)
    with pytest.raises(ps.errors.ShapeError, match="vector or a matrix"):
        np.diag(ps.zeros((2, 2, 2)))
    with pytest.raises(ValueError, match="length"):
        np.interp(x, [0, 1], [2.0])
    for axes in ((0, 1, 0), (0,), 0):
        with pytest.raises((ps.errors.ArgumentError, ps.errors.AxisError), match=r"give two|twice"):
            np.rot90(ps.zeros((2, 2)), 0, axes)
    for axes in ((0, 0), (0, -2)):
        with pytest.raises(ps.errors.AxisError, match="name an axis twice"):
            np.rot90(ps.zeros((2, 2)), 2, axes)
        with pytest.raises(ps.errors.AxisError, match="name an axis twice"):
            np.size(ps.zeros((2, 2)), axes)
    with pytest.raises(ps.errors.AxisError, match="axes 2 is out of range"):
        np.rot90(ps.zeros((2, 2)), 4, (0, 2))


@pytest.mark.parametrize("condition", [X > 0, np.array(True)])
def test_a_condition_of_compress_is_a_vector(condition: Any) -> None:
    for f in (lambda x: x, ps.asarray):
        with pytest.raises(ValueError, match=r"1-d array|is a vector; got shape"):
            np.compress(condition, f(X))


@pytest.mark.parametrize(("x", "end"), [(N, 7.5), (N, 1j), (X, 1j), (N.astype(np.uint8), [-3])])
def test_ends_of_another_kind_are_no_differences(x: Any, end: Any) -> None:
    for f in (lambda x: x, ps.asarray):
        for given in ({"to_end": end}, {"to_begin": end}):
            with pytest.raises(TypeError, match=r"same_kind|is not put beside"):
                np.ediff1d(f(x), **given)
