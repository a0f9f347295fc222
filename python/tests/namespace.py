# SPDX-License-Identifier: Apache-2.0
"""Every function of the namespace, its extensions and its arrays, with arguments that are right where the standard has
the function, and that it may refuse where it has not."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from inspect import Parameter
from typing import Any

import numpy as np

import penstock as ps
import penstock.fft
import penstock.linalg

# What opens files, measures or sets up the engine is no function of arrays.
NOT_OF_ARRAYS = {
    "latencies", "memory_budget", "on_progress", "open", "opt_level", "plan", "save", "show_config", "simd_target",
    "stats", "threads", "trace", "trim", "tune", "tuning",
}  # fmt: skip
# Symmetric, positive definite.
MATRIX = np.array([[4.0, 1.0, 0.5], [1.0, 5.0, 0.25], [0.5, 0.25, 6.0]])
INTEGERS = np.array([[3, 0, 1], [2, 5, 7], [4, 6, 2]])
# Arguments by the parameter's name, and those of functions that want others.
USUAL: dict[str, Any] = {
    "x": MATRIX, "x1": MATRIX, "x2": MATRIX, "a": MATRIX, "b": MATRIX, "other": MATRIX, "obj": MATRIX, "m": MATRIX,
    "v": MATRIX[0], "condition": INTEGERS > 2, "indices": np.array([0, 2]), "axis": 0, "axes": (1, 0), "arrays": None,
    "shape": (3, 3), "fill_value": 2, "start": 0, "stop": 5, "num": 4, "n_rows": 3, "n": 2, "dtype": ps.float64,
    "type": ps.float32, "kind": "integral", "from_": ps.int8, "to": ps.int16, "source": 0, "destination": 1,
    "repeats": 2, "repetitions": (2, 1), "shift": 1, "key": 0, "value": 1.0, "device": "cpu", "min": 1, "max": 3,
    "object": "int8", "q": 0.5, "bins": 4, "weights": None, "array": MATRIX, "exponent": 2, "format_spec": "",
}  # fmt: skip
OVERRIDES: dict[str, dict[str, Any]] = {
    "squeeze": {"x": MATRIX[:, :1], "axis": 1},
    "Array.squeeze": {"axis": 1, "self": MATRIX[:, :1]},
    "take_along_axis": {"indices": INTEGERS % 3},
    "searchsorted": {"x1": MATRIX[0]},
    "broadcast_to": {"shape": (2, 3, 3)},
    "result_type": {"arrays_and_dtypes": ps.int8},
    "promote_types": {"a": ps.int8, "b": ps.int16},
    "clip": {"min": 1, "max": 3},
    "take": {"axis": 0},
    "cumulative_sum": {"axis": 0},
    "cumulative_prod": {"axis": 0},
    "iinfo": {"type": ps.int8},
    "bincount": {"x": INTEGERS[0]},
    "tensordot": {"axes": 1},
    "linalg.tensordot": {"axes": 1},
    "linalg.outer": {"x1": MATRIX[0], "x2": MATRIX[1]},
    "concat": {"arrays": [MATRIX, MATRIX]},
    "stack": {"arrays": [MATRIX, MATRIX]},
    "broadcast_shapes": {"shapes": (3, 1)},
    "meshgrid": {"arrays": MATRIX[0]},
    "Array.__array_namespace__": {"api_version": None},
    "Array.to_device": {"device": "cpu"},
    "histogram": {"range": (0, 6)},
    "convolve": {"a": MATRIX[0], "v": MATRIX[1]},
    "correlate": {"a": MATRIX[0], "v": MATRIX[1]},
    "digitize": {"bins": (1, 2, 3)},
}
INTEGRAL = ("bitwise_", "Array.__and", "Array.__or", "Array.__xor", "Array.__lsh", "Array.__rsh", "Array.__invert",
            "Array.__rand", "Array.__ror", "Array.__rxor", "Array.__rlsh", "Array.__rrsh")  # fmt: skip
REAL_TO_COMPLEX = ("imag",)


def _arrays(value: Any, name: str) -> Any:
    """NumPy arrays as arrays; integers and complex numbers for the functions of these."""
    if isinstance(value, list):
        return [_arrays(each, name) for each in value]
    if not isinstance(value, np.ndarray):
        return value
    if name.startswith(INTEGRAL) and value.dtype.kind == "f":
        value = INTEGERS
    if name in REAL_TO_COMPLEX:
        value = value.astype(complex)
    if name in ("Array.__bool__", "Array.__int__", "Array.__float__", "Array.__complex__", "Array.item"):
        value = value[0, 0]
    return ps.asarray(INTEGERS[0, 0] if name == "Array.__index__" else value)


def functions() -> dict[str, Callable[..., Any]]:
    """Callables by name."""
    found = {name: getattr(ps, name) for name in ps.__all__ if name not in NOT_OF_ARRAYS}
    found = {name: each for name, each in found.items() if callable(each) and not isinstance(each, type)}
    found |= {f"linalg.{name}": getattr(penstock.linalg, name) for name in penstock.linalg.__all__}
    found |= {f"fft.{name}": getattr(penstock.fft, name) for name in penstock.fft.__all__}
    methods = {name: getattr(ps.Array, name) for name in dir(ps.Array)}
    found |= {f"Array.{name}": each for name, each in methods.items() if hasattr(each, "__nb_signature__")}
    return {name: each for name, each in found.items() if not _is_left_out(name)}


def _is_left_out(name: str) -> bool:
    """Operators in place, which change what they are called on, and what only Python and NumPy call."""
    if name in ("Array.__int__", "Array.__invert__", "Array.__index__", "Array.__array_namespace__"):
        return False
    return name.startswith(("Array.__i", "Array.__array_", "Array.__reduce", "Array.__deepcopy", "Array._repr"))


def parameters(function: Callable[..., Any]) -> list[Parameter]:
    return [each for each in inspect.signature(function).parameters.values() if each.kind != Parameter.VAR_KEYWORD]


def right(name: str, function: Callable[..., Any]) -> tuple[dict[str, Any], list[Parameter]]:
    """An argument that is right for each parameter that needs one, and all parameters."""
    own = OVERRIDES.get(name, {})
    given = {}
    for each in parameters(function):
        if each.kind == Parameter.VAR_POSITIONAL:
            usual = {"shape": 9, "axes": (0, 1)}.get(each.name, own.get(each.name, MATRIX))
            given[each.name] = _arrays(usual, name)
        elif each.name in own or each.default is Parameter.empty:
            usual = MATRIX if each.name == "self" else USUAL.get(each.name, 1)
            given[each.name] = _arrays(own.get(each.name, usual), name)
    return given, parameters(function)


def call(function: Callable[..., Any], kinds: list[Parameter], given: dict[str, Any]) -> Any:
    """The call with arguments by name, passed as their kinds ask."""
    positional, named = [], {}
    skipped = False
    for each in kinds:
        if each.name not in given:
            skipped = True
        elif each.kind == Parameter.VAR_POSITIONAL:
            positional.append(given[each.name])
        elif each.kind == Parameter.KEYWORD_ONLY or (skipped and each.kind == Parameter.POSITIONAL_OR_KEYWORD):
            named[each.name] = given[each.name]
        elif skipped:  # what stands before has no value to give: its default goes along
            positional.extend(p.default for p in kinds[len(positional) : kinds.index(each)])
            positional.append(given[each.name])
        else:
            positional.append(given[each.name])
    return function(*positional, **named)


def is_said(error: str, function: Callable[..., Any], value: Any) -> bool:
    """Whether the docstring names an error of a wrong value. What any function may raise has no need of it: errors of
    others than this package, those of asarray() for the value, and ArgumentError for integers beyond 64 bits."""
    if not hasattr(ps.errors, error) or error in (function.__doc__ or ""):
        return True
    if error == "BudgetError" or (error == "ArgumentError" and _is_beyond_64_bits(value)):
        return True
    try:
        ps.asarray(value)
    except Exception as of_asarray:
        return type(of_asarray).__name__ == error
    return False


def _is_beyond_64_bits(value: Any) -> bool:
    if isinstance(value, list | tuple):
        return any(map(_is_beyond_64_bits, value))
    return isinstance(value, int) and not -(2**63) <= value < 2**63
