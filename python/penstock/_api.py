# SPDX-License-Identifier: Apache-2.0
"""The functions of the namespace: those of the extension, and the ones that are simpler to write in Python."""

from __future__ import annotations

import builtins
import math
import os
from collections.abc import Sequence
from typing import Any, TypeAlias

from penstock import _core
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
from penstock._rearranging import diff, pad, repeat, tile
from penstock._sets import isin, unique_all, unique_counts, unique_inverse, unique_values
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
_CREATION = ("full", "arange", "linspace", "eye", "tril", "triu")
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
    return _core.full(shape, 0, dtype=dtype or _core.float64, device=device)


def ones(shape: Shape, *, dtype: AnyDType | None = None, device: str | None = None) -> Array:
    """Ones; takes no memory until evaluated."""
    return _core.full(shape, 1, dtype=dtype or _core.float64, device=device)


def empty(shape: Shape, *, dtype: AnyDType | None = None, device: str | None = None) -> Array:
    """Elements of no particular value: zeros."""
    return zeros(shape, dtype=dtype, device=device)


def zeros_like(x: Array, /, *, dtype: AnyDType | None = None, device: str | None = None) -> Array:
    """Zeros of the shape and dtype of ``x``."""
    return zeros(x.shape, dtype=dtype or x.dtype, device=device)


def ones_like(x: Array, /, *, dtype: AnyDType | None = None, device: str | None = None) -> Array:
    """Ones of the shape and dtype of ``x``."""
    return ones(x.shape, dtype=dtype or x.dtype, device=device)


def empty_like(x: Array, /, *, dtype: AnyDType | None = None, device: str | None = None) -> Array:
    """Elements of no particular value, of the shape and dtype of ``x``."""
    return zeros_like(x, dtype=dtype, device=device)


def full_like(x: Array, /, fill_value: complex, *, dtype: AnyDType | None = None, device: str | None = None) -> Array:
    """``fill_value`` everywhere, in the shape and dtype of ``x``."""
    return _core.full(x.shape, fill_value, dtype=dtype or x.dtype, device=device)


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
    """Coordinate arrays of 1-D ``arrays``; views, no copies."""
    if indexing not in ("xy", "ij"):
        raise _core.errors.ArgumentError(f"indexing is {indexing!r}; use 'xy' or 'ij'")
    shape = [len(array) for array in arrays]
    order = list(builtins.range(len(arrays)))
    if indexing == "xy" and len(arrays) > 1:
        order[0], order[1] = 1, 0
        shape[0], shape[1] = shape[1], shape[0]
    placed = []
    for i, array in enumerate(arrays):
        own = [1] * len(arrays)
        own[order[i]] = len(array)
        placed.append(_core.broadcast_to(_core.reshape(array, own), shape))
    return tuple(placed)


def broadcast_shapes(*shapes: tuple[int, ...]) -> tuple[int, ...]:
    """The shape that arrays of these shapes broadcast to."""
    # Arrays of a constant take no memory: their shapes are all that is looked at.
    shape: tuple[int, ...] = ()
    for each in shapes:
        shape = _core.logical_or(_core.full(shape, False), _core.full(each, False)).shape
    return shape


def broadcast_arrays(*arrays: Array) -> tuple[Array, ...]:
    """The arrays broadcast against each other; views."""
    shape = broadcast_shapes(*(array.shape for array in arrays))
    return tuple(_core.broadcast_to(array, shape) for array in arrays)


def unstack(x: Array, /, *, axis: int = 0) -> tuple[Array, ...]:
    """The parts of ``x`` along ``axis``; views."""
    return tuple(_core.moveaxis(x, axis, 0))


__all__ = [  # noqa: PLE0604 - the names of the extension are made of its tables
    *_SAME,
    # NumPy's functions beyond the standard.
    "allclose", "array_equal", "average", "bincount", "convolve", "corrcoef", "correlate", "cov", "digitize", "einsum",
    "einsum_path", "histogram", "histogram_bin_edges", "isclose", "median", "nanargmax", "nanargmin", "nancumprod",
    "nancumsum", "nanmax", "nanmean", "nanmedian", "nanmin", "nanpercentile", "nanprod", "nanquantile", "nanstd",
    "nansum", "nanvar", "percentile", "ptp", "quantile",
    # The standard's, and the engine's.
    "__array_namespace_info__", "Array", "asarray", "broadcast_arrays", "broadcast_shapes", "can_cast", "diff", "e",
    "empty", "empty_like", "finfo", "from_dlpack", "full_like", "iinfo", "inf", "isdtype", "isin",
    "latencies", "meshgrid", "nan", "newaxis", "nonzero", "ones", "ones_like", "open", "pad", "pi", "plan", "repeat",
    "result_type", "save", "show_config", "tile", "trace", "tune", "unique_all", "unique_counts", "unique_inverse",
    "unique_values", "unstack", "zeros", "zeros_like",
]  # fmt: skip
