# SPDX-License-Identifier: Apache-2.0
"""Decompositions of matrices, and what is solved with them: LAPACK's, by NumPy.

Stacks of matrices are worked through as many at once as fit into the memory budget, in parts on several threads
(``penstock._matrix_threads``). Integers and bool are taken as float64. What LAPACK cannot do (a singular matrix, no
convergence) raises ``numpy.linalg.LinAlgError``: at the call where the result fits into the budget, else when it is
looked at.
"""

from __future__ import annotations

import builtins
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from penstock import _core
from penstock._arguments import array, one_of
from penstock._core import Array, DType
from penstock._shapes import broadcast_shapes
from penstock._stacks import complex_of, floating, is_complex, of_matrices, real_of

# What LAPACK takes for an element of a small matrix, in nanoseconds on one core of an Emerald Rapids server: up to
# 100 rows the time of a matrix grows with its elements.
_NANOSECONDS = {
    "cholesky": 8, "det": 15, "slogdet": 15, "solve": 18, "inv": 46, "qr": 50, "eigvalsh": 75, "svdvals": 100,
    "eigh": 170, "eigvals": 200, "svd": 280, "eig": 450,
}  # fmt: skip


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


def matrices_of(name: str, x: Any) -> Array:
    """``x`` in a floating dtype; raises ShapeError for what are no matrices."""
    matrices = floating(x)
    if matrices.ndim < 2:
        raise _core.errors.ShapeError(f"{name} needs matrices; got shape {matrices.shape}")
    return matrices


def _square(name: str, x: Any) -> Array:
    matrices = matrices_of(name, x)
    if matrices.shape[-1] != matrices.shape[-2]:
        raise _core.errors.ShapeError(f"{name} needs square matrices; got shape {matrices.shape}")
    return matrices


def _decomposed(
    name: str, f: Callable[..., Sequence[Any]], inputs: Sequence[Array], parts: Sequence[tuple[int, ...]], dtype: DType
) -> tuple[Array, ...]:
    """The parts, evaluated where they fit: what LAPACK complains of is known at the call."""
    results = of_matrices(name, f, inputs, parts, dtype, _NANOSECONDS[name])
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
    x = matrices_of("qr", x)
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
    x = matrices_of("svd", x)
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
    x = matrices_of("svdvals", x)
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
    x = matrices_of("matrix_rank", x)
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
    x = matrices_of("pinv", x)
    m, n = x.shape[-2:]
    if 0 in (m, n):
        return _core.full((*x.shape[:-2], n, m), 0, dtype=x.dtype)
    u, s, vh = svd(x, full_matrices=False)
    least = _core.expand_dims(_core.multiply(_core.max(s, axis=-1), _tolerance(x, rtol)), -1)
    inverse = _core.where(_core.greater(s, least), _core.reciprocal(s), _core.full((), 0, dtype=s.dtype))
    v = _core.matrix_transpose(_core.conj(vh))
    return _core.matmul(_core.multiply(v, _core.expand_dims(inverse, -2)), _core.matrix_transpose(_core.conj(u)))
