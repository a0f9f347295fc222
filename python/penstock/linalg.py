# SPDX-License-Identifier: Apache-2.0
"""Linear algebra: the array API's extension ``linalg``.

Products are the engine's own; decompositions are LAPACK's, by NumPy. Stacks of matrices are worked through as many at
once as fit into the memory budget. Integers and bool are taken as float64. What LAPACK cannot do (a singular matrix, no
convergence) raises ``numpy.linalg.LinAlgError``: at the call where the result fits into the budget, else when it is
looked at.
"""

from __future__ import annotations

import builtins
import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from penstock import _core
from penstock._arguments import array, integer, normal_axis, number, one_of
from penstock._core import Array, DType
from penstock._core import matmul as matmul
from penstock._core import matrix_transpose as matrix_transpose
from penstock._core import tensordot as tensordot
from penstock._core import vecdot as vecdot
from penstock._shapes import broadcast_shapes
from penstock._stacks import complex_of, floating, is_complex, of_matrices, real_of

__all__ = [
    "cholesky", "cross", "det", "diagonal", "eig", "eigh", "eigvals", "eigvalsh", "inv", "matmul", "matrix_norm",
    "matrix_power", "matrix_rank", "matrix_transpose", "norm", "outer", "pinv", "qr", "slogdet", "solve", "svd",
    "svdvals", "tensordot", "trace", "vecdot", "vector_norm",
]  # fmt: skip


class EigResult(NamedTuple):
    """Eigenvalues (..., n) and eigenvectors (..., n, n), in columns."""

    eigenvalues: Array
    eigenvectors: Array


class EighResult(NamedTuple):
    """Ascending eigenvalues (..., n) and eigenvectors (..., n, n), in columns."""

    eigenvalues: Array
    eigenvectors: Array


class QRResult(NamedTuple):
    """Q with orthonormal columns and the upper triangular R."""

    Q: Array
    R: Array


class SlogdetResult(NamedTuple):
    """Sign and logarithm of the absolute value of determinants."""

    sign: Array
    logabsdet: Array


class SVDResult(NamedTuple):
    """U, the singular values S, descending, and the conjugate transpose of V."""

    U: Array
    S: Array
    Vh: Array


def _lapack() -> Any:
    import numpy.linalg

    return numpy.linalg


def _matrices(name: str, x: Any) -> Array:
    matrices = floating(x)
    if matrices.ndim < 2:
        raise _core.errors.ShapeError(f"{name} needs matrices; got shape {matrices.shape}")
    return matrices


def _square(name: str, x: Any) -> Array:
    matrices = _matrices(name, x)
    if matrices.shape[-1] != matrices.shape[-2]:
        raise _core.errors.ShapeError(f"{name} needs square matrices; got shape {matrices.shape}")
    return matrices


def _decomposed(
    name: str, f: Callable[..., Sequence[Any]], inputs: Sequence[Array], parts: Sequence[tuple[int, ...]], dtype: DType
) -> tuple[Array, ...]:
    """The parts, evaluated where they fit: what LAPACK complains of is known at the call."""
    results = of_matrices(name, f, inputs, parts, dtype)
    try:
        return _core.evaluate(*results)
    except _core.errors.BudgetError:
        return results


def _real(x: Array) -> Array:
    return _core.real(x) if is_complex(x) else x


def cholesky(x: Any, /, *, upper: builtins.bool = False) -> Array:
    """Triangular L (with ``upper`` U) with L L^H = x (U^H U = x) of Hermitian positive definite matrices; the lower
    triangle is read.

    Shapes: (..., n, n); the result has that of x.
    Dtypes: floats and complex ones; integers and bool count as float64; the result has the same.
    Raises LinAlgError for a matrix that is not positive definite, ShapeError for what are no square matrices,
    DTypeError for what holds no numbers.
    Array API standard 2025.12: linalg, cholesky.
    """
    x = _square("cholesky", x)

    def f(a: Any) -> Sequence[Any]:
        lower = _lapack().cholesky(a)
        return [lower.swapaxes(-1, -2).conj() if upper else lower]

    return _decomposed("cholesky", f, [x], [x.shape[-2:]], x.dtype)[0]


def det(x: Any, /) -> Array:
    """Determinants of square matrices.

    Shapes: (..., n, n) gives (...).
    Dtypes: floats and complex ones; integers and bool count as float64; the result has the same.
    Raises ShapeError for what are no square matrices, DTypeError for what holds no numbers.
    Array API standard 2025.12: linalg, det.
    """
    x = _square("det", x)
    return _decomposed("det", lambda a: [_lapack().det(a)], [x], [()], x.dtype)[0]


def slogdet(x: Any, /) -> SlogdetResult:
    """Sign and logarithm of the absolute value of determinants, which do not overflow.

    Shapes: (..., n, n) gives (...) twice.
    Dtypes: floats and complex ones; integers and bool count as float64. The sign has the same, the logarithm the real
    one.
    Raises ShapeError for what are no square matrices, DTypeError for what holds no numbers.
    Array API standard 2025.12: linalg, slogdet.
    """
    x = _square("slogdet", x)
    sign, logarithm = _decomposed("slogdet", lambda a: _lapack().slogdet(a), [x], [(), ()], x.dtype)
    return SlogdetResult(sign, _real(logarithm))


def inv(x: Any, /) -> Array:
    """Inverses of square matrices.

    Shapes: (..., n, n); the result has that of x.
    Dtypes: floats and complex ones; integers and bool count as float64; the result has the same.
    Raises LinAlgError for a singular matrix, ShapeError for what are no square matrices, DTypeError for what holds no
    numbers.
    Array API standard 2025.12: linalg, inv.
    """
    x = _square("inv", x)
    return _decomposed("inv", lambda a: [_lapack().inv(a)], [x], [x.shape[-2:]], x.dtype)[0]


def _broadcast(a: Array, b: Array) -> tuple[Array, Array]:
    """Stacks of matrices with the axes before the last two broadcast, of one dtype."""
    dtype = _core.promote_types(a.dtype, b.dtype)
    batch = broadcast_shapes(a.shape[:-2], b.shape[:-2])
    return (
        _core.broadcast_to(_core.astype(a, dtype), (*batch, *a.shape[-2:])),
        _core.broadcast_to(_core.astype(b, dtype), (*batch, *b.shape[-2:])),
    )


def solve(x1: Any, x2: Any, /) -> Array:
    """The X of x1 X = x2. ``x2`` of one axis is a vector, otherwise matrices; stacks broadcast.

    Shapes: (..., n, n) and (..., n, k), or (n,), give (..., n, k), or (..., n).
    Dtypes: floats and complex ones; integers and bool count as float64; the result has the one that both promote to.
    Raises LinAlgError for a singular matrix, ShapeError for shapes that do not fit, DTypeError for what holds no
    numbers.
    Array API standard 2025.12: linalg, solve.
    """
    a, b = _square("solve", x1), floating(x2)
    vector = b.ndim == 1
    if b.ndim == 0 or (b.shape[0] if vector else b.shape[-2]) != a.shape[-1]:
        raise _core.errors.ShapeError(f"solve of shapes {a.shape} and {b.shape}: as many rows are needed")
    a, b = _broadcast(a, _core.expand_dims(b, 1) if vector else b)
    (x,) = _decomposed("solve", lambda m, r: [_lapack().solve(m, r)], [a, b], [b.shape[-2:]], a.dtype)
    return _core.squeeze(x, -1) if vector else x


def eig(x: Any, /) -> EigResult:
    """Eigenvalues and right eigenvectors, in columns, of square matrices, in no particular order.

    Shapes: (..., n, n) gives (..., n) and (..., n, n).
    Dtypes: floats and complex ones; integers and bool count as float64; the results are complex.
    Raises LinAlgError for NaN, infinities and no convergence, ShapeError for what are no square matrices, DTypeError
    for what holds no numbers.
    Array API standard 2025.12: linalg, eig.
    """
    x = _square("eig", x)
    n = x.shape[-1]
    return EigResult(*_decomposed("eig", lambda a: _lapack().eig(a), [x], [(n,), (n, n)], complex_of(x.dtype)))


def eigvals(x: Any, /) -> Array:
    """Eigenvalues of square matrices, in no particular order.

    Shapes: (..., n, n) gives (..., n).
    Dtypes: floats and complex ones; integers and bool count as float64; the result is complex.
    Raises LinAlgError for NaN, infinities and no convergence, ShapeError for what are no square matrices, DTypeError
    for what holds no numbers.
    Array API standard 2025.12: linalg, eigvals.
    """
    x = _square("eigvals", x)
    return _decomposed("eigvals", lambda a: [_lapack().eigvals(a)], [x], [x.shape[-1:]], complex_of(x.dtype))[0]


def eigh(x: Any, /) -> EighResult:
    """Eigenvalues, ascending, and eigenvectors, in columns, of Hermitian matrices, of which the lower triangle is read.

    Shapes: (..., n, n) gives (..., n) and (..., n, n).
    Dtypes: floats and complex ones; integers and bool count as float64. Values are real, vectors have that of x.
    Raises LinAlgError for no convergence, ShapeError for what are no square matrices, DTypeError for what holds no
    numbers.
    Array API standard 2025.12: linalg, eigh.
    """
    x = _square("eigh", x)
    n = x.shape[-1]
    values, vectors = _decomposed("eigh", lambda a: _lapack().eigh(a), [x], [(n,), (n, n)], x.dtype)
    return EighResult(_real(values), vectors)


def eigvalsh(x: Any, /) -> Array:
    """Eigenvalues of Hermitian matrices, ascending; the lower triangle is read.

    Shapes: (..., n, n) gives (..., n).
    Dtypes: floats and complex ones; integers and bool count as float64; the result is real.
    Raises LinAlgError for no convergence, ShapeError for what are no square matrices, DTypeError for what holds no
    numbers.
    Array API standard 2025.12: linalg, eigvalsh.
    """
    x = _square("eigvalsh", x)
    return _decomposed("eigvalsh", lambda a: [_lapack().eigvalsh(a)], [x], [x.shape[-1:]], real_of(x.dtype))[0]


def qr(x: Any, /, *, mode: str = "reduced") -> QRResult:
    """Q with orthonormal columns and upper triangular R with Q R = x.

    ``mode``: "reduced" (k = min(m, n)) or "complete" (k = m).

    Shapes: (..., m, n) gives (..., m, k) and (..., k, n).
    Dtypes: floats and complex ones; integers and bool count as float64; the results have the same.
    Raises ShapeError for fewer than two axes, ArgumentError for another mode, DTypeError for what holds no numbers.
    Array API standard 2025.12: linalg, qr.
    """
    x = _matrices("qr", x)
    one_of(mode, "mode", ("reduced", "complete"))
    m, n = x.shape[-2:]
    k = min(m, n) if mode == "reduced" else m
    return QRResult(*_decomposed("qr", lambda a: _lapack().qr(a, mode=mode), [x], [(m, k), (k, n)], x.dtype))


def svd(x: Any, /, *, full_matrices: builtins.bool = True) -> SVDResult:
    """U, S, Vh with U diag(S) Vh = x; S is real and descends.

    Without ``full_matrices`` k = min(m, n) columns of U and rows of Vh.

    Shapes: (..., m, n) gives (..., m, m), (..., k) and (..., n, n), or (..., m, k), (..., k) and (..., k, n).
    Dtypes: floats and complex ones; integers and bool count as float64. S is real, the others have that of x.
    Raises LinAlgError for no convergence, ShapeError for fewer than two axes, DTypeError for what holds no numbers.
    Array API standard 2025.12: linalg, svd.
    """
    x = _matrices("svd", x)
    m, n = x.shape[-2:]
    k = min(m, n)
    parts = [(m, m), (k,), (n, n)] if full_matrices else [(m, k), (k,), (k, n)]
    u, s, vh = _decomposed("svd", lambda a: _lapack().svd(a, full_matrices=full_matrices), [x], parts, x.dtype)
    return SVDResult(u, _real(s), vh)


def svdvals(x: Any, /) -> Array:
    """Singular values, descending.

    Shapes: (..., m, n) gives (..., min(m, n)).
    Dtypes: floats and complex ones; integers and bool count as float64; the result is real.
    Raises LinAlgError for no convergence, ShapeError for fewer than two axes, DTypeError for what holds no numbers.
    Array API standard 2025.12: linalg, svdvals.
    """
    x = _matrices("svdvals", x)
    k = min(x.shape[-2:])
    return _decomposed("svdvals", lambda a: [_lapack().svd(a, compute_uv=False)], [x], [(k,)], real_of(x.dtype))[0]


def _tolerance(x: Array, given: Any) -> Any:
    """Relative to the greatest singular value: max(m, n) times the dtype's resolution unless given."""
    if given is not None:
        return array(given)
    eps = 2.0**-23 if real_of(x.dtype) == _core.float32 else 2.0**-52
    return array(max(x.shape[-2:]) * eps)


def matrix_rank(x: Any, /, *, rtol: Any = None) -> Array:
    """How many singular values exceed ``rtol`` (default max(m, n) eps) times the greatest.

    Shapes: (..., m, n) gives (...); rtol is a number or (...).
    Dtypes: floats and complex ones; integers and bool count as float64; the result is int64.
    Raises LinAlgError for no convergence, ShapeError for fewer than two axes, DTypeError for what holds no numbers.
    Array API standard 2025.12: linalg, matrix_rank.
    """
    x = _matrices("matrix_rank", x)
    if 0 in x.shape[-2:]:
        return _core.full(x.shape[:-2], 0, dtype=_core.int64)
    s = svdvals(x)
    least = _core.multiply(_core.max(s, axis=-1), _tolerance(x, rtol))
    return _core.count_nonzero(_core.greater(s, _core.expand_dims(least, -1)), axis=-1)


def pinv(x: Any, /, *, rtol: Any = None) -> Array:
    """Moore-Penrose inverses: singular values up to ``rtol`` (default max(m, n) eps) times the greatest count as 0.

    Shapes: (..., m, n) gives (..., n, m); rtol is a number or (...).
    Dtypes: floats and complex ones; integers and bool count as float64; the result has the same.
    Raises LinAlgError for no convergence, ShapeError for fewer than two axes, DTypeError for what holds no numbers.
    Array API standard 2025.12: linalg, pinv.
    """
    x = _matrices("pinv", x)
    m, n = x.shape[-2:]
    if 0 in (m, n):
        return _core.full((*x.shape[:-2], n, m), 0, dtype=x.dtype)
    u, s, vh = svd(x, full_matrices=False)
    least = _core.expand_dims(_core.multiply(_core.max(s, axis=-1), _tolerance(x, rtol)), -1)
    inverse = _core.where(_core.greater(s, least), _core.reciprocal(s), _core.full((), 0, dtype=s.dtype))
    v = matrix_transpose(_core.conj(vh))
    return matmul(_core.multiply(v, _core.expand_dims(inverse, -2)), matrix_transpose(_core.conj(u)))


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
    Raises AxisError, ShapeError for the greatest or least of no elements, DTypeError for an ord that is no number,
    ArgumentError for one that float64 does not hold.
    Array API standard 2025.12: linalg, vector_norm.
    """
    x, ord = floating(x), number(ord, "ord")
    size = _core.abs(x)
    if ord == 2:
        squares = _core.square(size)
        return _core.sqrt(_core.sum(squares, axis=axis, keepdims=keepdims))
    if ord == math.inf:
        return _core.max(size, axis=axis, keepdims=keepdims)
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
    Raises ShapeError for fewer than two axes and the greatest or least of no elements, ArgumentError for another ord,
    LinAlgError for no convergence, DTypeError for what holds no numbers.
    Array API standard 2025.12: linalg, matrix_norm.
    """
    x = _matrices("matrix_norm", x)
    if ord in ("fro", None):
        return vector_norm(x, axis=(-2, -1), keepdims=keepdims)
    if ord in (1, -1, math.inf, -math.inf):
        axis = -2 if abs(ord) == 1 else -1
        sums = _core.sum(_core.abs(x), axis=axis, keepdims=True)
        extreme = _core.max if ord > 0 else _core.min
        norm = extreme(sums, axis=(-2, -1), keepdims=True)
    elif ord in ("nuc", 2, -2):
        s = svdvals(x)
        s = _core.sum(s, axis=-1) if ord == "nuc" else (_core.max if ord == 2 else _core.min)(s, axis=-1)
        norm = _core.expand_dims(s, (-2, -1))
    else:
        raise _core.errors.ArgumentError(f"ord is {ord!r}; use 'fro', 'nuc', 1, -1, 2, -2, inf or -inf")
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
            raise _core.errors.ShapeError(f"norm with ord={ord!r} of shape {x.shape} needs axis: one, or a pair")
        axis = tuple(range(x.ndim))
    axes = (axis,) if isinstance(axis, int) else tuple(axis)
    if len(axes) == 1:
        if isinstance(ord, str):
            raise _core.errors.ArgumentError(f"ord {ord!r} is of matrices; a vector's is a number or None")
        return vector_norm(x, axis=axes[0], keepdims=keepdims, ord=2 if ord is None else ord)
    if len(axes) != 2:
        raise _core.errors.ArgumentError(f"norm is of one axis or two; got axis={axis!r}")
    result = matrix_norm(_core.moveaxis(x, axes, (-2, -1)), ord=ord)
    return _core.expand_dims(result, tuple(sorted(normal_axis(a, x.ndim) for a in axes))) if keepdims else result
