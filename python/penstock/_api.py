# SPDX-License-Identifier: Apache-2.0
"""The functions of the namespace: those of the extension, and the ones that are simpler to write in Python."""

from __future__ import annotations

import builtins
import math
import os
from collections.abc import Sequence
from typing import Any, TypeAlias

from penstock import _core
from penstock._arguments import array, arrays_of, normal_axis, one_of
from penstock._convolve import convolve, correlate
from penstock._core import Array
from penstock._dtypes import can_cast, finfo, iinfo, isdtype, result_type
from penstock._einsum import einsum, einsum_path
from penstock._histograms import bincount, digitize, histogram, histogram_bin_edges
from penstock._indexing import nonzero
from penstock._info import __array_namespace_info__, check_device
from penstock._info import follows as follows
from penstock._latencies import latencies
from penstock._plan import Plan
from penstock._quantiles import median, nanmedian, nanpercentile, nanquantile, percentile, quantile
from penstock._rearranging import diff, pad, repeat, tile, transpose
from penstock._sets import isin, unique_all, unique_counts, unique_inverse, unique_values
from penstock._shapes import broadcast_shapes, flat
from penstock._statistics import (
    allclose,
    array_equal,
    average,
    corrcoef,
    cov,
    isclose,
    nanargmax,
    nanargmin,
    nancumprod,
    nancumsum,
    nanmax,
    nanmean,
    nanmin,
    nanprod,
    nanstd,
    nansum,
    nanvar,
    ptp,
)
from penstock._trace import trace
from penstock._tune import tune

e, inf, nan, pi, newaxis = math.e, math.inf, math.nan, math.pi, None

# Names that the extension has from its tables, and those that are the same in both.
_ELEMENTWISE = tuple(name for name, *_ in _core.elementwise_rows())
_REDUCTIONS = ("sum", "prod", "mean", "min", "max", "any", "all", "count_nonzero", "var", "std", "argmin", "argmax")
_PRODUCTS = ("matmul", "dot", "vecdot", "tensordot")
_VIEWS = (
    "astype", "reshape", "permute_dims", "matrix_transpose", "broadcast_to", "flip", "expand_dims", "squeeze",
    "moveaxis", "roll", "concat", "stack",
)  # fmt: skip
_CHOICES = (
    "take", "take_along_axis", "sort", "argsort", "searchsorted", "cumulative_sum", "cumulative_prod",
)  # fmt: skip
_CREATION = ("full", "arange", "eye", "tril", "triu")
_DTYPES = (
    "bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float16", "float32", "float64",
    "complex64", "complex128",
)  # fmt: skip
_ENGINE = (
    "memory_budget", "threads", "opt_level", "simd_target", "on_progress", "stats", "trim", "tuning", "promote_types",
    "dtype", "evaluate",
)  # fmt: skip
_SAME = (*_ELEMENTWISE, *_REDUCTIONS, *_PRODUCTS, *_VIEWS, *_CHOICES, *_CREATION, *_DTYPES, *_ENGINE)
globals().update({name: getattr(_core, name) for name in _SAME})

# `bool`, `sum` and their like are names of this namespace: annotations mean the built-in ones.
AnyDType: TypeAlias = "_core.AnyDType"
Path: TypeAlias = "str | os.PathLike[str]"
Shape: TypeAlias = "int | Sequence[int]"


def open(
    path: Path,
    dtype: AnyDType | None = None,
    shape: Shape | None = None,
    offset: int = 0,
    strict: builtins.bool = False,
) -> Array:
    """Open a file as a lazy array; no element is read.

    Without ``dtype``: a ``.npy`` file (versions 1 to 3, C or Fortran order, either byte order). With ``dtype``: bare
    elements in C order from byte ``offset`` on; ``shape`` defaults to one dimension up to the end of the file.
    ``strict`` refuses bytes behind the data, which otherwise give a warning.

    Shapes: the file's, or ``shape``.
    Dtypes: any; float16 is read as float32.
    Raises MissingFileError (a FileNotFoundError), FormatError, TruncatedFileError, DTypeError, UnsafePathError, or
    ArgumentError for shape and offset without a dtype.
    Beyond the standard.
    """
    return _core.open(os.fspath(path), dtype, shape, offset, strict)


def asarray(
    obj: Any, /, *, dtype: AnyDType | None = None, device: str | None = None, copy: builtins.bool | None = None
) -> Array:
    """An array of anything: NumPy arrays and other buffers (any strides) and DLPack tensors without a copy, numbers and
    nested lists of them by NumPy's rules.

    Borrowed memory is read when the array is evaluated, an element (``x[3]``) when it is taken; ``copy=True`` freezes
    all of it now, ``copy=False`` refuses what would need a copy. An Array is given back as it is. ``device`` is "cpu"
    or None.

    Shapes: any; numbers have ().
    Dtypes: any; ``dtype`` converts. Without one, that of the object: bool, int64, float64 and complex128 of Python's
    numbers.
    Raises DTypeError for what holds no numbers and what is no dtype; ArgumentError for lists of uneven lengths,
    integers beyond 64 bits, a copy that copy=False forbids, and another device.
    Array API standard 2025.12: creation_functions, asarray.
    """
    check_device(device)
    return _core.asarray(obj, dtype, copy=copy)


def save(array: Any, path: Path, overwrite: builtins.bool = True) -> None:
    """Evaluate into a durable ``.npy`` file in C order: temporary file, sync, rename. The file may be an input.

    A file that exists is replaced; ``overwrite=False`` refuses it. Nothing is left behind on an error.

    Shapes: any.
    Dtypes: any.
    Raises NoSpaceError, FileError, BudgetError, or DTypeError for what holds no numbers.
    Beyond the standard.
    """
    _core.save(array, os.fspath(path), overwrite)


def plan(*arrays: Array, save: builtins.bool | str = False) -> Plan:
    """What evaluating (with ``save``: saving, to that path if it is one) the arrays would do. Reads no data.

    Raises DTypeError for what is no array.
    Beyond the standard.
    """
    path = save if isinstance(save, str) else ""
    return Plan(_core.explain(list(arrays), builtins.bool(save), path))


def show_config() -> dict[str, Any]:
    """Versions, CPU targets found and chosen, caches, threads, memory, cgroup limits and settings in force, a dict.

    Beyond the standard.
    """
    return dict(_core.config())


def zeros(shape: Shape, *, dtype: AnyDType | None = None, device: str | None = None) -> Array:
    """Zeros; takes no memory until evaluated. ``device`` is "cpu" or None.

    Shapes: ``shape``, an extent or several.
    Dtypes: any; float64 without ``dtype``.
    Raises ShapeError for a negative extent and more than 2^63 - 1 elements or bytes, ArgumentError for another device
    and extents beyond 64 bits, DTypeError for what is no extent or dtype.
    Array API standard 2025.12: creation_functions, zeros.
    """
    return _core.full(shape, 0, dtype=_core.float64 if dtype is None else dtype, device=device)


def ones(shape: Shape, *, dtype: AnyDType | None = None, device: str | None = None) -> Array:
    """Ones; takes no memory until evaluated. ``device`` is "cpu" or None.

    Shapes: ``shape``, an extent or several.
    Dtypes: any; float64 without ``dtype``.
    Raises ShapeError for a negative extent and more than 2^63 - 1 elements or bytes, ArgumentError for another device
    and extents beyond 64 bits, DTypeError for what is no extent or dtype.
    Array API standard 2025.12: creation_functions, ones.
    """
    return _core.full(shape, 1, dtype=_core.float64 if dtype is None else dtype, device=device)


def empty(shape: Shape, *, dtype: AnyDType | None = None, device: str | None = None) -> Array:
    """Elements of no particular value: zeros(). ``device`` is "cpu" or None.

    Shapes: ``shape``, an extent or several.
    Dtypes: any; float64 without ``dtype``.
    Raises ShapeError for a negative extent and more than 2^63 - 1 elements or bytes, ArgumentError for another device
    and extents beyond 64 bits, DTypeError for what is no extent or dtype.
    Array API standard 2025.12: creation_functions, empty.
    """
    return zeros(shape, dtype=dtype, device=device)


def zeros_like(x: Array, /, *, dtype: AnyDType | None = None, device: str | None = None) -> Array:
    """Zeros, in the shape and dtype of ``x``; takes no memory until evaluated. ``device`` is "cpu" or None.

    Shapes: any; the result has that of x.
    Dtypes: any; that of x without ``dtype``.
    Raises DTypeError for what holds no numbers and what is no dtype, ArgumentError for another device.
    Array API standard 2025.12: creation_functions, zeros_like.
    """
    return full_like(x, 0, dtype=dtype, device=device)


def ones_like(x: Array, /, *, dtype: AnyDType | None = None, device: str | None = None) -> Array:
    """Ones, in the shape and dtype of ``x``; takes no memory until evaluated. ``device`` is "cpu" or None.

    Shapes: any; the result has that of x.
    Dtypes: any; that of x without ``dtype``.
    Raises DTypeError for what holds no numbers and what is no dtype, ArgumentError for another device.
    Array API standard 2025.12: creation_functions, ones_like.
    """
    return full_like(x, 1, dtype=dtype, device=device)


def empty_like(x: Array, /, *, dtype: AnyDType | None = None, device: str | None = None) -> Array:
    """Elements of no particular value: zeros, in the shape and dtype of ``x``; takes no memory until evaluated.
    ``device`` is "cpu" or None.

    Shapes: any; the result has that of x.
    Dtypes: any; that of x without ``dtype``.
    Raises DTypeError for what holds no numbers and what is no dtype, ArgumentError for another device.
    Array API standard 2025.12: creation_functions, empty_like.
    """
    return zeros_like(x, dtype=dtype, device=device)


def full_like(x: Array, /, fill_value: complex, *, dtype: AnyDType | None = None, device: str | None = None) -> Array:
    """``fill_value`` everywhere, in the shape and dtype of ``x``; takes no memory until evaluated. ``device`` is "cpu"
    or None.

    Shapes: any; the result has that of x.
    Dtypes: any; that of x without ``dtype``.
    Raises DTypeError for what holds no numbers and what is no dtype, ArgumentError for another device and an integer
    outside 64 bits.
    Array API standard 2025.12: creation_functions, full_like.
    """
    x = array(x)
    return _core.full(x.shape, fill_value, dtype=x.dtype if dtype is None else dtype, device=device)


def linspace(
    start: complex,
    stop: complex,
    /,
    num: int,
    *,
    dtype: AnyDType | None = None,
    device: str | None = None,
    endpoint: builtins.bool = True,
) -> Array:
    """``num`` even steps from ``start`` to ``stop``, which ``endpoint=False`` leaves out; takes no memory until
    evaluated. ``device`` is "cpu" or None.

    Shapes: (num,).
    Dtypes: any; without ``dtype`` float64, of complex limits complex128.
    Raises ArgumentError for a negative num and another device, ShapeError for too many elements, DTypeError for complex
    limits as real numbers and what is no dtype.
    Array API standard 2025.12: creation_functions, linspace.
    """
    wanted = None if dtype is None else _core.dtype(dtype)
    if not (isinstance(start, complex) or isinstance(stop, complex) or wanted in (_core.complex64, _core.complex128)):
        return _core.linspace(start, stop, num, dtype=wanted, device=device, endpoint=endpoint)
    if wanted is not None and not isdtype(wanted, "complex floating"):
        raise _core.errors.DTypeError(f"linspace of complex limits as {wanted}; complex dtypes hold them")
    first, last = complex(start), complex(stop)
    real = _core.linspace(first.real, last.real, num, device=device, endpoint=endpoint)
    imaginary = _core.linspace(first.imag, last.imag, num, device=device, endpoint=endpoint)
    result = _core.add(real, _core.multiply(imaginary, 1j))
    return result if wanted is None else _core.astype(result, wanted)


def from_dlpack(x: Any, /, *, device: str | None = None, copy: builtins.bool | None = None) -> Array:
    """An array of an object with ``__dlpack__`` and ``__dlpack_device__``, without a copy where it lies on the CPU.

    ``copy=True`` copies now; ``copy=False``, and no ``device``, refuse what would need one.

    Shapes: that of the object.
    Dtypes: that of the object, where Penstock has it.
    Raises DTypeError for objects without the two methods and for dtypes that Penstock does not hold, BufferError for
    what cannot be exported, ArgumentError for another device than "cpu".
    Array API standard 2025.12: creation_functions, from_dlpack.
    """
    check_device(device)
    if not (hasattr(x, "__dlpack__") and hasattr(x, "__dlpack_device__")):
        raise _core.errors.DTypeError(
            f"from_dlpack takes an object with __dlpack__ and __dlpack_device__; got {type(x).__name__}; use asarray"
        )
    if isinstance(x, Array):
        return asarray(x, copy=copy)
    import numpy

    # Older NumPy takes neither option.
    options: Any = {name: value for name, value in (("device", device), ("copy", copy)) if value is not None}
    return asarray(numpy.from_dlpack(x, **options))


def meshgrid(*arrays: Array, indexing: str = "xy") -> tuple[Array, ...]:
    """Coordinate arrays of vectors, as many axes as vectors; views, no copies.

    ``indexing``: "ij" (the i-th vector varies along axis i) or "xy" (the first two axes swapped). Arrays of several
    axes are taken flattened, as NumPy has it.

    Shapes: (n1,), (n2,), ... give (n1, n2, ...), with "xy" (n2, n1, ...).
    Dtypes: any; each array keeps its own, where the standard wants one for all.
    Raises ArgumentError for another indexing, DTypeError for what holds no numbers.
    Array API standard 2025.12: creation_functions, meshgrid.
    """
    one_of(indexing, "indexing", ("xy", "ij"))
    vectors = [flat(each) for each in arrays_of(arrays, "meshgrid")]
    order = list(builtins.range(len(vectors)))
    if indexing == "xy" and len(vectors) > 1:
        order[0], order[1] = 1, 0
    shape = [0] * len(vectors)
    for axis, vector in zip(order, vectors, strict=True):
        shape[axis] = vector.size
    placed = []
    for axis, vector in zip(order, vectors, strict=True):
        own = [1] * len(vectors)
        own[axis] = vector.size
        placed.append(_core.broadcast_to(_core.reshape(vector, own), shape))
    return tuple(placed)


def broadcast_arrays(*arrays: Array) -> tuple[Array, ...]:
    """The arrays broadcast against each other, a tuple; views.

    Shapes: any that broadcast.
    Dtypes: any; each array keeps its own.
    Raises ShapeError for shapes that do not broadcast, DTypeError for what holds no numbers.
    Array API standard 2025.12: manipulation_functions, broadcast_arrays.
    """
    given = arrays_of(arrays, "broadcast_arrays")
    shape = broadcast_shapes(*(each.shape for each in given))
    return tuple(_core.broadcast_to(each, shape) for each in given)


def unstack(x: Array, /, *, axis: int = 0) -> tuple[Array, ...]:
    """The parts of ``x`` along ``axis``, a tuple; views.

    Shapes: any but (); the parts lack the axis.
    Dtypes: any; the result has that of x.
    Raises AxisError for an axis out of range, DTypeError for what holds no numbers.
    Array API standard 2025.12: manipulation_functions, unstack.
    """
    x = array(x)
    return tuple(_core.moveaxis(x, normal_axis(axis, x.ndim), 0))


__all__ = [  # noqa: PLE0604 - the names of the extension are made of its tables
    *_SAME,
    # NumPy's functions beyond the standard.
    "allclose", "array_equal", "average", "bincount", "convolve", "corrcoef", "correlate", "cov", "digitize", "einsum",
    "einsum_path", "histogram", "histogram_bin_edges", "isclose", "median", "nanargmax", "nanargmin", "nancumprod",
    "nancumsum", "nanmax", "nanmean", "nanmedian", "nanmin", "nanpercentile", "nanprod", "nanquantile", "nanstd",
    "nansum", "nanvar", "pad", "percentile", "ptp", "quantile", "transpose",
    # The standard's, and the engine's.
    "__array_namespace_info__", "Array", "asarray", "broadcast_arrays", "broadcast_shapes", "can_cast", "diff", "e",
    "empty", "empty_like", "finfo", "from_dlpack", "full_like", "iinfo", "inf", "isdtype", "isin",
    "latencies", "linspace", "meshgrid", "nan", "newaxis", "nonzero", "ones", "ones_like", "open", "pi", "plan",
    "repeat", "result_type", "save", "show_config", "tile", "trace", "tune", "unique_all", "unique_counts",
    "unique_inverse", "unique_values", "unstack", "zeros", "zeros_like",
]  # fmt: skip
