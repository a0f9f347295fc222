# SPDX-License-Identifier: Apache-2.0
"""The functions of the namespace: those of the extension, and the ones that are simpler to write in Python."""

from __future__ import annotations

import builtins
import math
import os
from collections.abc import Sequence
from typing import Any, TypeAlias

from penstock import _core
from penstock._arguments import array, arrays_of, normal_axis
from penstock._convolve import convolve, correlate
from penstock._core import Array
from penstock._creation import (
    asarray,
    empty,
    empty_like,
    from_dlpack,
    full_like,
    linspace,
    meshgrid,
    ones,
    ones_like,
    zeros,
    zeros_like,
)
from penstock._dtypes import can_cast, finfo, iinfo, isdtype, result_type
from penstock._einsum import einsum, einsum_path
from penstock._histograms import bincount, digitize, histogram, histogram_bin_edges
from penstock._indexing import nonzero
from penstock._info import __array_namespace_info__
from penstock._info import follows as follows
from penstock._latencies import latencies
from penstock._plan import Plan
from penstock._quantiles import median, nanmedian, nanpercentile, nanquantile, percentile, quantile
from penstock._rearranging import diff, pad, repeat, tile, transpose
from penstock._sets import isin, unique_all, unique_counts, unique_inverse, unique_values
from penstock._shapes import broadcast_shapes
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
