# SPDX-License-Identifier: Apache-2.0
"""What fft and linalg share: arrays as stacks of items, which a library's function works through."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, cast

from penstock import _core
from penstock._arguments import array, normal_axis, shown
from penstock._core import Array, DType
from penstock._matrix_threads import Stack, work_through

COMPLEX = {"float32": "complex64", "float64": "complex128"}
REAL = {"complex64": "float32", "complex128": "float64"}


def is_complex(x: Array) -> bool:
    """Whether the elements are complex numbers."""
    return str(x.dtype) in REAL


def is_integer(x: Array) -> bool:
    """Whether the elements are integers, signed or not; bool is none."""
    return str(x.dtype).startswith(("int", "uint"))


def floating(x: Any) -> Array:
    """``x`` in a floating dtype: float64 for integers and bool."""
    x = array(x)
    return x if str(x.dtype) in (*COMPLEX, *REAL) else _core.astype(x, _core.float64)


def complex_of(dtype: DType) -> DType:
    """The complex dtype of a floating one."""
    return _core.dtype(COMPLEX.get(str(dtype), str(dtype)))


def real_of(dtype: DType) -> DType:
    """The real dtype of a floating one."""
    return _core.dtype(REAL.get(str(dtype), str(dtype)))


def put_out(x: Array, out: Any) -> Array:
    """``x``, or what ``out`` holds once it has its elements, converted within their kind. Raises DTypeError."""
    if out is None:
        return x
    import numpy

    if not isinstance(out, Array | numpy.ndarray):
        raise _core.errors.DTypeError(f"out is {shown(out)}; it takes an Array or a NumPy array")
    if numpy.can_cast(str(x.dtype), str(out.dtype), "same_kind"):
        x = _core.astype(x, str(out.dtype))
    held = _core.logical_or(x, False, out=out) if x.dtype == _core.bool else _core.positive(x, out=out)
    return cast("Array", held)


def quietly(f: Callable[..., Any]) -> Callable[..., Any]:
    """``f`` without the warnings of a library about NaN and overflows, which are results like others here."""

    def quiet(*arrays: Any) -> Any:
        import numpy

        with numpy.errstate(all="ignore"):
            return f(*arrays)

    return quiet


def along(name: str, f: Callable[..., object], x: Array, axis: int, n: int, dtype: DType) -> Array:
    """The array of which ``f(out, x)`` computes lines along ``axis``: of shape (outer, n, inner), lines of axis 1."""
    axis = normal_axis(axis, x.ndim)
    outer, inner = math.prod(x.shape[:axis]), math.prod(x.shape[axis + 1 :])
    lines = _core.reshape(x, (outer, x.shape[axis], inner))
    out = _core.stacked(name, quietly(f), [lines], (outer, n, inner), dtype, columns=True)
    return _core.reshape(out, (*x.shape[:axis], n, *x.shape[axis + 1 :]))


def of_matrices(
    name: str,
    f: Callable[..., Sequence[Any]],
    inputs: Sequence[Array],
    parts: Sequence[tuple[int, ...]],
    dtype: DType,
    nanoseconds: float,
) -> tuple[Array, ...]:
    """The arrays that ``f(*inputs)`` gives for stacks of matrices, of these shapes an item, all held in one dtype.

    ``nanoseconds`` is what it takes for an element of a small matrix, roughly.
    """
    batch = inputs[0].shape[:-2]
    sizes = [math.prod(part) for part in parts]
    elements = sum(math.prod(each.shape[-2:]) for each in inputs)

    def fill(out: Any, *stacks: Any) -> None:
        def work(begin: int, end: int) -> None:
            at = 0
            for size, result in zip(sizes, f(*(each[begin:end] for each in stacks)), strict=True):
                out[begin:end, at : at + size] = result.reshape(end - begin, size)
                at += size

        work_through(Stack(out.shape[0], elements, max(sizes), elements * nanoseconds), quietly(work))

    stacks = [_core.reshape(each, (math.prod(batch), *each.shape[-2:])) for each in inputs]
    packed = _core.stacked(name, fill, stacks, (math.prod(batch), sum(sizes)), dtype)
    results, begin = [], 0
    for size, part in zip(sizes, parts, strict=True):
        results.append(_core.reshape(packed[:, begin : begin + size], (*batch, *part)))
        begin += size
    return tuple(results)
