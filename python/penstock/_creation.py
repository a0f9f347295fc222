# SPDX-License-Identifier: Apache-2.0
"""The creation functions that are simpler to write in Python."""

from __future__ import annotations

import builtins
from collections.abc import Sequence
from typing import Any, TypeAlias

from penstock import _core
from penstock._arguments import array, arrays_of, one_of
from penstock._core import Array
from penstock._dtypes import isdtype
from penstock._info import check_device
from penstock._shapes import flat

AnyDType: TypeAlias = "_core.AnyDType"
Shape: TypeAlias = "int | Sequence[int]"


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
    Raises DTypeError for what holds no numbers and what is no dtype; ArgumentError for lists of uneven lengths, Python
    integers beyond 64 bits or ``dtype``, a copy that copy=False forbids, and another device.
    Array API standard 2025.12: creation_functions, asarray.
    """
    check_device(device)
    return _core.asarray(obj, dtype, copy=copy)


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
    Dtypes: any that Penstock has; that of the object.
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
