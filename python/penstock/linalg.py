# SPDX-License-Identifier: Apache-2.0
"""Linear algebra: the array API's extension ``linalg``.

Products are the engine's own; decompositions are LAPACK's, by NumPy (``penstock._decompositions``).
"""

from __future__ import annotations

import builtins
import math
from typing import Any

from penstock import _core
from penstock._arguments import array, integer, integers, normal_axis, number, shown
from penstock._core import Array
from penstock._core import matmul as matmul
from penstock._core import matrix_transpose as matrix_transpose
from penstock._core import tensordot as tensordot
from penstock._core import vecdot as vecdot
from penstock._decompositions import EighResult as EighResult
from penstock._decompositions import EigResult as EigResult
from penstock._decompositions import QRResult as QRResult
from penstock._decompositions import SlogdetResult as SlogdetResult
from penstock._decompositions import SVDResult as SVDResult
from penstock._decompositions import (
    cholesky,
    det,
    eig,
    eigh,
    eigvals,
    eigvalsh,
    inv,
    matrices_of,
    matrix_rank,
    pinv,
    qr,
    slogdet,
    solve,
    svd,
    svdvals,
)
from penstock._stacks import floating

__all__ = [
    "cholesky", "cross", "det", "diagonal", "eig", "eigh", "eigvals", "eigvalsh", "inv", "matmul", "matrix_norm",
    "matrix_power", "matrix_rank", "matrix_transpose", "norm", "outer", "pinv", "qr", "slogdet", "solve", "svd",
    "svdvals", "tensordot", "trace", "vecdot", "vector_norm",
]  # fmt: skip


def matrix_power(x: Any, n: int, /) -> Array:
    """x multiplied by itself ``n`` times; of a negative ``n`` the inverse is.

    Shapes: (..., n, n); the result has that of x.
    Dtypes: any; the result has the same, of a negative n a floating one.
    Raises LinAlgError for a singular matrix and a negative n, ShapeError for what are no square matrices, DTypeError
    for an n that is no integer.
    Array API standard 2025.12: linalg, matrix_power.
    """
    x = array(x)
    if x.ndim < 2 or x.shape[-1] != x.shape[-2]:
        raise _core.errors.ShapeError(f"matrix_power needs square matrices; got shape {x.shape}")
    n = integer(n, "n")
    if n < 0:
        x, n = inv(x), -n
    if n == 0:
        return _core.broadcast_to(_core.eye(x.shape[-1], dtype=x.dtype), x.shape)
    power: Array | None = None
    while n:
        if n % 2:
            power = x if power is None else matmul(power, x)
        n //= 2
        x = matmul(x, x) if n else x
    assert power is not None
    return power


def outer(x1: Any, x2: Any, /) -> Array:
    """Products of each element of the vector x1 with each of the vector x2.

    Shapes: (m,) and (n,) give (m, n).
    Dtypes: all but bool; the result has the one that both promote to.
    Raises ShapeError for what are no vectors, DTypeError for bool and what holds no numbers.
    Array API standard 2025.12: linalg, outer.
    """
    a, b = array(x1), array(x2)
    if a.ndim != 1 or b.ndim != 1:
        raise _core.errors.ShapeError(f"outer takes two vectors; got shapes {a.shape} and {b.shape}")
    return _core.multiply(_core.expand_dims(a, 1), b)


def cross(x1: Any, x2: Any, /, *, axis: int = -1) -> Array:
    """Vector products of three-dimensional vectors along ``axis``; the other axes broadcast.

    Shapes: any of extent 3 along the axis.
    Dtypes: all but bool; the result has the one that both promote to.
    Raises ShapeError for another extent and an axis out of range, AxisError for arrays of different ranks and an axis
    counted from the front, DTypeError for bool and what holds no numbers.
    Array API standard 2025.12: linalg, cross.
    """
    a, b, axis = array(x1), array(x2), integer(axis, "axis")
    if not -min(a.ndim, b.ndim) <= axis < min(a.ndim, b.ndim) or a.shape[axis] != 3 or b.shape[axis] != 3:
        raise _core.errors.ShapeError(
            f"cross needs axis {axis} of extent 3 in both; got shapes {a.shape} and {b.shape}"
        )
    if axis >= 0 and a.ndim != b.ndim:
        raise _core.errors.AxisError("cross of arrays of different ranks needs an axis counted from the end")
    a, b = _core.moveaxis(a, axis, -1), _core.moveaxis(b, axis, -1)
    parts = [
        _core.subtract(_core.multiply(a[..., i], b[..., j]), _core.multiply(a[..., j], b[..., i]))
        for i, j in ((1, 2), (2, 0), (0, 1))
    ]
    return _core.moveaxis(_core.stack(parts, axis=-1), -1, axis)


def diagonal(x: Any, /, *, offset: int = 0) -> Array:
    """Diagonals of matrices, ``offset`` to the right of the main one; a view.

    Shapes: (..., m, n) gives (..., k), k the length of the diagonal.
    Dtypes: any; the result has that of x.
    Raises ShapeError for fewer than two axes, DTypeError for an offset that is no integer and what holds no numbers.
    Array API standard 2025.12: linalg, diagonal.
    """
    x = array(x)
    if x.ndim < 2:
        raise _core.errors.ShapeError(f"diagonal needs matrices; got shape {x.shape}")
    m, n = x.shape[-2:]
    offset = integer(offset, "offset")
    length = max(0, min(m, n - offset) if offset >= 0 else min(m + offset, n))
    if length == 0:
        return x[..., 0:0, 0] if m and n else _core.full((*x.shape[:-2], 0), 0, dtype=x.dtype)
    start = offset if offset >= 0 else -offset * n
    flat = _core.reshape(x, (*x.shape[:-2], m * n))
    return flat[..., start : start + (length - 1) * (n + 1) + 1 : n + 1]


def trace(x: Any, /, *, offset: int = 0, dtype: Any = None) -> Array:
    """Sums of the diagonals of matrices, ``offset`` to the right of the main one.

    Shapes: (..., m, n) gives (...).
    Dtypes: any; those of integers and bool have 64 bits, others that of x. ``dtype`` converts first.
    Raises ShapeError for fewer than two axes, DTypeError for an offset that is no integer, what is no dtype and what
    holds no numbers.
    Array API standard 2025.12: linalg, trace.
    """
    return _core.sum(diagonal(x, offset=offset), axis=-1, dtype=dtype)


def _greatest(size: Array, axis: int | tuple[int, ...] | None, keepdims: builtins.bool = False) -> Array:
    """The greatest of what is not negative: of nothing 0, as the sum is."""
    shape = size.shape
    over = range(size.ndim) if axis is None else integers(axis, "axis")
    empty = size.size == 0 and 0 in (shape[each] for each in over if -size.ndim <= each < size.ndim)
    return (_core.sum if empty else _core.max)(size, axis=axis, keepdims=keepdims)


def _power_sum(x: Array, order: float, axis: int | tuple[int, ...] | None, keepdims: builtins.bool) -> Array:
    total = _core.sum(_core.pow(x, order), axis=axis, keepdims=keepdims)
    return _core.pow(total, 1.0 / order)


def vector_norm(
    x: Any,
    /,
    *,
    axis: int | tuple[int, ...] | None = None,
    keepdims: builtins.bool = False,
    ord: float = 2,
) -> Array:
    """Norms of vectors along ``axis``, of all elements without one.

    ``ord``: inf (greatest absolute value), -inf (least), 0 (how many are not zero), or p: (sum |x|^p)^(1/p).

    Shapes: any; the axes go, with keepdims they stay as axes of extent 1.
    Dtypes: floats and complex ones; integers and bool count as float64; the result is real.
    Raises AxisError, ShapeError for the least of no elements, DTypeError for an ord that is no number,
    ArgumentError for one that float64 does not hold.
    Array API standard 2025.12: linalg, vector_norm.
    """
    x, ord = floating(x), number(ord, "ord")
    size = _core.abs(x)
    if ord == 2:
        squares = _core.square(size)
        return _core.sqrt(_core.sum(squares, axis=axis, keepdims=keepdims))
    if ord == math.inf:
        return _greatest(size, axis, keepdims)
    if ord == -math.inf:
        return _core.min(size, axis=axis, keepdims=keepdims)
    if ord == 0:
        return _core.astype(_core.count_nonzero(size, axis=axis, keepdims=keepdims), size.dtype)
    if ord == 1:
        return _core.sum(size, axis=axis, keepdims=keepdims)
    return _power_sum(size, ord, axis, keepdims)


def matrix_norm(x: Any, /, *, keepdims: builtins.bool = False, ord: float | str | None = "fro") -> Array:
    """Norms of matrices.

    ``ord``: "fro" (root of the sum of squares), "nuc" (sum of singular values), 1 and inf (greatest sum of a column, of
    a row), 2 (greatest singular value), and -1, -inf, -2 with the least instead.

    Shapes: (..., m, n) gives (...), with keepdims (..., 1, 1).
    Dtypes: floats and complex ones; integers and bool count as float64; the result is real.
    Raises ShapeError for fewer than two axes and the least of no elements, ArgumentError for another ord,
    LinAlgError for no convergence, DTypeError for what holds no numbers.
    Array API standard 2025.12: linalg, matrix_norm.
    """
    x = matrices_of("matrix_norm", x)
    if ord in ("fro", None):
        return vector_norm(x, axis=(-2, -1), keepdims=keepdims)
    if ord in (1, -1, math.inf, -math.inf):
        axis = -2 if abs(ord) == 1 else -1
        sums = _core.sum(_core.abs(x), axis=axis, keepdims=True)
        norm = _greatest(sums, (-2, -1), True) if ord > 0 else _core.min(sums, axis=(-2, -1), keepdims=True)
    elif ord in ("nuc", 2, -2):
        s = svdvals(x)
        over: Any = {"nuc": _core.sum, 2: _greatest, -2: _core.min}[ord]
        norm = _core.expand_dims(over(s, axis=-1), (-2, -1))
    else:
        raise _core.errors.ArgumentError(f"ord is {shown(ord)}; use 'fro', 'nuc', 1, -1, 2, -2, inf or -inf")
    return norm if keepdims else _core.squeeze(norm, (-2, -1))


def norm(
    x: Any,
    /,
    ord: float | str | None = None,
    axis: int | tuple[int, ...] | None = None,
    keepdims: builtins.bool = False,
) -> Array:
    """Norms of vectors along one axis, of matrices in two; without ``axis`` of the whole vector or matrix.

    ``ord`` as in vector_norm() and matrix_norm(); None is the root of the sum of squares, of any number of axes.

    Shapes: any; the axes go, with keepdims they stay as axes of extent 1.
    Dtypes: floats and complex ones; integers and bool count as float64; the result is real.
    Raises ShapeError for an ord without an axis where x is neither vector nor matrix, ArgumentError for three axes and
    another ord, AxisError, DTypeError for an axis that is no integer.
    Beyond the standard: NumPy's norm.
    """
    x = array(x)
    if axis is None:
        if ord is None:
            return vector_norm(x, keepdims=keepdims)
        if x.ndim not in (1, 2):
            raise _core.errors.ShapeError(f"norm with ord={shown(ord)} of shape {x.shape} needs axis: one, or a pair")
        axis = tuple(range(x.ndim))
    axes = (axis,) if isinstance(axis, int) else tuple(axis)
    if len(axes) == 1:
        if isinstance(ord, str):
            raise _core.errors.ArgumentError(f"ord {shown(ord)} is of matrices; a vector's is a number or None")
        return vector_norm(x, axis=axes[0], keepdims=keepdims, ord=2 if ord is None else ord)
    if len(axes) != 2:
        raise _core.errors.ArgumentError(f"norm is of one axis or two; got axis={shown(axis)}")
    result = matrix_norm(_core.moveaxis(x, axes, (-2, -1)), ord=ord)
    return _core.expand_dims(result, tuple(sorted(normal_axis(a, x.ndim) for a in axes))) if keepdims else result
