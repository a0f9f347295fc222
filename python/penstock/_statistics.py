# SPDX-License-Identifier: Apache-2.0
"""Statistics beyond the standard, under NumPy's names: quantiles, covariance, reductions that leave NaN out."""

from __future__ import annotations

import builtins
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from penstock import _core
from penstock._core import Array
from penstock._stacks import array, floating

Axes: TypeAlias = "int | Sequence[int] | None"


def _as_last(x: Array, axis: Axes) -> tuple[Array, tuple[int, ...]]:
    """The elements along the axes as one last axis; and the shape with these axes of extent 1."""
    chosen = tuple(range(x.ndim)) if axis is None else (axis,) if isinstance(axis, int) else tuple(axis)
    kept = _core.sum(_core.broadcast_to(_core.full((), 0), x.shape), axis=chosen, keepdims=True).shape
    chosen = tuple(a % x.ndim for a in chosen)
    moved = _core.moveaxis(x, chosen, tuple(range(-len(chosen), 0))) if chosen else x
    left = tuple(n for d, n in enumerate(x.shape) if d not in chosen)
    return _core.reshape(moved, (*left, -1 if x.size else _size(x.shape, chosen))), kept


def _size(shape: tuple[int, ...], axes: tuple[int, ...]) -> int:
    n = 1
    for axis in axes:
        n *= shape[axis]
    return n


_METHODS = ("linear", "lower", "higher", "nearest", "midpoint")


def quantile(
    x: Any,
    q: Any,
    axis: Axes = None,
    *,
    method: str = "linear",
    keepdims: builtins.bool = False,
) -> Array:
    """Quantiles of ``x`` along ``axis``: for each q in [0, 1] the value at place q (n - 1) of the sorted elements.

    Between two places the ``method`` decides: "linear", "lower", "higher", "nearest" (the even one of two as near) or
    "midpoint". The axes of ``q`` come first in the result. NaN gives NaN. Raises ArgumentError for q outside [0, 1],
    ShapeError for no elements.
    """
    x, q = floating(x), array(q)
    q = _core.astype(q, _core.float64)
    if method not in _METHODS:
        raise _core.errors.ArgumentError(f"method is {method!r}; use one of {', '.join(map(repr, _METHODS))}")
    if q.size and not (float(_core.min(q)) >= 0 and float(_core.max(q)) <= 1):
        raise _core.errors.ArgumentError("quantiles lie in [0, 1] (percentiles in [0, 100])")
    lines, kept = _as_last(x, axis)
    n = lines.shape[-1]
    if n == 0:
        raise _core.errors.ShapeError(f"there is no quantile of nothing: shape {x.shape}")
    (ordered,) = _core.evaluate(_core.sort(lines))
    place = _core.multiply(_core.reshape(q, (q.size,)), float(n - 1))
    below = _core.floor(place)
    if method == "nearest":
        below = _core.round(place)
    elif method == "higher":
        below = _core.ceil(place)
    elif method == "midpoint":
        place = _core.where(_core.equal(place, below), below, _core.add(below, 0.5))
    low = _core.take(ordered, _core.astype(below, _core.int64), axis=-1)
    if method in ("linear", "midpoint"):
        above = _core.minimum(_core.add(below, 1), n - 1)
        high = _core.take(ordered, _core.astype(above, _core.int64), axis=-1)
        share = _core.astype(_core.subtract(place, below), x.dtype)
        # Of equal ends there is nothing between, infinite ones included.
        between = _core.add(low, _core.multiply(_core.subtract(high, low), share))
        low = _core.where(_core.logical_or(_core.equal(low, high), _core.equal(share, 0)), low, between)
    result = _core.where(_core.isnan(ordered[..., -1:]), _core.full((), float("nan"), dtype=x.dtype), low)
    result = _core.moveaxis(result, -1, 0)
    return _core.reshape(result, (*q.shape, *(kept if keepdims else result.shape[1:])))


def percentile(x: Any, q: Any, axis: Axes = None, *, method: str = "linear", keepdims: builtins.bool = False) -> Array:
    """quantile() with ``q`` in [0, 100]."""
    return quantile(x, _core.divide(array(q), 100), axis, method=method, keepdims=keepdims)


def median(x: Any, axis: Axes = None, *, keepdims: builtins.bool = False) -> Array:
    """The middle of the sorted elements, of an even number the mean of both. NaN gives NaN."""
    return quantile(x, 0.5, axis, keepdims=keepdims)


def _without_nan(x: Any, instead: float) -> tuple[Array, Array]:
    """``x`` with another value for NaN, and where there was one."""
    x = array(x)
    if str(x.dtype).startswith(("int", "uint", "bool")):
        return x, _core.full(x.shape, False)
    missing = _core.isnan(x)
    return _core.where(missing, _core.full((), instead, dtype=x.dtype), x), missing


def nansum(x: Any, axis: Axes = None, *, dtype: Any = None, keepdims: builtins.bool = False) -> Array:
    """Sum over axes, NaN counted as 0."""
    return _core.sum(_without_nan(x, 0)[0], axis=axis, dtype=dtype, keepdims=keepdims)


def nanprod(x: Any, axis: Axes = None, *, dtype: Any = None, keepdims: builtins.bool = False) -> Array:
    """Product over axes, NaN counted as 1."""
    return _core.prod(_without_nan(x, 1)[0], axis=axis, dtype=dtype, keepdims=keepdims)


def _nan_extreme(x: Any, axis: Axes, keepdims: builtins.bool, worst: float, extreme: Callable[..., Array]) -> Array:
    x = array(x)
    if str(x.dtype).startswith(("int", "uint", "bool")):
        return extreme(x, axis=axis, keepdims=keepdims)
    filled, missing = _without_nan(x, worst)
    nothing = _core.all(missing, axis=axis, keepdims=keepdims)
    found = extreme(filled, axis=axis, keepdims=keepdims)
    return _core.where(nothing, _core.full((), float("nan"), dtype=x.dtype), found)


def nanmin(x: Any, axis: Axes = None, *, keepdims: builtins.bool = False) -> Array:
    """Least element over axes, NaN left out; NaN where there is nothing else."""
    return _nan_extreme(x, axis, keepdims, float("inf"), _core.min)


def nanmax(x: Any, axis: Axes = None, *, keepdims: builtins.bool = False) -> Array:
    """Greatest element over axes, NaN left out; NaN where there is nothing else."""
    return _nan_extreme(x, axis, keepdims, float("-inf"), _core.max)


def _present(missing: Array, axis: Axes, keepdims: builtins.bool, like: Array) -> Array:
    counted = _core.count_nonzero(_core.logical_not(missing), axis=axis, keepdims=keepdims)
    return _core.astype(counted, _core.real(like).dtype if "complex" in str(like.dtype) else like.dtype)


def nanmean(x: Any, axis: Axes = None, *, keepdims: builtins.bool = False) -> Array:
    """Arithmetic mean over axes, NaN left out; NaN where there is nothing else."""
    filled, missing = _without_nan(floating(x), 0)
    total = _core.sum(filled, axis=axis, keepdims=keepdims)
    return _core.divide(total, _present(missing, axis, keepdims, filled))


def nanvar(x: Any, axis: Axes = None, *, correction: float = 0.0, keepdims: builtins.bool = False) -> Array:
    """Variance sum |x - mean|^2 / (n - correction) over axes, NaN left out; NaN where too little is left."""
    x = floating(x)
    apart = _core.abs(_core.subtract(x, nanmean(x, axis, keepdims=True)))
    squares, missing = _without_nan(_core.square(apart), 0)
    n = _core.subtract(_present(missing, axis, keepdims, squares), correction)
    usable = _core.where(_core.greater(n, 0), n, _core.full((), float("nan"), dtype=n.dtype))
    return _core.divide(_core.sum(squares, axis=axis, keepdims=keepdims), usable)


def nanstd(x: Any, axis: Axes = None, *, correction: float = 0.0, keepdims: builtins.bool = False) -> Array:
    """Square root of nanvar()."""
    return _core.sqrt(nanvar(x, axis, correction=correction, keepdims=keepdims))


def cov(x: Any, *, rowvar: builtins.bool = True, correction: float = 1.0) -> Array:
    """Covariance matrix of variables in rows (``rowvar`` False: in columns).

    sum (x - mean) (x - mean)^H / (n - correction).
    """
    x = floating(x)
    if x.ndim > 2:
        raise _core.errors.ShapeError(f"cov takes a vector or a matrix of observations; got shape {x.shape}")
    if x.ndim == 2 and not rowvar:
        x = _core.matrix_transpose(x)
    rows = _core.reshape(x, (1, x.size)) if x.ndim < 2 else x
    apart = _core.subtract(rows, _core.mean(rows, axis=1, keepdims=True))
    total = _core.matmul(apart, _core.matrix_transpose(_core.conj(apart)))
    result = _core.divide(total, float(rows.shape[1]) - correction)
    return _core.reshape(result, ()) if x.ndim < 2 else result


def corrcoef(x: Any, *, rowvar: builtins.bool = True) -> Array:
    """Pearson's correlation coefficients: the covariances over the standard deviations of both."""
    c = cov(x, rowvar=rowvar)
    if c.ndim == 0:
        return _core.divide(c, c)
    from penstock.linalg import diagonal

    deviation = _core.sqrt(_core.real(diagonal(c)) if "complex" in str(c.dtype) else diagonal(c))
    return _core.divide(_core.divide(c, _core.expand_dims(deviation, 1)), deviation)


def isclose(a: Any, b: Any, *, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: builtins.bool = False) -> Array:
    """Whether |a - b| <= atol + rtol |b|, elementwise; infinities are close to themselves only."""
    a, b = array(a), array(b)
    a, b = (floating(each) for each in (a, b))
    near = _core.less_equal(_core.abs(_core.subtract(a, b)), _core.add(_core.multiply(_core.abs(b), rtol), atol))
    close = _core.logical_or(_core.logical_and(near, _core.isfinite(b)), _core.equal(a, b))
    return _core.logical_or(close, _core.logical_and(_core.isnan(a), _core.isnan(b))) if equal_nan else close


def allclose(
    a: Any, b: Any, *, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: builtins.bool = False
) -> builtins.bool:
    """Whether isclose() holds everywhere."""
    return builtins.bool(_core.all(isclose(a, b, rtol=rtol, atol=atol, equal_nan=equal_nan)))


def bincount(x: Any, *, minlength: int = 0) -> Array:
    """How often each of 0, 1, 2, ... occurs in the integers ``x``; int64, at least ``minlength``.

    Evaluates at the call.
    Raises DTypeError for what are no integers, ArgumentError for negative ones.
    """
    x = array(x)
    if not str(x.dtype).startswith(("int", "uint")):
        raise _core.errors.DTypeError(f"bincount counts integers; got {x.dtype}")
    if x.ndim != 1:
        raise _core.errors.ShapeError(f"bincount takes a vector; got shape {x.shape}")
    bins = max(minlength, 0)
    if x.size:
        low, high = _core.evaluate(_core.min(x), _core.max(x))
        if int(low) < 0:
            raise _core.errors.ArgumentError(f"bincount of {int(low)}; the integers are not negative")
        bins = max(bins, int(high) + 1)
    if bins == 0:
        return _core.full((0,), 0, dtype=_core.int64)
    return _core.histogram_counts(x, _core.even_edges(bins, -0.5, bins - 0.5))
