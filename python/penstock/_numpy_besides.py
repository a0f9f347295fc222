# SPDX-License-Identifier: Apache-2.0
"""NumPy's functions that the namespace has not, made of those that it has: lazy where these are, at any size.

``__array_function__`` finds them here under NumPy's names.
"""

from __future__ import annotations

import builtins
import itertools
import math
import sys
from collections.abc import Callable, Iterable
from typing import Any

from penstock import _arguments, _core, fft, linalg
from penstock._arguments import arrays_of, integer, integers, normal_axis, shown
from penstock._core import Array
from penstock._indexing import nonzero
from penstock._rearranging import diff
from penstock._sets import isin, unique_values
from penstock._shapes import broadcast_shapes, flat, flat_without_axis
from penstock._stacks import is_complex, quietly
from penstock._statistics import array_equal

__all__ = [
    "angle", "append", "argwhere", "around", "array_equiv", "array_repr", "array_split", "array_str", "atleast_3d",
    "compress", "copyto", "diag", "dstack", "ediff1d", "extract", "flatnonzero", "fliplr", "flipud", "imag", "inner",
    "interp", "intersect1d", "iscomplex", "isreal", "nan_to_num", "rot90", "round", "setdiff1d", "size", "split",
    "trapezoid", "union1d", "vdot",
]  # fmt: skip


def size(x: Any, axis: builtins.int | tuple[builtins.int, ...] | None = None) -> builtins.int:
    """The number of elements, of all or along one axis or several."""
    of = _arguments.array(x)
    return of.size if axis is None else math.prod(of.shape[each] for each in _distinct_axes(axis, "axis", of.ndim))


def _distinct_axes(axes: Any, name: str, rank: builtins.int) -> tuple[builtins.int, ...]:
    """Axes counted from the front, none of them twice."""
    found = tuple(normal_axis(each, rank, name) for each in integers(axes, name))
    if len(set(found)) != len(found):
        raise _core.errors.AxisError(f"{name} {shown(axes)} name an axis twice")
    return found


def round(x: Any, decimals: builtins.int = 0) -> Array:
    """Rounded to so many decimals, halves to even: as NumPy does, after a multiplication by a power of ten."""
    x, decimals = _arguments.array(x), integer(decimals, "decimals")
    whole = str(x.dtype).startswith(("int", "uint"))
    if decimals == 0 or (whole and decimals > 0):
        return _core.round(x)
    # Beyond float64 the power is infinite, and what there is of floats NaN.
    power = 10.0 ** abs(decimals) if abs(decimals) <= sys.float_info.max_10_exp else math.inf
    forth, back = (_core.multiply, _core.divide) if decimals > 0 else (_core.divide, _core.multiply)
    return _core.astype(back(_core.round(forth(x, power)), power), x.dtype)


around = round


def nan_to_num(
    x: Any, copy: builtins.bool = True, nan: float = 0.0, posinf: float | None = None, neginf: float | None = None
) -> Array:
    """Numbers for NaN and infinities, by default 0 and the largest of the dtype."""
    del copy  # arrays are values
    given = _arguments.array(x)
    if not str(given.dtype).startswith(("float", "complex")):
        return given
    import numpy

    if is_complex(given):
        # Arithmetic makes no complex number of an infinite part: 1j times infinity has a real part too, NaN.
        def fill(out: Any, tile: Any) -> None:
            out[...] = numpy.nan_to_num(tile, nan=nan, posinf=posinf, neginf=neginf)

        fill(numpy.zeros(1, str(given.dtype)), numpy.zeros(1))  # says at the call what is no number
        return _core.reshape(_core.stacked("nan_to_num", fill, [flat(given)], (given.size,), given.dtype), given.shape)
    largest = float(numpy.finfo(str(given.dtype)).max)
    found = _core.where(_core.isnan(given), float(nan), given)
    found = _core.where(_core.equal(given, math.inf), largest if posinf is None else float(posinf), found)
    return _core.where(_core.equal(given, -math.inf), -largest if neginf is None else float(neginf), found)


def argwhere(x: Any) -> Array:
    """Places of nonzero elements, one a row, which without axes is empty; looked for at the call."""
    x = _arguments.array(x)
    if x.ndim == 0:
        return _core.full((builtins.int(builtins.bool(x)), 0), 0, dtype=_core.int64)
    return _core.stack(nonzero(x), axis=1)


def flatnonzero(x: Any) -> Array:
    """Places of nonzero elements of the array flattened; looked for at the call."""
    return _core.flat_nonzero(_arguments.array(x))


def compress(condition: Any, x: Any, axis: builtins.int | None = None) -> Array:
    """The parts along an axis, of the array flattened without one, where a vector is nonzero."""
    condition = _arguments.array(condition)
    if condition.ndim != 1:
        raise _core.errors.ShapeError(
            f"the condition of compress is a vector; got shape {condition.shape}; use extract"
        )
    x, along = flat_without_axis(_arguments.array(x), axis)
    return _core.take(x, flatnonzero(condition), axis=along)


def extract(condition: Any, x: Any) -> Array:
    """The elements, flattened, where a condition is nonzero."""
    return compress(flat(_arguments.array(condition)), x)


def diag(v: Any, k: builtins.int = 0) -> Array:
    """The k-th diagonal of a matrix; of a vector the matrix that has it there and zeros elsewhere."""
    x, k = _arguments.array(v), integer(k, "k")
    if x.ndim == 2:
        return linalg.diagonal(x, offset=k)
    if x.ndim != 1:
        raise _core.errors.ShapeError(f"diag takes a vector or a matrix; got shape {x.shape}")
    n = x.size + abs(k)
    line = _core.concat([x, _core.full((abs(k),), 0, dtype=x.dtype)])
    line = _core.expand_dims(line, 1 if k >= 0 else 0)
    return _core.where(_core.eye(n, k=k, dtype=_core.bool), line, _core.full((), 0, dtype=x.dtype))


def inner(a: Any, b: Any) -> Array:
    """Sums of products over the last axis of both; nothing is conjugated."""
    x, y = _arguments.array(a), _arguments.array(b)
    return _core.dot(x, y) if 0 in (x.ndim, y.ndim) else _core.tensordot(x, y, axes=((-1,), (-1,)))


def vdot(a: Any, b: Any) -> Array:
    """The sum of conj(a) b over all elements."""
    return _core.vecdot(flat(_arguments.array(a)), flat(_arguments.array(b)))


def append(x: Any, values: Any, axis: builtins.int | None = None) -> Array:
    """Values behind the array: along an axis, or both flattened."""
    return _core.concat([x, values], axis=axis)


def array_split(x: Any, indices_or_sections: Any, axis: builtins.int = 0) -> list[Array]:
    """Parts along an axis: so many, as even as can be, or cut at the places given; views."""
    x = _arguments.array(x)
    axis = normal_axis(axis, x.ndim)
    n = x.shape[axis]
    if isinstance(indices_or_sections, Iterable):
        cuts = [0, *(integer(each, "indices") for each in indices_or_sections), None]
    else:
        parts = integer(indices_or_sections, "indices_or_sections")
        if parts < 1:
            raise _core.errors.ArgumentError(f"an array is split into 1 part or more; got {parts}")
        cuts = [0]
        for i in range(parts):
            cuts.append(cuts[-1] + n // parts + (i < n % parts))
    before = (slice(None),) * axis
    return [x[(*before, slice(begin, end))] for begin, end in itertools.pairwise(cuts)]


def split(x: Any, indices_or_sections: Any, axis: builtins.int = 0) -> list[Array]:
    """As array_split(); so many parts are all of one extent."""
    x = _arguments.array(x)
    if not isinstance(indices_or_sections, Iterable):
        parts, n = integer(indices_or_sections, "indices_or_sections"), x.shape[normal_axis(axis, x.ndim)]
        if parts > 0 and n % parts:
            raise _core.errors.ArgumentError(f"an extent of {n} has no {parts} equal parts; use array_split")
    return array_split(x, indices_or_sections, axis)


def flipud(x: Any) -> Array:
    """The first axis reversed; a view."""
    return _core.flip(x, axis=0)


def fliplr(x: Any) -> Array:
    """The second axis reversed; a view."""
    return _core.flip(x, axis=1)


def rot90(x: Any, k: builtins.int = 1, axes: tuple[builtins.int, builtins.int] = (0, 1)) -> Array:
    """Turned k times by a right angle, from the first of two axes to the second; a view."""
    x = _arguments.array(x)
    plane = _distinct_axes(axes, "axes", x.ndim)
    if len(plane) != 2:
        raise _core.errors.ArgumentError(f"axes is {shown(axes)}; rot90 turns from one axis to another: give two")
    first, second = plane
    turned = (lambda: x, lambda: _core.flip(_core.moveaxis(x, (first, second), (second, first)), axis=first),
              lambda: _core.flip(x, axis=(first, second)),
              lambda: _core.flip(_core.moveaxis(x, (first, second), (second, first)), axis=second))  # fmt: skip
    return turned[integer(k, "k") % 4]()


def imag(x: Any) -> Array:
    """Imaginary parts; of real numbers zeros."""
    return _arguments.array(x).imag


def isreal(x: Any) -> Array:
    """Whether the imaginary part is 0."""
    return _core.equal(imag(x), imag(_core.full((), 0, dtype=_arguments.array(x).dtype)))


def iscomplex(x: Any) -> Array:
    """Whether the imaginary part is not 0."""
    return _core.logical_not(isreal(x))


def angle(z: Any, deg: builtins.bool = False) -> Array:
    """The angle of complex numbers in (-pi, pi], or in degrees."""
    x = _arguments.array(z)
    turned = _core.atan2(x.imag, x.real)
    return _core.multiply(turned, 180 / math.pi) if deg else turned


def atleast_3d(*arrays: Any) -> Any:
    """With three axes at least: a vector is the middle one, a matrix the first two."""
    grown = tuple(
        each if each.ndim > 2 else _core.expand_dims(each, {0: (0, 1, 2), 1: (0, 2), 2: (2,)}[each.ndim])
        for each in arrays_of(arrays, "atleast_3d")
    )
    return grown if len(grown) != 1 else grown[0]


def dstack(arrays: Any) -> Array:
    """Joined along the third axis."""
    parts = arrays_of(arrays, "dstack")
    return _core.concat([atleast_3d(each) for each in parts], axis=2)


def trapezoid(y: Any, x: Any = None, dx: float = 1.0, axis: builtins.int = -1) -> Array:
    """The integral along an axis by the trapezoidal rule, over places ``x`` or steps ``dx``."""
    y, given = _arguments.array(y), axis
    axis = normal_axis(axis, y.ndim)
    steps: Any = dx
    if x is not None:
        places = _arguments.array(x)
        if places.ndim == 1:
            steps = _core.reshape(diff(places), [-1 if d == axis else 1 for d in range(y.ndim)])
        else:
            steps = diff(places, axis=given)
    lines = _core.moveaxis(y, axis, -1)
    sums = _core.moveaxis(_core.add(lines[..., 1:], lines[..., :-1]), -1, axis)
    return _core.sum(_core.divide(_core.multiply(sums, steps), 2.0), axis=axis)


def interp(x: Any, xp: Any, fp: Any, left: Any = None, right: Any = None, period: Any = None) -> Array:
    """Linear interpolation between points in ascending order, which are evaluated at the call."""
    import numpy

    places, values = numpy.asarray(xp), numpy.asarray(fp)
    at = _arguments.array(x)
    dtype = "complex128" if values.dtype.kind == "c" else "float64"
    interpolate: Callable[..., Any] = quietly(lambda tile: numpy.interp(tile, places, values, left, right, period))
    interpolate(numpy.zeros(1))  # says at the call what is wrong with the points

    def fill(out: Any, tile: Any) -> None:
        out[...] = interpolate(tile)

    return _core.reshape(_core.stacked("interp", fill, [flat(at)], (at.size,), dtype), at.shape)


def ediff1d(x: Any, to_end: Any = None, to_begin: Any = None) -> Array:
    """Differences of neighbours of the array flattened; before and behind them what has their kind of dtype."""
    found = diff(flat(_arguments.array(x)))
    before, behind = _end_of("to_begin", to_begin, found), _end_of("to_end", to_end, found)
    return _core.concat([*before, found, *behind])


def _end_of(name: str, given: Any, found: Array) -> list[Array]:
    import numpy

    if given is None:
        return []
    end = _arguments.array(given)
    if not numpy.can_cast(str(end.dtype), str(found.dtype), "same_kind"):
        raise _core.errors.DTypeError(f"{name} of {end.dtype} is not put beside differences of {found.dtype}")
    return [flat(_core.astype(end, found.dtype))]


def union1d(a: Any, b: Any) -> Array:
    """The distinct elements of both, ascending."""
    return unique_values(_core.concat([a, b], axis=None))


def intersect1d(a: Any, b: Any) -> Array:
    """The distinct elements that both have, ascending."""
    found = unique_values(a)
    return compress(isin(found, b), found)


def setdiff1d(a: Any, b: Any) -> Array:
    """The distinct elements of the first that the second has not, ascending."""
    found = unique_values(a)
    return compress(isin(found, b, invert=True), found)


def array_equiv(a: Any, b: Any) -> builtins.bool:
    """Whether one broadcasts to the other and all elements are equal; evaluates."""
    x, y = _arguments.array(a), _arguments.array(b)
    try:
        shape = broadcast_shapes(x.shape, y.shape)
    except _core.errors.ShapeError:
        return False
    return array_equal(_core.broadcast_to(x, shape), _core.broadcast_to(y, shape))


def array_repr(x: Array) -> str:
    """What repr() gives."""
    return repr(x)


def array_str(x: Array) -> str:
    """What str() gives."""
    return str(x)


def copyto(dst: Any, src: Any, casting: str = "same_kind", where: Any = True) -> None:
    """Puts elements into a NumPy array, or gives an array another value."""
    from penstock._ufuncs import into

    into(dst, _arguments.array(src), where, casting)


def _svd(x: Any, full_matrices: builtins.bool = True, compute_uv: builtins.bool = True) -> Any:
    return linalg.svd(x, full_matrices=full_matrices) if compute_uv else linalg.svdvals(x)


def _of_two_axes(transform: Callable[..., Array]) -> Callable[..., Array]:
    def transformed(x: Any, s: Any = None, axes: Any = (-2, -1), norm: str = "backward") -> Array:
        return transform(x, s=s, axes=axes, norm=norm)

    return transformed


# Those of NumPy's other modules, and other names of functions that there are.
ELSEWHERE: dict[str, Callable[..., Any]] = {
    "amax": _core.max,
    "amin": _core.min,
    "linalg.svd": _svd,
    "fft.fft2": _of_two_axes(fft.fftn),
    "fft.ifft2": _of_two_axes(fft.ifftn),
    "fft.rfft2": _of_two_axes(fft.rfftn),
    "fft.irfft2": _of_two_axes(fft.irfftn),
}
