# SPDX-License-Identifier: Apache-2.0
"""Questions about dtypes, as the array API standard asks them."""

from __future__ import annotations

import builtins
from dataclasses import dataclass
from typing import Any, TypeAlias

from penstock import _core
from penstock._core import Array, DType

# The dtypes of a kind, by the standard's names. float16 is a storage dtype: arrays compute in none of its like.
KINDS = {
    "bool": ("bool",),
    "signed integer": ("int8", "int16", "int32", "int64"),
    "unsigned integer": ("uint8", "uint16", "uint32", "uint64"),
    "real floating": ("float32", "float64"),
    "complex floating": ("complex64", "complex128"),
}
KINDS["integral"] = KINDS["signed integer"] + KINDS["unsigned integer"]
KINDS["numeric"] = KINDS["integral"] + KINDS["real floating"] + KINDS["complex floating"]

Kind: TypeAlias = "str | DType | tuple[Kind, ...]"


def isdtype(dtype: Any, kind: Kind) -> builtins.bool:
    """Whether a dtype is another one, is of a kind named as in the standard ("real floating"), or of one of several.

    Dtypes: any of this namespace.
    Raises DTypeError for what is no dtype, ArgumentError for an unknown kind.
    Array API standard 2025.12: data_type_functions, isdtype.
    """
    wanted = _core.dtype(dtype)
    if isinstance(kind, tuple):
        return any(isdtype(wanted, each) for each in kind)
    if not isinstance(kind, str):
        return wanted == _core.dtype(kind)
    if kind not in KINDS:
        raise _core.errors.ArgumentError(f"{kind!r} is no kind of dtype; there are {', '.join(map(repr, KINDS))}")
    # float16 counts among the floats: it is asked of dtypes of files too.
    return wanted.name in KINDS[kind] or (wanted.name == "float16" and kind in ("real floating", "numeric"))


def can_cast(from_: Any, to: Any, /) -> builtins.bool:
    """Whether promotion takes values of the dtype (or array) ``from_`` to ``to``.

    Dtypes: any of this namespace.
    Raises DTypeError for what is no dtype.
    Array API standard 2025.12: data_type_functions, can_cast.
    """
    source, target = _dtype_of(from_), _core.dtype(to)
    return _core.promote_types(source, target) == target


def result_type(*arrays_and_dtypes: Any) -> DType:
    """The dtype that arrays, dtypes and Python numbers promote to; the numbers weakly.

    Shapes: any; only dtypes are looked at.
    Dtypes: any of this namespace.
    Raises ArgumentError without an array or dtype, DTypeError for what is neither, nor a number.
    Array API standard 2025.12: data_type_functions, result_type.
    """
    numbers = [each for each in arrays_and_dtypes if type(each) in (builtins.bool, int, float, complex)]
    others = [_dtype_of(each) for each in arrays_and_dtypes if type(each) not in (builtins.bool, int, float, complex)]
    if not others:
        raise _core.errors.ArgumentError("result_type needs at least one array or dtype")
    result = others[0]
    for each in others[1:]:
        result = _core.promote_types(result, each)
    for number in numbers:
        result = _weak(result, number)
    return result


def _weak(dtype: DType, number: complex) -> DType:
    """The dtype of an array of ``dtype`` that meets a Python number: what ``where`` makes of the two."""
    neutral = type(number)(0)
    return _core.where(True, _core.full((), 0, dtype=dtype), neutral).dtype


def _dtype_of(each: Any) -> DType:
    if isinstance(each, DType):
        return each
    if isinstance(each, Array):
        return each.dtype
    if isinstance(each, type):
        return _core.dtype(each)
    return _core.dtype(getattr(each, "dtype", each))


@dataclass(frozen=True)
class FloatInfo:
    """What a floating-point dtype can hold.

    Array API standard 2025.12: data_type_functions, finfo.
    """

    bits: int
    eps: float
    max: float
    min: float
    smallest_normal: float
    dtype: DType


@dataclass(frozen=True)
class IntegerInfo:
    """What an integer dtype can hold.

    Array API standard 2025.12: data_type_functions, iinfo.
    """

    bits: int
    max: int
    min: int
    dtype: DType


def finfo(type: Any, /) -> FloatInfo:
    """Limits of a floating-point dtype, or of the parts of a complex one: bits, eps, max, min, smallest_normal, dtype.

    Dtypes: floats and complex ones, or an array of them.
    Raises DTypeError for other dtypes.
    Array API standard 2025.12: data_type_functions, finfo.
    """
    import numpy

    dtype = _dtype_of(type)
    if not isdtype(dtype, ("real floating", "complex floating")):
        raise _core.errors.DTypeError(f"finfo got {dtype}; it wants a floating-point dtype; iinfo is for integers")
    info = numpy.finfo(dtype.dtype)
    return FloatInfo(
        bits=info.bits,
        eps=float(info.eps),
        max=float(info.max),
        min=float(info.min),
        smallest_normal=float(info.smallest_normal),
        dtype=_core.dtype(info.dtype),
    )


def iinfo(type: Any, /) -> IntegerInfo:
    """Limits of an integer dtype: bits, max, min, dtype.

    Dtypes: integers, or an array of them.
    Raises DTypeError for other dtypes.
    Array API standard 2025.12: data_type_functions, iinfo.
    """
    import numpy

    dtype = _dtype_of(type)
    if not isdtype(dtype, "integral"):
        raise _core.errors.DTypeError(f"iinfo got {dtype}; it wants an integer dtype; finfo is for floats")
    info = numpy.iinfo(dtype.dtype)
    return IntegerInfo(info.bits, int(info.max), int(info.min), dtype)
