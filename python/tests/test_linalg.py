# SPDX-License-Identifier: Apache-2.0
"""Linear algebra against NumPy's, or by what defines a decomposition."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
from sweep import Numbers, budget_left

import penstock as ps

FLOATING = ("float32", "float64", "complex64", "complex128")
STACKS = ((), (3,), (2, 3), (0,))


def sample(shape: tuple[int, ...], dtype: str, seed: int = 1) -> Numbers:
    rng = np.random.default_rng(seed)
    a = rng.standard_normal(shape)
    return (a + 1j * rng.standard_normal(shape)).astype(dtype) if dtype.startswith("c") else a.astype(dtype)


def hermitian(shape: tuple[int, ...], dtype: str) -> Numbers:
    a = sample(shape, dtype)
    return np.asarray(a @ a.swapaxes(-1, -2).conj() + 3 * np.eye(shape[-1], dtype=dtype))


def assert_close(got: ps.Array, expected: Any) -> None:
    expected = np.asarray(expected)
    assert str(got.dtype) == str(expected.dtype)
    assert got.shape == expected.shape
    single = expected.dtype in ("float32", "complex64")
    np.testing.assert_allclose(np.asarray(got), expected, rtol=2e-3 if single else 1e-9, atol=1e-3 if single else 1e-9)


@pytest.mark.parametrize("dtype", FLOATING)
@pytest.mark.parametrize("stack", STACKS)
def test_of_square_matrices(dtype: str, stack: tuple[int, ...]) -> None:
    a, h = sample((*stack, 4, 4), dtype), hermitian((*stack, 4, 4), dtype)
    x, s = ps.asarray(a), ps.asarray(h)
    assert_close(ps.linalg.det(x), np.linalg.det(a))
    for ours, theirs in zip(ps.linalg.slogdet(x), np.linalg.slogdet(a), strict=True):
        assert_close(ours, theirs)
    assert_close(ps.linalg.inv(x), np.linalg.inv(a))
    assert_close(ps.linalg.cholesky(s), np.linalg.cholesky(h))
    assert_close(ps.linalg.cholesky(s, upper=True), np.linalg.cholesky(h).swapaxes(-1, -2).conj())
    assert_close(ps.linalg.eigvalsh(s), np.linalg.eigvalsh(h))
    values, vectors = ps.linalg.eigh(s)
    assert_close(values, np.linalg.eigvalsh(h))
    assert_close(ps.matmul(s, vectors), np.asarray(vectors) * np.asarray(values)[..., None, :])
    values, vectors = ps.linalg.eig(x)
    complex_dtype = {"float32": "complex64", "float64": "complex128"}.get(dtype, dtype)
    assert str(values.dtype) == complex_dtype
    left = ps.matmul(ps.astype(x, ps.dtype(complex_dtype)), vectors)
    assert_close(left, np.asarray(vectors) * np.asarray(values)[..., None, :])
    assert ps.linalg.eigvals(x).shape == (*stack, 4)
    for n in (-2, 0, 1, 5):
        assert_close(ps.linalg.matrix_power(x, n), np.linalg.matrix_power(a, n))
    for b in (sample((*stack, 4, 2), dtype, 2), sample((4,), dtype, 2)):
        expected = np.linalg.solve(a, b if b.ndim > 1 else np.broadcast_to(b[:, None], (*stack, 4, 1)))
        assert_close(ps.linalg.solve(x, ps.asarray(b)), expected if b.ndim > 1 else expected[..., 0])


@pytest.mark.parametrize("dtype", FLOATING)
@pytest.mark.parametrize("stack", STACKS)
@pytest.mark.parametrize("shape", [(4, 4), (5, 3), (3, 5), (1, 1)])
def test_of_any_matrices(dtype: str, stack: tuple[int, ...], shape: tuple[int, int]) -> None:
    a = sample((*stack, *shape), dtype)
    x = ps.asarray(a)
    for mode in ("reduced", "complete"):
        q, r = ps.linalg.qr(x, mode=mode)
        assert_close(ps.matmul(q, r), a)
        assert q.shape == np.linalg.qr(a, mode=mode).Q.shape
    for full in (True, False):
        u, s, vh = ps.linalg.svd(x, full_matrices=full)
        k = min(shape)
        assert_close(ps.matmul(u[..., :k] * ps.expand_dims(s, -2), vh[..., :k, :]), a)
        assert u.shape == np.linalg.svd(a, full_matrices=full).U.shape
    assert_close(ps.linalg.svdvals(x), np.linalg.svdvals(a))
    assert_close(ps.linalg.pinv(x), np.linalg.pinv(a))
    assert ps.linalg.matrix_rank(x).tolist() == np.linalg.matrix_rank(a).tolist()
    for kind in ("fro", "nuc", 1, -1, 2, -2, np.inf, -np.inf):
        if 0 in stack:
            continue
        for keepdims in (False, True):
            assert_close(
                ps.linalg.matrix_norm(x, ord=kind, keepdims=keepdims),
                np.linalg.matrix_norm(a, ord=kind, keepdims=keepdims),
            )
    for offset in (-7, -2, -1, 0, 1, 2, 7):
        np.testing.assert_array_equal(
            np.asarray(ps.linalg.diagonal(x, offset=offset)), np.linalg.diagonal(a, offset=offset)
        )
        assert_close(ps.linalg.trace(x, offset=offset), np.linalg.trace(a, offset=offset))


@pytest.mark.parametrize("dtype", FLOATING)
def test_of_vectors(dtype: str) -> None:
    a, b = sample((5, 3), dtype), sample((5, 3), dtype, 2)
    x, y = ps.asarray(a), ps.asarray(b)
    assert_close(ps.linalg.cross(x, y), np.linalg.cross(a, b))
    assert_close(ps.linalg.cross(x.T, y.T, axis=0), np.linalg.cross(a.T, b.T, axis=0))
    assert_close(ps.linalg.outer(x[0], y[:, 0]), np.outer(a[0], b[:, 0]))
    for kind in (1, 2, 3, 0.5, 0, -1, np.inf, -np.inf):
        for axis in (None, 0, (0, 1)):
            for keepdims in (False, True):
                assert_close(
                    ps.linalg.vector_norm(x, ord=kind, axis=axis, keepdims=keepdims),
                    np.linalg.vector_norm(a, ord=kind, axis=axis, keepdims=keepdims),
                )


def test_ranks_that_are_not_full() -> None:
    a = np.outer(np.arange(1.0, 5), np.arange(1.0, 4))
    assert ps.linalg.matrix_rank(ps.asarray(a)).tolist() == 1
    assert ps.linalg.matrix_rank(ps.asarray(np.diag([1.0, 1e-3])), rtol=1e-2).tolist() == 1
    assert_close(ps.linalg.pinv(ps.asarray(a)), np.linalg.pinv(a))
    assert ps.linalg.matrix_rank(ps.zeros((3, 0))).tolist() == 0


def test_integers_are_taken_as_float64() -> None:
    a = np.array([[2, 1], [1, 3]])
    assert_close(ps.linalg.inv(ps.asarray(a)), np.linalg.inv(a))


def test_a_stack_larger_than_the_budget(tmp_path: Path) -> None:
    a = hermitian((20_000, 8, 8), "float64")
    np.save(tmp_path / "a.npy", a)
    with budget_left(4 << 20):
        ps.save(ps.linalg.inv(ps.open(tmp_path / "a.npy")), tmp_path / "i.npy")
    np.testing.assert_allclose(np.load(tmp_path / "i.npy"), np.linalg.inv(a))


def test_complaints() -> None:
    for name in ("det", "slogdet", "inv", "cholesky", "eig", "eigh", "eigvals", "eigvalsh"):
        with pytest.raises(ValueError, match=r"square matrices; got shape \(2, 3\)"):
            getattr(ps.linalg, name)(ps.zeros((2, 3)))
        with pytest.raises(ValueError, match="needs matrices"):
            getattr(ps.linalg, name)(ps.zeros((2,)))
    with pytest.raises(np.linalg.LinAlgError):
        ps.linalg.inv(ps.zeros((2, 2)))
    with pytest.raises(np.linalg.LinAlgError):
        ps.linalg.cholesky(ps.asarray(-np.eye(2)))
    with pytest.raises(ValueError, match=r"solve of shapes \(2, 2\) and \(3,\)"):
        ps.linalg.solve(ps.asarray(np.eye(2)), ps.zeros((3,)))
    with pytest.raises(ValueError, match="mode"):
        ps.linalg.qr(ps.zeros((2, 2)), mode="raw")
    with pytest.raises(ValueError, match="ord"):
        ps.linalg.matrix_norm(ps.zeros((2, 2)), ord=3)
    with pytest.raises(ValueError, match="extent 3"):
        ps.linalg.cross(ps.zeros((2,)), ps.zeros((2,)))
    with pytest.raises(ValueError, match="two vectors"):
        ps.linalg.outer(ps.zeros((2, 2)), ps.zeros((2,)))


@pytest.mark.parametrize("shape", [(0, 0), (3, 0), (0, 3), (2, 0, 3)])
def test_norms_of_nothing_are_zero(shape: tuple[int, ...]) -> None:
    x = np.zeros(shape, np.float32)
    for order in (1, 2, np.inf, "nuc", "fro"):
        got = np.asarray(ps.linalg.matrix_norm(x, ord=order))
        np.testing.assert_array_equal(got, np.zeros(shape[:-2], np.float32))
        assert got.dtype == np.float32
    for order in (0, 1, 2, np.inf):
        assert float(ps.linalg.vector_norm(x, ord=order)) == 0
    with pytest.raises(ps.errors.ShapeError, match="no elements"):
        ps.linalg.vector_norm(x, ord=-np.inf)


def test_axes_of_norms_of_nothing_are_any_integers() -> None:
    axes: list[Any] = [np.int64(0), np.int8(-2), ps.asarray(0), [0]]
    for axis in axes:
        for order in (np.inf, 2):
            found = ps.linalg.vector_norm(ps.zeros((0, 3)), ord=order, axis=axis)
            assert found.tolist() == [0, 0, 0]
    with pytest.raises(ps.errors.DTypeError, match="axis is 'a'; it takes an integer"):
        ps.linalg.vector_norm(ps.zeros((0, 3)), ord=np.inf, axis=cast("Any", "a"))
