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
    elements in C order from byte ``offset`` on; ``shape`` defaults to one dimension up to the end of the file. float16
    is read as float32. ``strict`` refuses bytes behind the data, which otherwise give a warning.

    Raises MissingFileError (a FileNotFoundError), FormatError, TruncatedFileError, DTypeError or UnsafePathError.
    """
    return _core.open(os.fspath(path), dtype, shape, offset, strict)


def asarray(
    obj: Any, /, *, dtype: AnyDType | None = None, device: str | None = None, copy: builtins.bool | None = None
) -> Array:
    """An array of anything: NumPy arrays and other buffers (any strides) and DLPack tensors without a copy.

    Borrowed memory is read when the array is evaluated, an element (``x[3]``) when it is taken; ``copy=True`` freezes
    all of it now.
    """
    check_device(device)
    return _core.asarray(obj, dtype, copy=copy)


def save(array: Any, path: Path, overwrite: builtins.bool = True) -> None:
    """Evaluate into a durable ``.npy`` file in C order: temporary file, sync, rename. The file may be an input.

    A file that exists is replaced; ``overwrite=False`` refuses it. Nothing is left behind on an error. Raises
    NoSpaceError, FileError, BudgetError.
    """
    _core.save(array, os.fspath(path), overwrite)


def plan(*arrays: Array, save: builtins.bool | str = False) -> Plan:
    """What evaluating (with ``save``: saving, to that path if it is one) the arrays would do. Reads no data."""
    path = save if isinstance(save, str) else ""
    return Plan(_core.explain(list(arrays), builtins.bool(save), path))


def show_config() -> dict[str, Any]:
    """Versions, CPU targets found and chosen, caches, threads, memory, cgroup limits and settings in force."""
    return dict(_core.config())


def zeros(shape: Shape, *, dtype: AnyDType | None = None, device: str | None = None) -> Array:
    """Zeros; takes no memory until evaluated."""
    return _core.full(shape, 0, dtype=_core.float64 if dtype is None else dtype, device=device)


def ones(shape: Shape, *, dtype: AnyDType | None = None, device: str | None = None) -> Array:
    """Ones; takes no memory until evaluated."""
    return _core.full(shape, 1, dtype=_core.float64 if dtype is None else dtype, device=device)


def empty(shape: Shape, *, dtype: AnyDType | None = None, device: str | None = None) -> Array:
    """Elements of no particular value: zeros."""
    return zeros(shape, dtype=dtype, device=device)


def zeros_like(x: Array, /, *, dtype: AnyDType | None = None, device: str | None = None) -> Array:
    """Zeros of the shape and dtype of ``x``."""
    return full_like(x, 0, dtype=dtype, device=device)


def ones_like(x: Array, /, *, dtype: AnyDType | None = None, device: str | None = None) -> Array:
    """Ones of the shape and dtype of ``x``."""
    return full_like(x, 1, dtype=dtype, device=device)


def empty_like(x: Array, /, *, dtype: AnyDType | None = None, device: str | None = None) -> Array:
    """Elements of no particular value, of the shape and dtype of ``x``."""
    return zeros_like(x, dtype=dtype, device=device)


def full_like(x: Array, /, fill_value: complex, *, dtype: AnyDType | None = None, device: str | None = None) -> Array:
    """``fill_value`` everywhere, in the shape and dtype of ``x``."""
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
    """``num`` even steps from ``start`` to ``stop``, which ``endpoint=False`` leaves out; takes no memory.

    float64, of complex limits complex128, unless ``dtype`` says otherwise. Raises ArgumentError for a negative ``num``.
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

    ``copy=True`` copies now; ``copy=False``, and no ``device``, refuse what would need one. Raises DTypeError for
    objects without the two methods and for dtypes Penstock does not hold, BufferError for what can't be exported.
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

    ``indexing``: "ij" (the i-th vector varies along axis i) or "xy" (the first two axes swapped). All arrays must be of
    one dtype by the standard; here each keeps its own. Arrays of several axes are taken flattened, as NumPy has it.
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
    """The arrays broadcast against each other; views."""
    given = arrays_of(arrays, "broadcast_arrays")
    shape = broadcast_shapes(*(each.shape for each in given))
    return tuple(_core.broadcast_to(each, shape) for each in given)


def unstack(x: Array, /, *, axis: int = 0) -> tuple[Array, ...]:
    """The parts of ``x`` along ``axis``; views."""
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
