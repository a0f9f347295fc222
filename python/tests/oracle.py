# SPDX-License-Identifier: Apache-2.0
"""What each elementwise operation should give, by NumPy: exactly, or in a wider dtype within a bound."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from sweep import Numbers

from penstock import _core

EXACT, MATHS, COMPLEX_MATHS = "exact", "maths", "complex maths"


@dataclass(frozen=True)
class Row:
    """An operation as NumPy has it: the kinds it takes, and how closely it must agree."""

    kinds: str
    function: Callable[..., Any]
    agreement: str = EXACT


# Kinds: b bool, i and u integers, f floats, c complex. NumPy's own name where it differs.
ROWS = {
    "abs": Row("iufc", np.abs),
    "acos": Row("biufc", np.arccos, MATHS),
    "acosh": Row("biufc", np.arccosh, MATHS),
    "add": Row("iufc", np.add),
    "asin": Row("biufc", np.arcsin, MATHS),
    "asinh": Row("biufc", np.arcsinh, MATHS),
    "atan": Row("biufc", np.arctan, MATHS),
    "atan2": Row("biuf", np.arctan2, MATHS),
    "atanh": Row("biufc", np.arctanh, MATHS),
    "bitwise_and": Row("biu", np.bitwise_and),
    "bitwise_invert": Row("biu", np.bitwise_not),
    "bitwise_left_shift": Row("iu", np.left_shift),
    "bitwise_or": Row("biu", np.bitwise_or),
    "bitwise_right_shift": Row("iu", np.right_shift),
    "bitwise_xor": Row("biu", np.bitwise_xor),
    "ceil": Row("iuf", np.ceil),
    "clip": Row("biuf", lambda x, low, high: np.minimum(np.maximum(x, low), high)),
    "conj": Row("iufc", np.conj),
    "copysign": Row("biuf", np.copysign),
    "cos": Row("biufc", np.cos, MATHS),
    "cosh": Row("biufc", np.cosh, MATHS),
    "divide": Row("biufc", np.divide),
    "equal": Row("biufc", np.equal),
    "exp": Row("biufc", np.exp, MATHS),
    "expm1": Row("biufc", np.expm1, MATHS),
    "floor": Row("iuf", np.floor),
    "floor_divide": Row("iuf", np.floor_divide),
    "greater": Row("biuf", np.greater),
    "greater_equal": Row("biuf", np.greater_equal),
    "hypot": Row("biuf", np.hypot, MATHS),
    "imag": Row("c", np.imag),
    "isfinite": Row("iufc", np.isfinite),
    "isinf": Row("iufc", np.isinf),
    "isnan": Row("iufc", np.isnan),
    "less": Row("biuf", np.less),
    "less_equal": Row("biuf", np.less_equal),
    "log": Row("biufc", np.log, MATHS),
    "log10": Row("biufc", np.log10, MATHS),
    "log1p": Row("biufc", np.log1p, MATHS),
    "log2": Row("biufc", np.log2, MATHS),
    "logaddexp": Row("biuf", np.logaddexp, MATHS),
    "logical_and": Row("biufc", np.logical_and),
    "logical_not": Row("biufc", np.logical_not),
    "logical_or": Row("biufc", np.logical_or),
    "logical_xor": Row("biufc", np.logical_xor),
    "maximum": Row("biuf", np.maximum),
    "minimum": Row("biuf", np.minimum),
    "multiply": Row("iufc", np.multiply),
    "negative": Row("iufc", np.negative),
    "nextafter": Row("biuf", np.nextafter),
    "not_equal": Row("biufc", np.not_equal),
    "positive": Row("iufc", np.positive),
    "pow": Row("iufc", np.power, MATHS),
    "real": Row("iufc", np.real),
    "reciprocal": Row("biufc", np.reciprocal),
    "remainder": Row("iuf", np.remainder),
    "round": Row("iufc", np.round),
    "sign": Row("iufc", np.sign),
    "signbit": Row("biuf", np.signbit),
    "sin": Row("biufc", np.sin, MATHS),
    "sinh": Row("biufc", np.sinh, MATHS),
    "sqrt": Row("biufc", np.sqrt),
    "square": Row("iufc", np.square),
    "subtract": Row("iufc", np.subtract),
    "tan": Row("biufc", np.tan, MATHS),
    "tanh": Row("biufc", np.tanh, MATHS),
    "trunc": Row("iuf", np.trunc),
    "where": Row("biufc", np.where),
}
# What an operation of the table's domains takes.
_KINDS = {
    "kAny": "biufc",
    "kBoolean": "biufc",
    "kBits": "biu",
    "kInteger": "iu",
    "kNumeric": "iufc",
    "kReal": "iuf",
    "kOrdered": "biuf",
    "kFloating": "biufc",
    "kRealFloat": "biuf",
    "kComplex": "c",
}
# An operation that is not written out above means what NumPy's function of its name does, to the bit.
_BY_NAME = {
    name: (domain, result)
    for name, _, domain, result in _core.elementwise_rows()
    if name not in ROWS and hasattr(np, name)
}
ROWS |= {name: Row(_KINDS[domain], getattr(np, name)) for name, (domain, _) in _BY_NAME.items()}
# In units of the last place; of logaddexp in those of the larger of the result and the operands.
BOUNDS = {"logaddexp": 3.0}
# Floating-point functions of bool and integers are float64 functions.
_PROMOTES = {name for name, row in ROWS.items() if "b" in row.kinds and row.agreement == MATHS}
_PROMOTES |= {"copysign", "divide", "nextafter", "reciprocal", "signbit", "sqrt"}
_PROMOTES |= {name for name, (domain, _) in _BY_NAME.items() if domain in ("kFloating", "kRealFloat")}
_PREDICATES = {"equal", "not_equal", "signbit", *(name for name, (_, result) in _BY_NAME.items() if result == "kBool")}
# Complex functions whose rounding differs between NumPy's builds: held to a bound, not to the bit.
_COMPLEX_MATHS = {"abs", "divide", "multiply", "reciprocal", "sign", "sqrt", "square"}


def agreement_of(name: str, dtype: str) -> str:
    """How closely an operation of a dtype must agree with its oracle."""
    row, kind = ROWS[name], np.dtype(dtype).kind
    if kind == "c" and (row.agreement == MATHS or name in _COMPLEX_MATHS):
        return COMPLEX_MATHS
    return EXACT if name == "pow" and kind in "iu" else row.agreement


def _power(a: Numbers, b: Numbers) -> Numbers:
    """Integer powers; of negative exponents the quotient towards zero."""
    negative = b < 0
    result = np.power(a, np.where(negative, 0, b).astype(b.dtype))
    inverse = np.where(a == 1, 1, np.where(a == -1 if a.dtype.kind == "i" else False, np.where(b % 2 == 0, 1, -1), 0))
    return np.where(negative, inverse.astype(a.dtype), result)


def _floor_divide(a: Numbers, b: Numbers) -> Numbers:
    """As the array API has it: quotients with an infinity are those of divide, which are whole."""
    quotient = np.floor_divide(a, b)
    if a.dtype.kind == "f":
        quotient = np.where(np.isinf(a) | np.isinf(b), a / b, quotient)
    return np.asarray(quotient)


def _ordered(choose: Callable[..., Any], a: Numbers, b: Numbers) -> Numbers:
    """minimum or maximum where -0 comes before +0."""
    result = choose(a, b)
    if a.dtype.kind == "f":
        zeros = (a == 0) & (b == 0)
        negative = np.signbit(a) | np.signbit(b) if choose is np.minimum else np.signbit(a) & np.signbit(b)
        result = np.where(zeros, np.where(negative, a.dtype.type(-0.0), a.dtype.type(0)), result)
    return np.asarray(result)


def _shift_right(a: Numbers, b: Numbers) -> Numbers:
    """A negative count shifts everything out, and no sign in."""
    return np.where(b < 0, a.dtype.type(0), np.right_shift(a, b))


SPECIAL: dict[str, Callable[..., Numbers]] = {
    "floor_divide": _floor_divide,
    "maximum": lambda a, b: _ordered(np.maximum, a, b),
    "minimum": lambda a, b: _ordered(np.minimum, a, b),
    "clip": lambda x, low, high: _ordered(np.minimum, _ordered(np.maximum, x, low), high),
    "bitwise_right_shift": _shift_right,
    "pow": _power,
}


def expected(name: str, operands: list[Numbers]) -> Numbers:
    """The result of an operation, in its own dtype or, for maths, in a wider one."""
    row, kind = ROWS[name], operands[-1].dtype.kind
    if kind in "biu" and name in _PROMOTES:
        operands = [each.astype(np.float64) for each in operands]
        kind = "f"
    agreement = agreement_of(name, str(operands[-1].dtype))
    if agreement != EXACT:
        wider = {"f": np.longdouble, "c": np.clongdouble}[kind]
        operands = [each.astype(wider) for each in operands]
    with np.errstate(all="ignore"):
        function = SPECIAL.get(name, row.function) if agreement == EXACT else row.function
        return np.asarray(function(*operands))


def result_dtype(name: str, dtype: str) -> np.dtype[Any]:
    """The dtype of a result of operands of one dtype."""
    kind = np.dtype(dtype).kind
    if name.startswith(("is", "logical", "greater", "less")) or name in _PREDICATES:
        return np.dtype(bool)
    if kind in "biu":
        return np.dtype(np.float64 if name in _PROMOTES else dtype)
    if kind == "c" and name in ("abs", "real", "imag"):
        return np.dtype("float32" if dtype == "complex64" else "float64")
    return np.dtype(dtype)
