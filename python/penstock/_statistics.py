# SPDX-License-Identifier: Apache-2.0
"""Statistics beyond the standard, under NumPy's names: reductions without NaN, averages, covariances, closeness."""

from __future__ import annotations

import builtins
import math
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from penstock import _core
from penstock._arguments import array, integer
from penstock._core import Array
from penstock._describing import described
from penstock._shapes import flat_without_axis, weights_of
from penstock._stacks import floating, is_complex, put_out, real_of

Axes: TypeAlias = "int | Sequence[int] | None"

_RAISES = "Raises AxisError, ShapeError and DTypeError for an out that does not fit and for what holds no numbers."
_WIDENED = "Dtypes: any; integers and bool have 64 bits, others that of a. ``dtype`` converts first."
_SPREAD = "Dtypes: any; integers and bool give float64, complex ones their real dtype. ``dtype`` converts first."
_described = described(RAISES=_RAISES, WIDENED=_WIDENED, SPREAD=_SPREAD)


def _has_nan(x: Array) -> builtins.bool:
    """Whether the dtype has NaN."""
    return str(x.dtype).startswith(("float", "complex"))


def _filled(x: Array, instead: float) -> Array:
    """``x`` with another value for NaN."""
    return _core.where(_core.isnan(x), _core.full((), instead, dtype=x.dtype), x) if _has_nan(x) else x


@_described
def nansum(a: Any, axis: Axes = None, dtype: Any = None, out: Any = None, keepdims: builtins.bool = False) -> Array:
    """Sum over axes, all by default, NaN counted as 0.

    {OUT}

    {AXES}
    {WIDENED}
    {RAISES}
    Beyond the standard: NumPy's nansum.
    """
    return put_out(_core.sum(_filled(array(a), 0), axis=axis, dtype=dtype, keepdims=keepdims), out)


@_described
def nanprod(a: Any, axis: Axes = None, dtype: Any = None, out: Any = None, keepdims: builtins.bool = False) -> Array:
    """Product over axes, all by default, NaN counted as 1.

    {OUT}

    {AXES}
    {WIDENED}
    {RAISES}
    Beyond the standard: NumPy's nanprod.
    """
    return put_out(_core.prod(_filled(array(a), 1), axis=axis, dtype=dtype, keepdims=keepdims), out)


def _cumulative(add_up: Callable[..., Array], a: Any, axis: int | None, dtype: Any, out: Any, neutral: float) -> Array:
    x, along = flat_without_axis(_filled(array(a), neutral), axis)
    return put_out(add_up(x, axis=integer(along, "axis"), dtype=dtype), out)


@_described
def nancumsum(a: Any, axis: int | None = None, dtype: Any = None, out: Any = None) -> Array:
    """Cumulative sum along ``axis``, of ``a`` flattened without one, NaN counted as 0.

    {OUT}

    Shapes: any; the result has that of a, without an axis (size,).
    {WIDENED}
    {RAISES}
    Beyond the standard: NumPy's nancumsum.
    """
    return _cumulative(_core.cumulative_sum, a, axis, dtype, out, 0)


@_described
def nancumprod(a: Any, axis: int | None = None, dtype: Any = None, out: Any = None) -> Array:
    """Cumulative product along ``axis``, of ``a`` flattened without one, NaN counted as 1.

    {OUT}

    Shapes: any; the result has that of a, without an axis (size,).
    {WIDENED}
    {RAISES}
    Beyond the standard: NumPy's nancumprod.
    """
    return _cumulative(_core.cumulative_prod, a, axis, dtype, out, 1)


def _nan_extreme(
    extreme: Callable[..., Array], worst: float, a: Any, axis: Axes, out: Any, keepdims: builtins.bool
) -> Array:
    x = array(a)
    if not _has_nan(x):
        return put_out(extreme(x, axis=axis, keepdims=keepdims), out)
    found = extreme(_filled(x, worst), axis=axis, keepdims=keepdims)
    nothing = _core.all(_core.isnan(x), axis=axis, keepdims=keepdims)
    return put_out(_core.where(nothing, _core.full((), math.nan, dtype=x.dtype), found), out)


@_described
def nanmin(a: Any, axis: Axes = None, out: Any = None, keepdims: builtins.bool = False) -> Array:
    """Least element over axes, all by default, NaN left out; NaN where there is nothing else.

    {OUT}

    {AXES}
    Dtypes: all but complex ones; the result has the same.
    Raises AxisError, ShapeError for no elements, DTypeError for complex numbers, both for an out that does not fit.
    Beyond the standard: NumPy's nanmin.
    """
    return _nan_extreme(_core.min, math.inf, a, axis, out, keepdims)


@_described
def nanmax(a: Any, axis: Axes = None, out: Any = None, keepdims: builtins.bool = False) -> Array:
    """Greatest element over axes, all by default, NaN left out; NaN where there is nothing else.

    {OUT}

    {AXES}
    Dtypes: all but complex ones; the result has the same.
    Raises AxisError, ShapeError for no elements, DTypeError for complex numbers, both for an out that does not fit.
    Beyond the standard: NumPy's nanmax.
    """
    return _nan_extreme(_core.max, -math.inf, a, axis, out, keepdims)


def _nan_search(search: Callable[..., Array], worst: float, a: Any, axis: int | None, keepdims: builtins.bool) -> Array:
    x = array(a)
    axis = axis if axis is None else integer(axis, "axis")
    if _has_nan(x) and x.size and builtins.bool(_core.any(_core.all(_core.isnan(x), axis=axis))):
        raise _core.errors.ArgumentError("there are only NaN to be searched")
    return search(_filled(x, worst), axis=axis, keepdims=keepdims)


def nanargmin(a: Any, axis: int | None = None, *, keepdims: builtins.bool = False) -> Array:
    """Place of the least element along ``axis``, of ``a`` flattened without one, NaN left out.

    Shapes: any; the axis goes, with keepdims it stays as an axis of extent 1.
    Dtypes: all but complex ones; the result is int64.
    Raises ArgumentError at the call where there are only NaN, AxisError, ShapeError for no elements, DTypeError for
    complex numbers.
    Beyond the standard: NumPy's nanargmin.
    """
    return _nan_search(_core.argmin, math.inf, a, axis, keepdims)


def nanargmax(a: Any, axis: int | None = None, *, keepdims: builtins.bool = False) -> Array:
    """Place of the greatest element along ``axis``, of ``a`` flattened without one, NaN left out.

    Shapes: any; the axis goes, with keepdims it stays as an axis of extent 1.
    Dtypes: all but complex ones; the result is int64.
    Raises ArgumentError at the call where there are only NaN, AxisError, ShapeError for no elements, DTypeError for
    complex numbers.
    Beyond the standard: NumPy's nanargmax.
    """
    return _nan_search(_core.argmax, -math.inf, a, axis, keepdims)


def _present(x: Array, axis: Axes, keepdims: builtins.bool) -> Array:
    """How many elements are not NaN, in the real dtype of ``x``."""
    counted = _core.count_nonzero(_core.logical_not(_core.isnan(x)), axis=axis, keepdims=keepdims)
    return _core.astype(counted, real_of(x.dtype))


def _as_floating(a: Any, dtype: Any) -> Array:
    x = floating(a)
    return x if dtype is None else _core.astype(x, dtype)


@_described
def nanmean(a: Any, axis: Axes = None, dtype: Any = None, out: Any = None, keepdims: builtins.bool = False) -> Array:
    """Arithmetic mean over axes, all by default, NaN left out; NaN where there is nothing else.

    {OUT}

    {AXES}
    Dtypes: any; integers and bool give float64, others that of a. ``dtype`` converts first.
    {RAISES}
    Beyond the standard: NumPy's nanmean.
    """
    x = _as_floating(a, dtype)
    total = _core.sum(_filled(x, 0), axis=axis, keepdims=keepdims)
    return put_out(_core.divide(total, _present(x, axis, keepdims)), out)


@_described
def nanvar(
    a: Any,
    axis: Axes = None,
    dtype: Any = None,
    out: Any = None,
    ddof: float = 0,
    keepdims: builtins.bool = False,
    *,
    correction: float | None = None,
) -> Array:
    """Variance sum |x - mean|^2 / (n - ddof) over axes, all by default, NaN left out; NaN where too little is left.

    ``correction`` is the standard's name for ``ddof``.

    {OUT}

    {AXES}
    {SPREAD}
    {RAISES}
    Beyond the standard: NumPy's nanvar.
    """
    x = _as_floating(a, dtype)
    apart = _core.abs(_core.subtract(x, nanmean(x, axis, keepdims=True)))
    n = _core.subtract(_present(x, axis, keepdims), ddof if correction is None else correction)
    usable = _core.where(_core.greater(n, 0), n, math.nan)
    squares = _core.where(_core.isnan(x), _core.full((), 0, dtype=apart.dtype), _core.square(apart))
    return put_out(_core.divide(_core.sum(squares, axis=axis, keepdims=keepdims), usable), out)


@_described
def nanstd(
    a: Any,
    axis: Axes = None,
    dtype: Any = None,
    out: Any = None,
    ddof: float = 0,
    keepdims: builtins.bool = False,
    *,
    correction: float | None = None,
) -> Array:
    """Square root of nanvar(), over axes, all by default.

    ``correction`` is the standard's name for ``ddof``.

    {OUT}

    {AXES}
    {SPREAD}
    {RAISES}
    Beyond the standard: NumPy's nanstd.
    """
    return put_out(_core.sqrt(nanvar(a, axis, dtype, None, ddof, keepdims, correction=correction)), out)


@_described
def ptp(a: Any, axis: Axes = None, out: Any = None, keepdims: builtins.bool = False) -> Array:
    """Greatest minus least element over axes, all by default.

    {OUT}

    {AXES}
    Dtypes: integers and floats; the result has the same.
    Raises AxisError, ShapeError for no elements, DTypeError for bool and complex numbers, both for an out that does not
    fit.
    Beyond the standard: NumPy's ptp.
    """
    x = array(a)
    high, low = _core.max(x, axis=axis, keepdims=keepdims), _core.min(x, axis=axis, keepdims=keepdims)
    return put_out(_core.subtract(high, low), out)


def average(
    a: Any,
    axis: Axes = None,
    weights: Any = None,
    returned: builtins.bool = False,
    *,
    keepdims: builtins.bool = False,
) -> Array | tuple[Array, Array]:
    """Mean over axes, all by default; with ``weights`` of each element sum(w a) / sum(w); ``returned`` gives the sum of
    weights too.

    Weights have the shape of ``a`` or, with an axis, are one for each element along it.

    Shapes: any; the axes go, with keepdims they stay as axes of extent 1.
    Dtypes: floats and complex ones; integers and bool count as float64. The result has the one that both promote to.
    Raises ShapeError for weights of neither shape, AxisError, DTypeError for what holds no numbers.
    Beyond the standard: NumPy's average.
    """
    x = floating(a)
    if weights is None:
        mean = _core.mean(x, axis=axis, keepdims=keepdims)
        n = math.prod(x.shape) // max(math.prod(mean.shape), 1)
        return (mean, _core.full(mean.shape, n, dtype=mean.dtype)) if returned else mean
    w = weights_of(x, floating(weights), axis)
    total = _core.sum(w, axis=axis, keepdims=keepdims)
    mean = _core.divide(_core.sum(_core.multiply(x, w), axis=axis, keepdims=keepdims), total)
    return (mean, total) if returned else mean


def _observations(m: Any, rowvar: builtins.bool, dtype: Any) -> Array:
    """A matrix with a variable a row."""
    x = _as_floating(m, dtype)
    if x.ndim > 2:
        raise _core.errors.ShapeError(f"cov takes a vector or a matrix of observations; got shape {x.shape}")
    if x.ndim < 2:
        return _core.reshape(x, (1, x.size))
    return x if rowvar or x.shape[0] == 1 else _core.matrix_transpose(x)


def _observation_weights(name: str, given: Any, n: int, whole: builtins.bool) -> Array:
    w = array(given)
    if w.shape != (n,):
        raise _core.errors.ShapeError(f"{name} of shape {w.shape} are not one weight for each of {n} observations")
    w = _core.astype(w, _core.float64)
    if n and builtins.bool(_core.any(_core.less(w, 0))):
        raise _core.errors.ArgumentError(f"{name} are not negative")
    if whole and builtins.bool(_core.any(_core.not_equal(w, _core.floor(w)))):
        raise _core.errors.DTypeError(f"{name} are how often an observation counts: whole numbers")
    return w


def cov(
    m: Any,
    y: Any = None,
    rowvar: builtins.bool = True,
    bias: builtins.bool = False,
    ddof: float | None = None,
    fweights: Any = None,
    aweights: Any = None,
    *,
    dtype: Any = None,
) -> Array:
    """Covariance matrix of variables in rows (``rowvar`` False: in columns): sum (x - mean) (x - mean)^H / (n - ddof).

    ``y`` has further variables. ``ddof`` is 1, with ``bias`` 0. ``fweights`` say how often each observation counts,
    ``aweights`` how much. Works at any number of observations: it is a matrix product.

    Shapes: (k, n) gives (k, k), of one variable ().
    Dtypes: floats and complex ones, which the result has; integers and bool count as float64. ``dtype`` converts first.
    Raises ShapeError for more than two axes and weights that do not fit, ArgumentError for negative weights, DTypeError
    for fweights that are no whole numbers and what holds no numbers.
    Beyond the standard: NumPy's cov.
    """
    x = _observations(m, rowvar, dtype)
    if y is not None:
        x = _core.concat([x, _observations(y, rowvar, dtype)], axis=0)
    n, w = float(x.shape[1]), None
    if fweights is not None:
        w = _observation_weights("fweights", fweights, x.shape[1], True)
    counts = _observation_weights("aweights", aweights, x.shape[1], False) if aweights is not None else None
    if counts is not None:
        w = counts if w is None else _core.multiply(w, counts)
    ddof = (0 if bias else 1) if ddof is None else ddof
    if w is None:
        apart = _core.subtract(x, _core.mean(x, axis=1, keepdims=True))
        weighted, left = apart, n - ddof
    else:
        total = float(_core.sum(w))
        if total == 0:
            raise _core.errors.ArgumentError("the weights of the observations add up to 0")
        w = _core.astype(w, real_of(x.dtype))
        mean = _core.divide(_core.sum(_core.multiply(x, w), axis=1, keepdims=True), total)
        apart = _core.subtract(x, mean)
        weighted = _core.multiply(apart, w)
        scale = 1.0 if counts is None else float(_core.sum(_core.multiply(w, counts))) / total
        left = total - ddof * scale
    products = _core.matmul(weighted, _core.matrix_transpose(_core.conj(apart)))
    result = _core.divide(products, max(left, 0.0))
    return _core.reshape(result, ()) if result.size == 1 else result


def corrcoef(x: Any, y: Any = None, rowvar: builtins.bool = True, *, dtype: Any = None) -> Array:
    """Pearson's correlation coefficients, the covariances over the standard deviations of both, in [-1, 1].

    ``y`` and ``rowvar`` as in cov().

    Shapes: (k, n) gives (k, k), of one variable ().
    Dtypes: floats and complex ones, which the result has; integers and bool count as float64. ``dtype`` converts first.
    Raises ShapeError for more than two axes, DTypeError for what holds no numbers.
    Beyond the standard: NumPy's corrcoef.
    """
    c = cov(x, y, rowvar, dtype=dtype)
    if c.ndim == 0:
        return _core.divide(c, c)
    from penstock.linalg import diagonal

    deviation = _core.sqrt(_core.real(diagonal(c)))
    r = _core.divide(_core.divide(c, _core.expand_dims(deviation, 1)), deviation)
    if not is_complex(r):
        return _core.clip(r, -1.0, 1.0)
    real, imaginary = (_core.clip(f(r), -1.0, 1.0) for f in (_core.real, _core.imag))
    return _core.astype(_core.add(real, _core.multiply(imaginary, 1j)), r.dtype)


def isclose(a: Any, b: Any, rtol: Any = 1e-5, atol: Any = 1e-8, equal_nan: builtins.bool = False) -> Array:
    """Whether |a - b| <= atol + rtol |b|, elementwise; infinities are close to themselves only, NaN to nothing but,
    with ``equal_nan``, NaN.

    Shapes: any that broadcast; the result's is theirs.
    Dtypes: floats and complex ones; integers and bool count as float64. The result is bool.
    Raises ShapeError for shapes that do not broadcast, DTypeError for what holds no numbers.
    Beyond the standard: NumPy's isclose.
    """
    a, b = floating(a), floating(b)
    near = _core.less_equal(_core.abs(_core.subtract(a, b)), _core.add(_core.multiply(_core.abs(b), rtol), atol))
    close = _core.logical_or(_core.logical_and(near, _core.isfinite(b)), _core.equal(a, b))
    return _core.logical_or(close, _core.logical_and(_core.isnan(a), _core.isnan(b))) if equal_nan else close


def allclose(a: Any, b: Any, rtol: Any = 1e-5, atol: Any = 1e-8, equal_nan: builtins.bool = False) -> builtins.bool:
    """Whether isclose() holds everywhere, a bool. Evaluates.

    Shapes: any that broadcast.
    Dtypes: floats and complex ones; integers and bool count as float64.
    Raises ShapeError for shapes that do not broadcast, DTypeError for what holds no numbers.
    Beyond the standard: NumPy's allclose.
    """
    return builtins.bool(_core.all(isclose(a, b, rtol, atol, equal_nan)))


def array_equal(a1: Any, a2: Any, equal_nan: builtins.bool = False) -> builtins.bool:
    """Whether shapes and elements are equal, a bool; with ``equal_nan`` NaN equals itself. Evaluates.

    Shapes: any; other ones are not equal.
    Dtypes: any, compared in the one that both promote to.
    Raises DTypeError for what holds no numbers.
    Beyond the standard: NumPy's array_equal.
    """
    a, b = array(a1), array(a2)
    if a.shape != b.shape:
        return False
    same = _core.equal(a, b)
    if equal_nan and _has_nan(a) and _has_nan(b):
        same = _core.logical_or(same, _core.logical_and(_core.isnan(a), _core.isnan(b)))
    return builtins.bool(_core.all(same))
