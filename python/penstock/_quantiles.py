# SPDX-License-Identifier: Apache-2.0
"""Quantiles, percentiles and medians under NumPy's names: order statistics found by counting, without a sort.

An array that fits into memory is gone through three times (float32) or six (float64); one that does not is read from
its file twice or four times. R. J. Hyndman, Y. Fan, "Sample quantiles in statistical packages", The American
Statistician 50 (1996), has the formulas of the methods.
"""

from __future__ import annotations

import builtins
import math
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from penstock import _core
from penstock._arguments import array, integers, normal_axis, shown
from penstock._core import Array
from penstock._describing import Function, described
from penstock._shapes import weights_of
from penstock._stacks import is_complex, put_out

Axes: TypeAlias = "int | Sequence[int] | None"

# More ranks than these are taken from sorted elements.
_MOST_RANKS = 256
# The place of a quantile among n sorted elements, n q + a + q (1 - a - b) - 1, by (a, b).
_CONTINUOUS = {
    "interpolated_inverted_cdf": (0.0, 1.0),
    "hazen": (0.5, 0.5),
    "weibull": (0.0, 0.0),
    "median_unbiased": (1 / 3, 1 / 3),
    "normal_unbiased": (3 / 8, 3 / 8),
}
_BETWEEN = (*_CONTINUOUS, "linear", "midpoint", "averaged_inverted_cdf")
_METHODS = (*_BETWEEN, "lower", "higher", "nearest", "inverted_cdf", "closest_observation")

_OPTIONS = """``method`` "linear" takes the value at place q (n - 1) of the sorted elements; the others are NumPy's.
    ``weights`` (with "inverted_cdf") say how much each element counts. ``overwrite_input`` makes no difference: nothing
    is copied to be sorted."""
_RESULT = """Shapes: any; the axes of q come first, then those of a without the axes named, which keepdims keeps.
    Dtypes: all but complex ones. "lower", "higher", "nearest", "inverted_cdf" and "closest_observation" give elements,
    in their dtype; the others what lies between: float64 for integers and bool, of floats their dtype, promoted with
    that of q where q is an array of floats."""
_RAISES = """Raises ArgumentError for q outside [0, {}], unknown methods, negative weights and those of another method,
    ShapeError for no elements and weights that do not fit, AxisError, DTypeError for complex numbers and what holds
    none."""


def _described(end: int) -> Callable[[Function], Function]:
    return described(OPTIONS=_OPTIONS, RESULT=_RESULT, RAISES=_RAISES.format(end))


def lines_of(x: Array, axis: Axes) -> tuple[Array, tuple[int, ...]]:
    """The elements along the axes as one last axis; and the shape with these axes of extent 1."""
    axes = tuple(range(x.ndim)) if axis is None else integers(axis, "axis")
    chosen = [normal_axis(each, x.ndim) for each in axes]
    if len(set(chosen)) != len(chosen):
        raise _core.errors.AxisError(f"axes {axes} name an axis twice")
    kept = tuple(1 if d in chosen else n for d, n in enumerate(x.shape))
    moved = _core.moveaxis(x, chosen, list(range(-len(chosen), 0))) if chosen else x
    left = [n for d, n in enumerate(x.shape) if d not in chosen]
    return _core.reshape(moved, (*left, math.prod(x.shape[d] for d in chosen))), kept


def _place(method: str, n: Any, q: Any) -> Any:
    """Where among ``n`` sorted elements, counted from 0, the quantiles lie; NumPy arrays."""
    if method in _CONTINUOUS:
        a, b = _CONTINUOUS[method]
        return n * q + (a + q * (1 - a - b)) - 1
    return n * q - 1 if "_" in method else (n - 1) * q


def _neighbours(method: str, n: Any, q: Any) -> tuple[Any, Any, Any]:
    """The places before and behind each quantile, as int64, and the share of the way between them."""
    import numpy

    place = _place(method, n, q)
    if method in ("inverted_cdf", "closest_observation"):
        place = place - (0.5 if method == "closest_observation" else 0)
        before = numpy.floor(place)
        stays = place == before
        if method == "closest_observation":
            stays = stays & (before % 2 == 1)
        place = numpy.where(stays, before, before + 1)
    elif method == "nearest":
        place = numpy.around(place)
    elif method == "lower":
        place = numpy.floor(place)
    elif method == "higher":
        place = numpy.ceil(place)
    last = numpy.maximum(n - 1, 0)
    before = numpy.floor(place)
    share = place - before
    if method == "midpoint":
        share = numpy.where(share == 0, 0.0, 0.5)
    elif method == "averaged_inverted_cdf":
        share = numpy.where(share == 0, 0.5, 1.0)
    low = numpy.clip(before, 0, last).astype(numpy.int64)
    high = numpy.clip(before + 1, 0, last).astype(numpy.int64)
    return numpy.where(place < 0, 0, low), numpy.where(place < 0, 0, high), share


def _elements(lines: Array, places: Sequence[Any], poison: builtins.bool) -> list[Array]:
    """For each array of places, the same of each line, the elements there once the line is sorted."""
    import numpy

    ranks = numpy.unique(numpy.concatenate([each.ravel() for each in places]))
    if ranks.size <= _MOST_RANKS:
        found = _core.order_statistics(lines, ranks.tolist(), poison)
    else:
        ordered = _core.sort(lines)
        found = _core.take(ordered, ranks, axis=-1)
        if poison and str(lines.dtype).startswith("float"):
            found = _core.where(_core.isnan(ordered[..., -1:]), math.nan, found)
    return [_core.take(found, numpy.searchsorted(ranks, each.ravel()), axis=-1) for each in places]


def _between(low: Array, high: Array, share: Any, dtype: Any) -> Array:
    """The elements a share of the way from ``low`` to ``high``; between equal ones, infinite too, is nothing else."""
    low, high, share = (_core.astype(each, dtype) for each in (low, high, array(share)))
    apart = _core.subtract(high, low)
    near_low = _core.add(low, _core.multiply(apart, share))
    near_high = _core.subtract(high, _core.multiply(apart, _core.subtract(1, share)))
    mixed = _core.where(_core.less(share, 0.5), near_low, near_high)
    return _core.where(_core.equal(low, high), low, mixed)


def _checked(x: Any, q: Any, method: str) -> tuple[Array, Any, Any]:
    """The array, the quantiles as a NumPy array of float64, and the dtype of what lies between elements."""
    import numpy

    x = array(x)
    if is_complex(x):
        raise _core.errors.DTypeError(f"quantiles of {x.dtype}, which has no order; take real, imag or abs")
    if method not in _METHODS:
        raise _core.errors.ArgumentError(f"method is {shown(method)}; use one of {', '.join(map(repr, _METHODS))}")
    given = numpy.asarray(q)
    if given.dtype.kind not in "biuf":
        raise _core.errors.DTypeError(f"quantiles are real numbers; got {given.dtype}")
    wide = given.astype(numpy.float64)
    if not (wide.size == 0 or (wide.min() >= 0 and wide.max() <= 1)):
        raise _core.errors.ArgumentError("quantiles lie in [0, 1] (percentiles in [0, 100])")
    if not str(x.dtype).startswith("float"):
        return x, wide, _core.float64
    # A Python number takes the array's dtype, as anywhere else.
    weak = isinstance(q, int | float) and not isinstance(q, numpy.generic)
    return x, wide, x.dtype if weak or given.dtype.kind != "f" else _core.promote_types(x.dtype, str(given.dtype))


def _of_lines(lines: Array, q: Any, method: str, dtype: Any, n: Any, poison: builtins.bool) -> Array:
    """Quantiles of lines of which the first ``n`` sorted elements count; the quantiles' axis is the last."""
    import numpy

    low, high, share = _neighbours(method, n, q.ravel())
    if numpy.ndim(n) == 0:
        if method not in _BETWEEN:
            return _elements(lines, [low], poison)[0]
        first, second = _elements(lines, [low, high], poison)
        return _between(first, second, share, dtype)
    ordered = _core.sort(lines)
    first = _core.take_along_axis(ordered, array(low), axis=-1)
    if method not in _BETWEEN:
        return first
    return _between(first, _core.take_along_axis(ordered, array(high), axis=-1), share, dtype)


def _weighted(lines: Array, q: Any, weights: Array) -> Array:
    """The first sorted elements at which the sum of weights, of all of them, reaches q; NaN gives NaN."""
    order = _core.argsort(lines)
    ordered = _core.take_along_axis(lines, order, axis=-1)
    total = _core.cumulative_sum(_core.take_along_axis(weights, order, axis=-1), axis=-1)
    share = _core.divide(total, total[..., -1:])
    # What has no weight is no quantile, not even of 0.
    share = _core.where(_core.equal(share, 0), -1.0, share)
    reached = _core.less(_core.expand_dims(share, -2), _core.reshape(array(q.ravel()), (q.size, 1)))
    place = _core.minimum(_core.count_nonzero(reached, axis=-1), lines.shape[-1] - 1)
    found = _core.take_along_axis(ordered, place, axis=-1)
    return _core.where(_core.isnan(ordered[..., -1:]), math.nan, found) if str(lines.dtype)[0] == "f" else found


def _weights(weights: Any, x: Array, axis: Axes, method: str) -> Array:
    """The weights of each line's elements, checked."""
    if method != "inverted_cdf":
        raise _core.errors.ArgumentError(f"method {shown(method)} takes no weights; use 'inverted_cdf'")
    weights = weights_of(x, _core.astype(array(weights), _core.float64), axis)
    if weights.size and builtins.bool(_core.any(_core.less(weights, 0))):
        raise _core.errors.ArgumentError("weights are not negative")
    return lines_of(weights, axis)[0]


def _arranged(found: Array, q: Any, kept: tuple[int, ...], keepdims: builtins.bool, out: Any) -> Array:
    """The quantiles' axes first."""
    found = _core.moveaxis(found, -1, 0)
    return put_out(_core.reshape(found, (*q.shape, *(kept if keepdims else found.shape[1:]))), out)


@_described(1)
def quantile(
    a: Any,
    q: Any,
    axis: Axes = None,
    out: Any = None,
    overwrite_input: builtins.bool = False,  # noqa: ARG001 - NumPy's
    method: str = "linear",
    keepdims: builtins.bool = False,
    *,
    weights: Any = None,
) -> Array:
    """The values below which shares ``q`` in [0, 1] of the elements along ``axis`` lie; of one axis, several, or all.
    NaN gives NaN.

    {OPTIONS} Works at any size; the ranks are counted in passes over the elements.

    {OUT}

    {RESULT}
    {RAISES}
    Beyond the standard: NumPy's quantile.
    """
    x, q, dtype = _checked(a, q, method)
    lines, kept = lines_of(x, axis)
    if lines.shape[-1] == 0:
        raise _core.errors.ShapeError(f"there is no quantile of nothing: shape {x.shape}")
    if weights is not None:
        found = _weighted(lines, q, _weights(weights, x, axis, method))
    else:
        found = _of_lines(lines, q, method, dtype, lines.shape[-1], True)
    return _arranged(found, q, kept, keepdims, out)


@_described(1)
def nanquantile(
    a: Any,
    q: Any,
    axis: Axes = None,
    out: Any = None,
    overwrite_input: builtins.bool = False,
    method: str = "linear",
    keepdims: builtins.bool = False,
    *,
    weights: Any = None,
) -> Array:
    """quantile() of the elements that are not NaN; NaN where there is nothing else. Evaluates at the call.

    {OPTIONS}

    {OUT}

    {RESULT}
    {RAISES}
    Beyond the standard: NumPy's nanquantile.
    """
    x, q, dtype = _checked(a, q, method)
    if not str(x.dtype).startswith("float"):
        return quantile(x, q, axis, out, overwrite_input, method, keepdims, weights=weights)
    lines, kept = lines_of(x, axis)
    if lines.shape[-1] == 0:
        raise _core.errors.ShapeError(f"there is no quantile of nothing: shape {x.shape}")
    missing = _core.isnan(lines)
    if weights is not None:
        # What is missing weighs nothing and comes last.
        counted = _core.where(missing, 0.0, _weights(weights, x, axis, method))
        found = _weighted(_core.where(missing, math.inf, lines), q, counted)
        found = _core.where(_core.all(missing, axis=-1, keepdims=True), math.nan, found)
        return _arranged(found, q, kept, keepdims, out)
    import numpy

    n = lines.shape[-1] - numpy.asarray(_core.count_nonzero(missing, axis=-1))
    one = n.size > 0 and n.min() == n.max()
    found = _of_lines(lines, q, method, dtype, int(n.min()) if one else numpy.expand_dims(n, -1), False)
    return _arranged(found, q, kept, keepdims, out)


def _hundredths(q: Any) -> Any:
    """Percentages as shares: of a Python number, a Python number."""
    import numpy

    if isinstance(q, int | float):
        return q / 100
    given = numpy.asarray(q)
    # What is no number is refused by quantile().
    return numpy.true_divide(given, numpy.float32(100)) if given.dtype.kind in "biuf" else given


@_described(100)
def percentile(
    a: Any,
    q: Any,
    axis: Axes = None,
    out: Any = None,
    overwrite_input: builtins.bool = False,
    method: str = "linear",
    keepdims: builtins.bool = False,
    *,
    weights: Any = None,
) -> Array:
    """quantile() with ``q`` in [0, 100].

    {OPTIONS} Works at any size; the ranks are counted in passes over the elements.

    {OUT}

    {RESULT}
    {RAISES}
    Beyond the standard: NumPy's percentile.
    """
    return quantile(a, _hundredths(q), axis, out, overwrite_input, method, keepdims, weights=weights)


@_described(100)
def nanpercentile(
    a: Any,
    q: Any,
    axis: Axes = None,
    out: Any = None,
    overwrite_input: builtins.bool = False,
    method: str = "linear",
    keepdims: builtins.bool = False,
    *,
    weights: Any = None,
) -> Array:
    """nanquantile() with ``q`` in [0, 100]. Evaluates at the call.

    {OPTIONS}

    {OUT}

    {RESULT}
    {RAISES}
    Beyond the standard: NumPy's nanpercentile.
    """
    return nanquantile(a, _hundredths(q), axis, out, overwrite_input, method, keepdims, weights=weights)


def _middle(low: Array, high: Array) -> Array:
    """The mean of the two middle elements, in their floating dtype; of equal ones, infinite too, the one."""
    return _core.where(_core.equal(low, high), low, _core.divide(_core.add(low, high), 2))


@described()
def median(
    a: Any,
    axis: Axes = None,
    out: Any = None,
    overwrite_input: builtins.bool = False,  # noqa: ARG001 - NumPy's
    keepdims: builtins.bool = False,
) -> Array:
    """The middle of the sorted elements along ``axis``, of an even number the mean of both. NaN gives NaN, nothing
    gives NaN.

    ``overwrite_input`` makes no difference. {OUT}

    {AXES}
    Dtypes: all but complex ones; integers and bool give float64, floats themselves.
    Raises AxisError, ShapeError and DTypeError for an out that does not fit, DTypeError for complex numbers.
    Beyond the standard: NumPy's median.
    """
    x = array(a)
    lines, kept = lines_of(x, axis)
    if lines.shape[-1] == 0:
        shape = kept if keepdims else lines.shape[:-1]
        dtype = x.dtype if str(x.dtype).startswith("float") else _core.float64
        return put_out(_core.full(shape, math.nan, dtype=dtype), out)
    return put_out(_median_of(x, axis, keepdims), out)


def _median_of(x: Array, axis: Axes, keepdims: builtins.bool) -> Array:
    """Both middle elements by one search."""
    x, _, dtype = _checked(x, 0.5, "midpoint")
    lines, kept = lines_of(x, axis)
    n = lines.shape[-1]
    found = _core.astype(_core.order_statistics(lines, sorted({(n - 1) // 2, n // 2}), True), dtype)
    low, high = found[..., 0], found[..., -1]
    middle = low if n % 2 else _middle(low, high)
    return _core.reshape(middle, kept) if keepdims else middle


@described()
def nanmedian(
    a: Any,
    axis: Axes = None,
    out: Any = None,
    overwrite_input: builtins.bool = False,
    keepdims: builtins.bool = False,
) -> Array:
    """median() of the elements that are not NaN; NaN where there is nothing else. Evaluates at the call.

    ``overwrite_input`` makes no difference. {OUT}

    {AXES}
    Dtypes: all but complex ones; integers and bool give float64, floats themselves.
    Raises AxisError, ShapeError and DTypeError for an out that does not fit, DTypeError for complex numbers.
    Beyond the standard: NumPy's nanmedian.
    """
    x = array(a)
    if x.size == 0:
        return median(x, axis, out, overwrite_input, keepdims)
    low, high = (nanquantile(x, 0.5, axis, method=method, keepdims=keepdims) for method in ("lower", "higher"))
    dtype = low.dtype if str(low.dtype).startswith("float") else _core.float64
    return put_out(_middle(_core.astype(low, dtype), _core.astype(high, dtype)), out)
