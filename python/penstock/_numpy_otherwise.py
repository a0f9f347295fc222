# SPDX-License-Identifier: Apache-2.0
"""NumPy's functions that mean something else than the standard's of that name, or that it lacks, under NumPy's names.

``__array_function__`` finds them here. Only what arrays need to pass through NumPy's clients is here; the namespace has
the standard's functions.
"""

from __future__ import annotations

import builtins
from typing import Any

from penstock import _api, _arguments, _core, linalg
from penstock._arguments import arrays_of
from penstock._core import Array
from penstock._indexing import nonzero
from penstock._sets import unique_all
from penstock._shapes import flat, flat_without_axis
from penstock._stacks import is_complex

__all__ = [
    "apply_along_axis", "argpartition", "argsort", "array", "asanyarray", "atleast_1d", "atleast_2d", "column_stack",
    "copy", "cumprod", "cumsum", "diagonal", "empty_like", "full_like", "hstack", "iscomplexobj", "isrealobj",
    "ones_like", "partition", "ravel", "save", "sort", "squeeze", "swapaxes", "take", "trace", "unique", "vstack",
    "where", "zeros_like",
]  # fmt: skip


def array(x: Any, dtype: Any = None) -> Array:
    """Of anything, copied."""
    return _core.asarray(x, dtype, copy=True)


def asanyarray(x: Any, dtype: Any = None) -> Array:
    """Of anything, as asarray."""
    return _core.asarray(x, dtype, copy=None)


def apply_along_axis(func1d: Any, axis: builtins.int, x: Array, *args: Any, **kwargs: Any) -> Array:
    """What a function of NumPy vectors makes of each line along an axis; evaluates at the call."""
    import numpy

    return _arguments.array(numpy.apply_along_axis(func1d, axis, numpy.asarray(x), *args, **kwargs))


def zeros_like(x: Array, dtype: Any = None, shape: Any = None) -> Array:
    """Zeros of the shape and dtype of an array, unless others are given."""
    return full_like(x, 0, dtype, shape)


def ones_like(x: Array, dtype: Any = None, shape: Any = None) -> Array:
    """Ones of the shape and dtype of an array, unless others are given."""
    return full_like(x, 1, dtype, shape)


def empty_like(x: Array, dtype: Any = None, shape: Any = None) -> Array:
    """Zeros of the shape and dtype of an array, unless others are given."""
    return zeros_like(x, dtype, shape)


def full_like(x: Array, fill_value: Any, dtype: Any = None, shape: Any = None) -> Array:
    """One value everywhere, of the shape and dtype of an array, unless others are given."""
    wanted = x.dtype if dtype is None else dtype
    return _core.full(x.shape if shape is None else shape, fill_value, dtype=wanted)


def squeeze(x: Array, axis: Any = None) -> Array:
    """Without axes of extent 1; of all of them without ``axis``."""
    single = tuple(i for i, n in enumerate(x.shape) if n == 1)
    return _core.squeeze(x, axis=single if axis is None else axis)


def take(x: Any, indices: Any, axis: builtins.int | None = None) -> Array:
    """Elements by their places along an axis; without one, of the array flattened."""
    x, axis = flat_without_axis(_arguments.array(x), axis)
    return _core.take(x, indices, axis=axis)


def sort(x: Array, axis: builtins.int | None = -1) -> Array:
    """Sorted along an axis; flattened for None."""
    x, axis = flat_without_axis(x, axis)
    return _core.sort(x, axis=axis)


def argsort(x: Array, axis: builtins.int | None = -1) -> Array:
    """Places in sorted order along an axis; flattened for None."""
    x, axis = flat_without_axis(x, axis)
    return _core.argsort(x, axis=axis)


def partition(x: Array, kth: Any, axis: builtins.int | None = -1) -> Array:  # noqa: ARG001 - sorted, all are in place
    """Sorted, which is a partition at every place."""
    return sort(x, axis)


def argpartition(x: Array, kth: Any, axis: builtins.int | None = -1) -> Array:  # noqa: ARG001 - as partition
    """Places in sorted order, which is a partition at every place."""
    return argsort(x, axis)


def cumsum(x: Array, axis: builtins.int | None = None, dtype: Any = None) -> Array:
    """Sums up to each element along an axis; without one, of the array flattened."""
    x, axis = flat_without_axis(x, axis)
    return _core.cumulative_sum(x, axis=axis, dtype=dtype)


def cumprod(x: Array, axis: builtins.int | None = None, dtype: Any = None) -> Array:
    """Products up to each element along an axis; without one, of the array flattened."""
    x, axis = flat_without_axis(x, axis)
    return _core.cumulative_prod(x, axis=axis, dtype=dtype)


def where(condition: Any, *choices: Any) -> Any:
    """Elements of one or the other array; places of nonzero elements without them."""
    return _core.where(condition, *choices) if choices else nonzero(condition)


def diagonal(x: Array, offset: builtins.int = 0, axis1: builtins.int = 0, axis2: builtins.int = 1) -> Array:
    """Diagonals in the plane of two axes, by default the first two."""
    return linalg.diagonal(_core.moveaxis(x, (axis1, axis2), (-2, -1)), offset=offset)


def trace(
    x: Array, offset: builtins.int = 0, axis1: builtins.int = 0, axis2: builtins.int = 1, dtype: Any = None
) -> Array:
    """Sums of diagonals in the plane of two axes, by default the first two."""
    return linalg.trace(_core.moveaxis(x, (axis1, axis2), (-2, -1)), offset=offset, dtype=dtype)


def ravel(x: Array) -> Array:
    """Flattened in C order."""
    return flat(x)


def swapaxes(x: Array, axis1: builtins.int, axis2: builtins.int) -> Array:
    """Two axes in each other's place."""
    return _core.moveaxis(x, (axis1, axis2), (axis2, axis1))


def vstack(arrays: Any) -> Array:
    """Joined along the first axis; vectors are rows."""
    rows = [_core.reshape(each, (1, each.size)) if each.ndim < 2 else each for each in arrays_of(arrays, "vstack")]
    return _core.concat(rows, axis=0)


def hstack(arrays: Any) -> Array:
    """Joined along the second axis, vectors along their only one."""
    parts = [_core.reshape(each, (1,)) if each.ndim == 0 else each for each in arrays_of(arrays, "hstack")]
    return _core.concat(parts, axis=0 if parts[0].ndim == 1 else 1)


def column_stack(arrays: Any) -> Array:
    """Joined along the second axis; vectors are columns."""
    given = arrays_of(arrays, "column_stack")
    return _core.concat([_core.reshape(each, (each.size, 1)) if each.ndim < 2 else each for each in given], axis=1)


def atleast_1d(*arrays: Any) -> Any:
    """With one axis at least."""
    return _at_least(1, arrays)


def atleast_2d(*arrays: Any) -> Any:
    """With two axes at least."""
    return _at_least(2, arrays)


def unique(
    x: Array,
    return_index: builtins.bool = False,
    return_inverse: builtins.bool = False,
    return_counts: builtins.bool = False,
    *,
    equal_nan: builtins.bool = True,
) -> Any:
    """Sorted values, each once, and what else is asked for."""
    values, index, inverse, counts = unique_all(x)
    floating = str(x.dtype).startswith(("float", "complex"))
    missing = int(_core.count_nonzero(_core.isnan(values))) if floating and equal_nan else 0
    if missing > 1:  # they are the last values: one stands for all
        kept = values.size - missing + 1
        last = _core.full((1,), missing, dtype=counts.dtype)
        values, index, inverse = values[:kept], index[:kept], _core.minimum(inverse, kept - 1)
        counts = _core.concat([counts[: kept - 1], last])
    wanted = (True, return_index, return_inverse, return_counts)
    found = tuple(each for each, asked in zip((values, index, inverse, counts), wanted, strict=True) if asked)
    return found if len(found) > 1 else found[0]


def save(file: Any, array: Array) -> None:
    """A ``.npy`` file of the array."""
    _api.save(array, file)


def copy(x: Array) -> Array:
    """An array that no lender's memory changes."""
    return _core.asarray(x, None, copy=True)


def iscomplexobj(x: Array) -> builtins.bool:
    """Whether the dtype is complex."""
    return is_complex(x)


def isrealobj(x: Array) -> builtins.bool:
    """Whether the dtype is not complex."""
    return not is_complex(x)


def _at_least(rank: builtins.int, arrays: Any) -> Any:
    given = map(_arguments.array, arrays)
    grown = tuple(_core.reshape(each, (*(1,) * (rank - each.ndim), *each.shape)) for each in given)
    return grown if len(grown) != 1 else grown[0]
