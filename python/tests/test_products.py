# SPDX-License-Identifier: Apache-2.0
"""matmul, dot, vecdot and tensordot against NumPy."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sweep import budget_left

import penstock as ps

DTYPES = (
    "bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float32", "float64", "complex64",
    "complex128",
)  # fmt: skip


def some(shape: tuple[int, ...], dtype: str, seed: int = 0) -> np.ndarray[Any, Any]:
    """Values that fill an integer's width and are near 1 as floats."""
    random = np.random.default_rng(seed)
    if dtype == "bool":
        return random.random(shape) < 0.3
    if np.issubdtype(dtype, np.integer):
        info = np.iinfo(dtype)
        return random.integers(info.min, info.max, shape, dtype, endpoint=True)
    values = random.standard_normal(shape)
    return (values + 1j * random.standard_normal(shape) if "complex" in dtype else values).astype(dtype)


def agrees(got: ps.Array, wanted: Any) -> None:
    wanted = np.asarray(wanted)
    values = np.asarray(got)
    assert values.dtype == wanted.dtype
    assert values.shape == wanted.shape
    if wanted.dtype.kind in "biu":
        np.testing.assert_array_equal(values, wanted)
    else:
        tolerance = 2e-4 if wanted.dtype.name in ("float32", "complex64") else 1e-11
        np.testing.assert_allclose(values, wanted, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("dtype", DTYPES)
def test_matmul_of_every_dtype(dtype: str) -> None:
    a, b = some((37, 51), dtype), some((51, 100), dtype, 1)
    agrees(ps.matmul(a, b), a @ b)
    agrees(ps.asarray(a) @ b, a @ b)
    agrees(a @ ps.asarray(b), a @ b)
    agrees(ps.matmul(a, b[:, 0]), a @ b[:, 0])
    agrees(ps.matmul(b[:, 3], b), b[:, 3] @ b)


@pytest.mark.parametrize("dtype", DTYPES)
def test_dot_and_vecdot_of_every_dtype(dtype: str) -> None:
    for n in (0, 1, 100, 5000, 70001):
        a, b = some((n,), dtype), some((n,), dtype, 1)
        if dtype not in ("float32", "complex64") or n < 5000:
            agrees(ps.dot(a, b), np.dot(a, b))
            agrees(ps.vecdot(a, b), np.vecdot(a, b))
        else:
            wide = "complex128" if dtype == "complex64" else "float64"
            assert abs(complex(ps.dot(a, b)) - complex(np.dot(a.astype(wide), b.astype(wide)))) < 1e-2


extents = st.integers(0, 60)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(extents, extents, extents, st.sampled_from(["float64", "int16", "complex64"]), st.integers(0, 3))
def test_matmul_of_any_layout(m: int, n: int, k: int, dtype: str, layout: int) -> None:
    a = some((m, k), dtype) if layout & 1 else some((2 * k, m), dtype).T[:, ::2][:, ::-1]
    b = some((k, n), dtype) if layout & 2 else some((n, k), dtype).T
    agrees(ps.asarray(a) @ ps.asarray(b), a @ b)


@pytest.mark.parametrize(
    ("left", "right"),
    [((3,), (3,)), ((3,), (3, 4)), ((2, 3), (3,)), ((5, 2, 3), (3, 4)), ((2, 3), (5, 3, 4)), ((5, 1, 2, 3), (4, 3, 6)),
     ((5, 2, 3), (3,)), ((3,), (5, 3, 2)), ((0, 3), (3, 2)), ((2, 0), (0, 3)), ((0, 2, 3), (3, 4)),
     ((400, 8, 8), (8, 8))],
)  # fmt: skip
def test_shapes_of_matmul(left: tuple[int, ...], right: tuple[int, ...]) -> None:
    a, b = some(left, "float64"), some(right, "float64", 1)
    agrees(ps.matmul(a, b), a @ b)


def test_vecdot_conjugates_and_broadcasts() -> None:
    a, b = some((4, 1, 9), "complex128"), some((3, 9), "complex128", 1)
    agrees(ps.vecdot(a, b), np.vecdot(a, b))
    c, d = some((9, 4), "float64"), some((9, 4), "float64", 1)
    agrees(ps.vecdot(c, d, axis=-2), np.vecdot(c, d, axis=-2))
    agrees(ps.vecdot(c, d, axis=0), np.vecdot(c, d, axis=0))


def test_tensordot() -> None:
    a, b = some((3, 4, 5), "float64"), some((4, 3, 2), "float64", 1)
    agrees(ps.tensordot(a, b, axes=((1, 0), (0, 1))), np.tensordot(a, b, axes=((1, 0), (0, 1))))
    agrees(ps.tensordot(a, b.T, axes=0), np.tensordot(a, b.T, axes=0))
    c = some((4, 5, 6), "float64", 2)
    agrees(ps.tensordot(a, c), np.tensordot(a, c))
    agrees(ps.tensordot(a, b, axes=((-2,), (0,))), np.tensordot(a, b, axes=((-2,), (0,))))


def test_dot_is_numpys() -> None:
    a, b = some((3, 4, 5), "float64"), some((2, 5, 6), "float64", 1)
    agrees(ps.dot(a, b), np.dot(a, b))
    agrees(ps.dot(a, b[0, :, 0]), np.dot(a, b[0, :, 0]))
    agrees(ps.dot(a, 2.0), np.dot(a, 2.0))
    z = some((7,), "complex128")
    agrees(ps.dot(z, z), np.dot(z, z))


def test_dtypes_promote() -> None:
    a, b = some((4, 4), "int32"), some((4, 4), "float32", 1)
    agrees(ps.matmul(a % 100, b), (a % 100) @ b)
    half = b.astype("float16")
    assert (ps.asarray(half) @ half).dtype == ps.float32
    np.testing.assert_allclose(ps.asarray(half) @ half, half.astype("float32") @ half.astype("float32"), rtol=1e-5)


def test_out() -> None:
    a, b = some((30, 20), "float32"), some((20, 10), "float32", 1)
    out = np.empty((30, 10), "float32")
    assert ps.matmul(a, b, out=out) is out
    np.testing.assert_allclose(out, a @ b, rtol=1e-4, atol=1e-5)
    sparse = np.zeros((30, 20), "float32")
    ps.matmul(a, b, out=sparse[:, ::2])
    np.testing.assert_array_equal(sparse[:, ::2], out)
    square = some((16, 16), "float64")
    wanted = square @ square
    ps.matmul(square, square, out=square)
    np.testing.assert_allclose(square, wanted, rtol=1e-12)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: ps.matmul(np.ones((2, 3)), np.ones((4, 5))), ("(2, 3)", "(4, 5)")),
        (lambda: ps.matmul(np.ones(3), np.ones(4)), ("(3,)", "(4,)")),
        (lambda: ps.matmul(np.ones((2, 2, 3)), np.ones((5, 3, 4))), ("(2, 2, 3)", "(5, 3, 4)", "broadcast")),
        (lambda: ps.matmul(2.0, np.ones((2, 2))), ("matmul",)),
        (lambda: ps.vecdot(np.ones(3), np.ones(4)), ("(3,)", "(4,)")),
        (lambda: ps.tensordot(np.ones((2, 3)), np.ones((4, 5)), axes=1), ("(2, 3)", "(4, 5)")),
        (lambda: ps.tensordot(np.ones((2, 3)), np.ones((3, 2)), axes=3), ("3 axes",)),
    ],
)
def test_shapes_that_do_not_fit(call: Any, words: tuple[str, ...]) -> None:
    with pytest.raises(ps.errors.ShapeError) as caught:
        call()
    for word in words:
        assert word in str(caught.value)


def test_a_number_is_no_matrix() -> None:
    with pytest.raises(TypeError):
        ps.ones((2, 2)) @ 2.0


def test_files_larger_than_the_budget(tmp_path: Path) -> None:
    a, b = some((1200, 1500), "float32"), some((1500, 1100), "float32", 1)
    np.save(tmp_path / "a.npy", a)
    np.save(tmp_path / "b.npy", b)
    wanted = np.asarray(ps.asarray(a) @ b)
    before = ps.memory_budget()
    ps.memory_budget("8MiB")
    try:
        ps.save(ps.open(tmp_path / "a.npy") @ ps.open(tmp_path / "b.npy"), tmp_path / "c.npy")
        with pytest.raises(ps.errors.BudgetError, match=r"ps\.save"):
            ps.evaluate(ps.open(tmp_path / "a.npy") @ np.ones((1500, 4000), "float32"))
    finally:
        ps.memory_budget(before)
    np.testing.assert_array_equal(np.load(tmp_path / "c.npy"), wanted)


def test_the_same_bits_for_any_thread_count() -> None:
    a, b = some((500, 700), "float32"), some((700, 300), "float32", 1)
    x, y = some((3_000_000,), "float32"), some((3_000_000,), "float32", 1)
    found = set()
    for threads in (1, 2, 3):
        ps.threads(threads)
        try:
            found.add((np.asarray(ps.asarray(a) @ b).tobytes(), float(ps.dot(x, y))))
        finally:
            ps.threads(0)
    assert len(found) == 1


def test_lazy_and_shown_in_the_plan() -> None:
    a = ps.asarray(some((300, 300), "float32"))
    product = a @ a
    assert "lazy: matmul" in repr(product)
    assert "matmul" in str(ps.plan(product + 1))
    agrees((product + 1)[3], (np.asarray(a) @ np.asarray(a) + 1)[3])


def test_sums_of_products_stream(tmp_path: Path) -> None:
    """What leaves no axis takes no room, whatever its operands are: files, one of them turned, of twice the budget."""
    x = np.random.default_rng(0).integers(-1, 2, (3000, 2800)).astype(np.float32)
    np.save(tmp_path / "x.npy", x)
    np.save(tmp_path / "f.npy", np.asfortranarray(x))
    a, b = ps.open(tmp_path / "x.npy"), ps.open(tmp_path / "f.npy")
    expected = float((x.astype(np.float64) ** 2).sum())
    with budget_left(16 << 20):
        assert float(ps.tensordot(a, a, axes=2)) == expected
        assert float(ps.tensordot(a, b, axes=((1, 0), (1, 0)))) == expected
        product = ps.reshape(a, (1, -1)) @ ps.reshape(b, (-1, 1))
        assert product.shape == (1, 1)
        assert float(product) == expected
