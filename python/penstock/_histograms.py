# SPDX-License-Identifier: Apache-2.0
"""Counting by place and by value under NumPy's names: bincount, histogram, histogram_bin_edges, digitize."""

from __future__ import annotations

import builtins
import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypeAlias

from penstock import _core
from penstock._arguments import array, integer, shown
from penstock._core import Array
from penstock._quantiles import quantile
from penstock._shapes import flat
from penstock._stacks import is_complex, is_integer

Bins: TypeAlias = "int | str | Sequence[float] | Array"
Range: TypeAlias = "tuple[float, float] | None"

_MOST_BINS = 1 << 30
_MOST_COUNTED = 4096  # bins that every thread has counters of its own for


def bincount(x: Any, /, weights: Any = None, minlength: int = 0) -> Array:
    """How often each of 0, 1, 2, ... occurs in the vector ``x``, or the sum of its ``weights`` there, added up in the
    order of ``x``.

    The greatest integer is found at the call, the counts in another pass.

    Shapes: (n,) gives (max(x) + 1,), at least (minlength,).
    Dtypes: integers and bool; int64 without weights, else float64.
    Raises DTypeError for what are no integers and weights that are no real numbers, ShapeError for what is no vector
    and weights that do not fit, ArgumentError for negative integers and lengths.
    Beyond the standard: NumPy's bincount.
    """
    x = array(x)
    if x.size == 0 and x.ndim == 1:
        x = _core.astype(x, _core.int64)
    if not (is_integer(x) or x.dtype == _core.bool):
        raise _core.errors.DTypeError(f"bincount counts integers; got {x.dtype}")
    if x.ndim != 1:
        raise _core.errors.ShapeError(f"bincount takes a vector; got shape {x.shape}")
    bins = integer(minlength, "minlength")
    if bins < 0:
        raise _core.errors.ArgumentError(f"minlength is {bins}; give 0 or more")
    if x.size:
        low, high = _core.evaluate(_core.min(x), _core.max(x))
        if int(low) < 0:
            raise _core.errors.ArgumentError(f"bincount of {int(low)}; the integers are not negative")
        bins = max(bins, int(high) + 1)
    places = _core.astype(x, _core.int64)
    if weights is not None:
        weights = array(weights)
        if is_complex(weights):
            raise _core.errors.DTypeError(f"weights are real numbers; got {weights.dtype}")
        if weights.shape != x.shape:
            raise _core.errors.ShapeError(f"weights of shape {weights.shape} do not fit a vector of shape {x.shape}")
        return _core.bin_sums(places, weights, bins)
    # Places that lie in memory as they are counted need no conversion.
    if x.dtype == _core.int64 or not 0 < bins <= _MOST_COUNTED:
        return _core.bin_sums(places, None, bins)
    return _core.histogram_counts(x, _core.even_edges(bins, -0.5, bins - 0.5))


def digitize(x: Any, bins: Any, right: builtins.bool = False) -> Array:
    """The number i of the bin of each element: bins[i - 1] <= x < bins[i], with ``right`` bins[i - 1] < x <= bins[i].

    ``bins`` ascend or descend (then bins[i - 1] > x >= bins[i], with ``right`` bins[i - 1] >= x > bins[i]).

    Shapes: any; the result has that of x.
    Dtypes: all but complex ones; the result is int64.
    Raises ArgumentError for bins that neither ascend nor descend or are no vector of real numbers, DTypeError for
    complex numbers.
    Beyond the standard: NumPy's digitize.
    """
    import numpy

    edges = numpy.asarray(bins)
    if edges.ndim != 1 or edges.dtype.kind not in "biuf":
        raise _core.errors.ArgumentError(f"bins must be a vector of real numbers; got {shown(bins)}")
    ascends, descends = (edges[:-1] <= edges[1:]).all(), (edges[:-1] >= edges[1:]).all()
    if not (ascends or descends):
        raise _core.errors.ArgumentError(f"bins must be a vector that ascends or descends; got {shown(bins)}")
    side = "left" if right else "right"
    if ascends:
        return _core.searchsorted(edges, x, side=side)
    return _core.subtract(edges.size, _core.searchsorted(edges[::-1].copy(), x, side=side))


class _Data(NamedTuple):
    """What the width of bins is found from: the elements, max - min, and how many there are."""

    x: Array
    spread: float
    n: int


def _sturges(data: _Data) -> float:
    return data.spread / (math.log2(data.n) + 1)


def _square_root(data: _Data) -> float:
    return data.spread / math.sqrt(data.n)


def _rice(data: _Data) -> float:
    return data.spread / (2 * math.pow(data.n, 1 / 3))


def _scott(data: _Data) -> float:
    return math.pow(24 * math.sqrt(math.pi) / data.n, 1 / 3) * float(_core.std(data.x))


def _doane(data: _Data) -> float:
    x, n = data.x, data.n
    mean, deviation = (float(each) for each in _core.evaluate(_core.mean(x), _core.std(x)))
    if n <= 2 or not deviation > 0:
        return 0.0
    skewness = float(_core.mean(_core.pow(_core.divide(_core.subtract(x, mean), deviation), 3.0)))
    expected = math.sqrt(6 * (n - 2) / ((n + 1) * (n + 3)))
    return data.spread / (1 + math.log2(n) + math.log2(1 + abs(skewness) / expected))


def _freedman_diaconis(data: _Data) -> float:
    low, high = quantile(data.x, [0.25, 0.75])
    return 2 * float(high - low) * math.pow(data.n, -1 / 3)


def _auto(data: _Data) -> float:
    # Of data most of which is one value the quartiles say nothing: half of the square root's width is the least.
    return min(max(_freedman_diaconis(data), _square_root(data) / 2), _sturges(data))


_WIDTHS: dict[str, Callable[[_Data], float]] = {
    "auto": _auto,
    "doane": _doane,
    "fd": _freedman_diaconis,
    "rice": _rice,
    "scott": _scott,
    "sqrt": _square_root,
    "sturges": _sturges,
}


def _values(a: Any) -> Array:
    x = array(a)
    if is_complex(x):
        raise _core.errors.DTypeError(f"histogram got {x.dtype}; count real, imag or abs")
    x = _core.astype(x, _core.uint8) if x.dtype == _core.bool else x
    return flat(x)


def _pair(given: Any) -> tuple[Any, Any]:
    """The two numbers of a range that was given."""
    try:
        low, high = given
        math.isfinite(low), math.isfinite(high)
    except OverflowError:
        raise _core.errors.ArgumentError(f"range is {shown(given)}; that is outside float64") from None
    except (TypeError, ValueError):
        raise _core.errors.ArgumentError(f"range is {shown(given)}; it takes two numbers, (low, high)") from None
    return low, high


def _limits(x: Array, given: Range) -> tuple[Any, Any]:
    """The ends of the bins: given, or the least and the greatest element."""
    import numpy

    if given is not None:
        low, high = _pair(given)
        if not (math.isfinite(low) and math.isfinite(high)) or low > high:
            raise _core.errors.ArgumentError(f"range ({low}, {high}) is not ascending and finite")
    elif x.size == 0:
        low, high = 0, 1
    else:
        low, high = (numpy.asarray(each).item() for each in _core.evaluate(_core.min(x), _core.max(x)))
        if not (math.isfinite(low) and math.isfinite(high)):
            raise _core.errors.ArgumentError(f"the elements reach from {low} to {high}; give a finite range")
    return (low - 0.5, high + 0.5) if low == high else (low, high)


def _number_of_bins(x: Array, name: str, low: Any, high: Any, given: Range) -> int:
    if name not in _WIDTHS:
        raise _core.errors.ArgumentError(f"bins is {shown(name)}; use a number, edges, or one of {', '.join(_WIDTHS)}")
    if given is not None:
        x = x[_core.logical_and(_core.greater_equal(x, low), _core.less_equal(x, high))]
    if x.size == 0:
        return 1
    ends = _core.evaluate(_core.min(x), _core.max(x))
    width = _WIDTHS[name](_Data(x, float(ends[1]) - float(ends[0]), x.size))
    if is_integer(x) and 0 < width < 1:
        width = 1.0
    return math.ceil((float(high) - float(low)) / width) if width > 0 else 1


def _edges(x: Array, bins: Bins, given: Range, weights: Any) -> Any:
    """The edges of bins as a NumPy array: even ones in float64, which no dtype of elements rounds."""
    import numpy

    if not isinstance(bins, str) and numpy.ndim(bins) == 1:
        edges = numpy.asarray(bins)
        if edges.dtype.kind not in "biuf":
            raise _core.errors.DTypeError(f"edges are real numbers; got {edges.dtype}")
        if edges.size < 2:
            raise _core.errors.ArgumentError(f"a histogram needs at least 2 edges; got {edges.size}")
        if not (edges[:-1] <= edges[1:]).all():
            raise _core.errors.ArgumentError("edges must ascend, and be no NaN")
        return edges
    if isinstance(bins, str) and weights is not None:
        raise _core.errors.DTypeError("a number of bins is not found for weighted data; give it, or the edges")
    low, high = _limits(x, given)
    number = _number_of_bins(x, bins, low, high, given) if isinstance(bins, str) else integer(bins, "bins")
    if not 1 <= number <= _MOST_BINS:
        raise _core.errors.ArgumentError(f"a histogram has at least 1 bin and at most {_MOST_BINS}; got {number}")
    if not (math.isfinite(high - low) and low < high):
        raise _core.errors.ArgumentError(f"{number} bins between {low} and {high} are not told apart")
    return numpy.asarray(_core.even_edges(number, float(low), float(high)))


def histogram_bin_edges(a: Any, bins: Bins = 10, range: Range = None, weights: Any = None) -> Array:
    """The edges that histogram() counts between.

    ``bins`` is a number of even bins, the ascending edges themselves, or how to find a number: "auto", "doane", "fd",
    "rice", "scott", "sqrt", "sturges". ``range`` is (low, high), by default the least and the greatest element, which
    another pass finds at the call.

    Shapes: any; (bins + 1,).
    Dtypes: all but complex ones; the result is floating, but of edges that are given theirs.
    Raises ArgumentError for edges that do not ascend and a range that is not finite, DTypeError for complex numbers.
    Beyond the standard: NumPy's histogram_bin_edges.
    """
    return array(_edges(_values(a), bins, range, weights))


def _places(x: Array, edges: Any) -> Array:
    """The bin of each element, -1 outside."""
    bins = edges.size - 1
    inside = _core.logical_and(_core.greater_equal(x, edges[0]), _core.less_equal(x, edges[-1]))
    found = _core.subtract(_core.searchsorted(edges, x, side="right"), 1)
    return _core.where(inside, _core.minimum(found, bins - 1), -1)


def _counts(x: Array, edges: Any) -> Array:
    import numpy

    wide = edges.astype(numpy.float64)
    # Integers that double numbers tell apart, finite edges that differ: what the engine counts in one pass.
    exact = x.dtype not in (_core.int64, _core.uint64) or numpy.abs(wide).max() < 2.0**52
    if exact and numpy.isfinite(wide).all() and (wide[:-1] < wide[1:]).all():
        return _core.histogram_counts(x, wide.tolist())
    return _core.bin_sums(_places(x, edges), None, edges.size - 1)


def _weighted(x: Array, edges: Any, weights: Array) -> Array:
    places, bins = _places(x, edges), edges.size - 1
    if not is_complex(weights):
        return _core.astype(_core.bin_sums(places, weights, bins), weights.dtype)
    real, imaginary = (_core.bin_sums(places, f(weights), bins) for f in (_core.real, _core.imag))
    return _core.astype(_core.add(real, _core.multiply(imaginary, 1j)), weights.dtype)


def histogram(
    a: Any, bins: Bins = 10, range: Range = None, density: builtins.bool | None = None, weights: Any = None
) -> tuple[Array, Array]:
    """Counts and edges of a histogram of all elements of ``a``. Streams: works at any size.

    ``bins`` is a number of even bins, the ascending edges themselves, or how to find a number: "auto", "doane", "fd",
    "rice", "scott", "sqrt", "sturges". ``range`` is (low, high), by default the least and the greatest element, which
    another pass finds at the call. Bins are closed below and open above, the last one closed; values outside and NaN
    are not counted. ``weights``, of ``a``'s shape, are added up in the order of the elements. ``density`` divides by
    the total and by the width of each bin.

    Shapes: any; (bins,) counts and (bins + 1,) edges.
    Dtypes: all but complex ones. Counts are int64, with weights in their dtype, with density float64; edges are
    floating.
    Raises ArgumentError for edges that do not ascend and a range that is not finite, ShapeError for weights that do not
    fit, DTypeError for complex numbers.
    Beyond the standard: NumPy's histogram.
    """
    x = _values(a)
    if weights is not None:
        weights = array(weights)
        if weights.shape != array(a).shape:
            raise _core.errors.ShapeError(f"weights of shape {weights.shape} do not fit shape {array(a).shape}")
        weights = flat(weights)
    edges = _edges(x, bins, range, weights)
    counts = _counts(x, edges) if weights is None else _weighted(x, edges, weights)
    if density:
        total = _core.sum(counts)
        counts = _core.divide(_core.divide(counts, array(edges[1:] - edges[:-1])), total)
    return counts, array(edges)
