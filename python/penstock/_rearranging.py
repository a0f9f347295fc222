# SPDX-License-Identifier: Apache-2.0
"""Arrays made of others' elements, again and again, pairwise or turned: repeat, tile, pad, diff, transpose."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from penstock import _core
from penstock._arguments import array, integer, integers, normal_axis, shown
from penstock._core import Array
from penstock._dtypes import isdtype
from penstock._shapes import flat_without_axis


def repeat(x: Any, repeats: int | Any, /, *, axis: int | None = None) -> Array:
    """Each element of ``x`` ``repeats`` times along ``axis``; without one, of ``x`` flattened.

    ``repeats`` is a number, or an array of one for each element along the axis, which is evaluated at the call.

    Shapes: any; the axis has the sum of the repeats.
    Dtypes: any; the result has that of x. Repeats are integers or bool.
    Raises ArgumentError for negative repeats, ShapeError where their number does not fit, AxisError, DTypeError for
    repeats that are no integers.
    Array API standard 2025.12: manipulation_functions, repeat.
    """
    x = array(x)
    x, axis = flat_without_axis(x, axis)
    axis = normal_axis(axis, x.ndim)
    if not isinstance(repeats, int):
        repeats = array(repeats)
        if not isdtype(repeats.dtype, ("integral", "bool")):
            raise _core.errors.DTypeError(f"repeats is of {repeats.dtype}; it takes integers")
        if repeats.size != 1:
            return _repeat_each(x, repeats, axis)
        repeats = int(_core.reshape(repeats, ()))
    if repeats < 0:
        raise _core.errors.ArgumentError(f"repeats is {repeats}; an element is there 0 times or more")
    n = x.shape[axis]
    spread = (*x.shape[: axis + 1], repeats, *x.shape[axis + 1 :])
    whole = (*x.shape[:axis], n * repeats, *x.shape[axis + 1 :])
    return _core.reshape(_core.broadcast_to(_core.expand_dims(x, axis + 1), spread), whole)


def _repeat_each(x: Array, repeats: Array, axis: int) -> Array:
    if repeats.shape != (x.shape[axis],):
        raise _core.errors.ShapeError(
            f"repeats of shape {repeats.shape} do not fit axis {axis} of extent {x.shape[axis]}"
        )
    if repeats.size == 0:
        return x
    if int(_core.min(repeats)) < 0:
        raise _core.errors.ArgumentError("repeats has a negative number; an element is there 0 times or more")
    ends = _core.cumulative_sum(_core.astype(repeats, _core.int64))
    total = int(ends[-1])
    return _core.take(x, _core.searchsorted(ends, _core.arange(total), side="right"), axis=axis)


def tile(x: Any, repetitions: Sequence[int], /) -> Array:
    """``x`` side by side ``repetitions`` times along each axis; missing axes of either count as 1.

    Shapes: any; each extent times its repetitions.
    Dtypes: any; the result has that of x.
    Raises ArgumentError for negative repetitions and those beyond 64 bits, ShapeError for more than 2^63 - 1 elements,
    DTypeError for what is no integer.
    Array API standard 2025.12: manipulation_functions, tile.
    """
    x = array(x)
    repetitions = integers(repetitions, "repetitions")
    if any(each < 0 for each in repetitions):
        raise _core.errors.ArgumentError(f"repetitions is {repetitions}; give numbers of 0 or more")
    rank = max(x.ndim, len(repetitions))
    shape = (1,) * (rank - x.ndim) + x.shape
    repetitions = (1,) * (rank - len(repetitions)) + repetitions
    apart = [extent for n in shape for extent in (1, n)]
    spread = [extent for r, n in zip(repetitions, shape, strict=True) for extent in (r, n)]
    whole = [r * n for r, n in zip(repetitions, shape, strict=True)]
    return _core.reshape(_core.broadcast_to(_core.reshape(x, apart), spread), whole)


def transpose(x: Any, axes: Sequence[int] | None = None) -> Array:
    """The axes of ``x`` in another order, without ``axes`` reversed; a view. permute_dims() is the standard's name.

    Shapes: any; axis k of the result is axis axes[k] of x.
    Dtypes: any; the result has that of x.
    Raises AxisError for axes that are not each named once, DTypeError for what is no integer and what holds no numbers.
    Beyond the standard: NumPy's transpose.
    """
    x = array(x)
    return _core.permute_dims(x, tuple(range(x.ndim))[::-1] if axes is None else axes)


_PLACES = ("edge", "reflect", "symmetric", "wrap")  # the modes that only choose elements


def pad(x: Any, pad_width: Any, mode: str = "constant", *, constant_values: Any = 0) -> Array:
    """``x`` with elements put before and after it along each axis; lazy.

    ``pad_width``: a number, a pair (before, after), or a pair for each axis. ``mode``: "constant" (``constant_values``,
    a number, or like ``pad_width``), "edge", "reflect", "symmetric" or "wrap".

    Shapes: any; each extent grows by its two widths.
    Dtypes: any; the result has that of x.
    Raises ArgumentError for other modes, negative widths and those of another form, ShapeError for an axis without
    elements to pad with, DTypeError for what holds no numbers.
    Beyond the standard: NumPy's pad.
    """
    import numpy

    out = array(x)
    if mode != "constant" and mode not in _PLACES:
        raise _core.errors.ArgumentError(f"mode is {shown(mode)}; use 'constant', {', '.join(map(repr, _PLACES))}")
    try:
        given = numpy.asarray(pad_width).astype(numpy.int64, casting="safe")
        widths = numpy.broadcast_to(given, (out.ndim, 2)).tolist()
        values = numpy.broadcast_to(numpy.asarray(constant_values), (out.ndim, 2)).tolist()
    except (TypeError, ValueError, OverflowError):
        raise _core.errors.ArgumentError(
            f"pad_width is {shown(pad_width)} and constant_values {shown(constant_values)}; give a number, a pair, or "
            f"a pair for each of {out.ndim} axes"
        ) from None
    for axis, (before, after) in enumerate(widths):
        if before < 0 or after < 0:
            raise _core.errors.ArgumentError(f"pad_width of axis {axis} is {(before, after)}; it can't be negative")
        if before == after == 0:
            continue
        if mode == "constant":
            ends = [
                _core.full((*out.shape[:axis], n, *out.shape[axis + 1 :]), value, dtype=out.dtype)
                for n, value in zip((before, after), values[axis], strict=True)
            ]
            out = _core.concat([ends[0], out, ends[1]], axis=axis)
        elif out.shape[axis] == 0:
            raise _core.errors.ShapeError(f"axis {axis} of shape {out.shape} has no elements to pad with")
        else:
            places = numpy.pad(numpy.arange(out.shape[axis]), (before, after), mode)  # type: ignore[call-overload]
            out = _core.take(out, places, axis=axis)
    return out


def diff(x: Any, /, *, axis: int = -1, n: int = 1, prepend: Array | None = None, append: Array | None = None) -> Array:
    """Differences of neighbours along ``axis``, taken ``n`` times; of bool whether they differ.

    ``prepend`` and ``append`` are put before and behind ``x`` first.

    Shapes: any but (); the axis is shorter by n.
    Dtypes: any; the result has that of x.
    Raises ArgumentError for a negative n, ShapeError for an array without axes and parts that do not fit, AxisError,
    DTypeError for what holds no numbers.
    Array API standard 2025.12: utility_functions, diff.
    """
    result, n = array(x), integer(n, "n")
    if n < 0:
        raise _core.errors.ArgumentError(f"n is {n}; differences are taken 0 times or more")
    if result.ndim == 0:
        raise _core.errors.ShapeError("diff needs at least one axis")
    axis = normal_axis(axis, result.ndim)
    if prepend is not None or append is not None:
        result = _core.concat([part for part in (prepend, result, append) if part is not None], axis=axis)
    differ = _core.not_equal if result.dtype == _core.bool else _core.subtract
    before = (slice(None),) * axis
    for _ in range(min(n, result.shape[axis])):  # after so many nothing is left
        result = differ(result[(*before, slice(1, None))], result[(*before, slice(None, -1))])
    return result
