# SPDX-License-Identifier: Apache-2.0
"""The functions of the namespace: those of the extension, and the ones that are simpler to write in Python."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeAlias

from penstock import _core
from penstock._core import Array
from penstock._plan import Plan

e, inf, nan, pi, newaxis = math.e, math.inf, math.nan, math.pi, None

# Names that the extension has from its tables, and those that are the same in both.
_ELEMENTWISE = tuple(name for name, _ in _core.elementwise_rows())
_REDUCTIONS = ("sum", "prod", "mean", "min", "max", "any", "all", "count_nonzero", "var", "std", "argmin", "argmax")
_VIEWS = (
    "astype", "reshape", "permute_dims", "matrix_transpose", "broadcast_to", "flip", "expand_dims", "squeeze", "moveaxis",
    "roll", "concat", "stack",
)  # fmt: skip
_CREATION = ("full", "arange", "linspace", "eye", "tril", "triu")
_DTYPES = (
    "bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float16", "float32", "float64",
    "complex64", "complex128",
)  # fmt: skip
_ENGINE = ("memory_budget", "threads", "opt_level", "simd_target", "on_progress", "stats", "trim", "promote_types", "dtype")
_SAME = (*_ELEMENTWISE, *_REDUCTIONS, *_VIEWS, *_CREATION, *_DTYPES, *_ENGINE)
globals().update({name: getattr(_core, name) for name in _SAME})

Path: TypeAlias = "str | os.PathLike[str]"
Shape: TypeAlias = "int | Sequence[int]"


def open(path: Path, dtype: Any = None, shape: Shape | None = None, offset: int = 0, strict: bool = False) -> Array:
    """Open a file as a lazy array; no element is read.

    Without ``dtype``: a ``.npy`` file (versions 1 to 3, C or Fortran order, either byte order). With ``dtype``: bare
    elements in C order from byte ``offset`` on; ``shape`` defaults to one dimension up to the end of the file. float16
    is read as float32. ``strict`` refuses bytes behind the data, which otherwise give a warning.

    Raises MissingFileError (a FileNotFoundError), FormatError, TruncatedFileError, DTypeError or UnsafePathError.
    """
    return _core.open(os.fspath(path), dtype, shape, offset, strict)


def asarray(obj: Any, /, *, dtype: Any = None, copy: bool | None = None) -> Array:
    """An array of anything: NumPy arrays and other buffers (any strides) and DLPack tensors without a copy.

    Borrowed memory is read when the array is evaluated; ``copy=True`` freezes it now.
    """
    return _core.asarray(obj, dtype, copy=copy)


def save(array: Any, path: Path, overwrite: bool = True) -> None:
    """Evaluate into a durable ``.npy`` file in C order: temporary file, sync, rename. The file may be an input.

    Nothing is left behind on an error. Raises NoSpaceError, FileError, BudgetError.
    """
    _core.save(array, os.fspath(path), overwrite)


def evaluate(*arrays: Array) -> tuple[Array, ...]:
    """Evaluate arrays in as few passes over their sources as fusion allows; they keep their elements."""
    _core.evaluate(*arrays)
    return arrays


def plan(*arrays: Array, save: bool = False) -> Plan:
    """What evaluating (with ``save``: saving) the arrays would do. Reads no data."""
    return Plan(_core.explain(list(arrays), save))


def show_config() -> dict[str, Any]:
    """Versions, CPU targets found and chosen, caches, threads, memory, cgroup limits and settings in force."""
    return dict(_core.config())


def histogram(
    x: Any, bins: int | Sequence[float] = 10, range: tuple[float, float] | None = None
) -> tuple[Array, Array]:
    """Counts (int64) and edges (float64) of a histogram with fixed edges.

    ``bins`` is a number of even bins over ``range``, which it then needs, or the ascending edges themselves. Bins are
    closed below and open above, the last one closed; values outside and NaN are not counted.
    """
    if isinstance(bins, int):
        if range is None:
            raise _core.errors.ArgumentError("histogram with a number of bins needs range=(low, high)")
        edges = _core.even_edges(bins, *range)
    else:
        edges = [float(edge) for edge in bins]
    import numpy

    return _core.histogram_counts(x, edges), asarray(numpy.asarray(edges, dtype=numpy.float64))


def zeros(shape: Shape, *, dtype: Any = None) -> Array:
    """Zeros; takes no memory until evaluated."""
    return _core.full(shape, 0, dtype=dtype or _core.float64)


def ones(shape: Shape, *, dtype: Any = None) -> Array:
    """Ones; takes no memory until evaluated."""
    return _core.full(shape, 1, dtype=dtype or _core.float64)


def empty(shape: Shape, *, dtype: Any = None) -> Array:
    """Elements of no particular value: zeros."""
    return zeros(shape, dtype=dtype)


def zeros_like(x: Array, *, dtype: Any = None) -> Array:
    """Zeros of the shape and dtype of ``x``."""
    return zeros(x.shape, dtype=dtype or x.dtype)


def ones_like(x: Array, *, dtype: Any = None) -> Array:
    """Ones of the shape and dtype of ``x``."""
    return ones(x.shape, dtype=dtype or x.dtype)


def empty_like(x: Array, *, dtype: Any = None) -> Array:
    """Elements of no particular value, of the shape and dtype of ``x``."""
    return zeros_like(x, dtype=dtype)


def full_like(x: Array, fill_value: complex, *, dtype: Any = None) -> Array:
    """``fill_value`` everywhere, in the shape and dtype of ``x``."""
    return _core.full(x.shape, fill_value, dtype=dtype or x.dtype)


def from_dlpack(x: Any, /, *, device: Any = None, copy: bool | None = None) -> Array:
    """An array of a DLPack tensor on the CPU, without a copy."""
    return asarray(x, copy=copy)


def meshgrid(*arrays: Array, indexing: str = "xy") -> tuple[Array, ...]:
    """Coordinate arrays of 1-D ``arrays``; views, no copies."""
    if indexing not in ("xy", "ij"):
        raise _core.errors.ArgumentError(f"indexing is {indexing!r}; use 'xy' or 'ij'")
    shape = [len(array) for array in arrays]
    order = list(builtins_range(len(arrays)))
    if indexing == "xy" and len(arrays) > 1:
        order[0], order[1] = 1, 0
        shape[0], shape[1] = shape[1], shape[0]
    placed = []
    for i, array in enumerate(arrays):
        own = [1] * len(arrays)
        own[order[i]] = len(array)
        placed.append(_core.broadcast_to(_core.reshape(array, own), shape))
    return tuple(placed)


def broadcast_arrays(*arrays: Array) -> tuple[Array, ...]:
    """The arrays broadcast against each other; views."""
    import numpy

    shape = numpy.broadcast_shapes(*(array.shape for array in arrays))
    return tuple(_core.broadcast_to(array, shape) for array in arrays)


def _dims(shape: Iterable[Any]) -> Any:
    dims = tuple(shape)
    return dims[0] if len(dims) == 1 and not isinstance(dims[0], int) else dims


def _method(name: str) -> Callable[..., Any]:
    function = getattr(_core, name)

    # A function of the extension does not bind to an instance by itself.
    def method(self: Array, *args: Any, **kwargs: Any) -> Any:
        return function(self, *args, **kwargs)

    method.__name__ = name
    method.__doc__ = function.__doc__
    return method


def _add_methods() -> None:
    """Functions of one array as methods, as NumPy's users expect them."""
    for name in (*_REDUCTIONS, "astype", "squeeze", "conj", "clip", "round"):
        setattr(Array, name, _method(name))
    setattr(Array, "reshape", lambda self, *shape: _core.reshape(self, _dims(shape)))
    setattr(Array, "transpose", lambda self, *axes: _core.permute_dims(
        self, _dims(axes) if axes else tuple(reversed(builtins_range(self.ndim)))))
    setattr(Array, "to_device", lambda self, device, /, *, stream=None: self)
    setattr(Array, "real", property(_core.real))
    setattr(Array, "imag", property(_core.imag))


from builtins import range as builtins_range  # noqa: E402

_add_methods()

__all__ = [
    *_SAME,
    "Array", "asarray", "broadcast_arrays", "e", "empty", "empty_like", "evaluate", "from_dlpack", "full_like",
    "histogram", "inf", "meshgrid", "nan", "newaxis", "ones", "ones_like", "open", "pi", "plan", "save", "show_config",
    "zeros", "zeros_like",
]  # fmt: skip
