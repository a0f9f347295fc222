# SPDX-License-Identifier: Apache-2.0
"""Every function of the standard with one argument that is wrong, then with several: it raises one of NumPy's kinds of
errors with a text of use, which its docstring names, or gives a result that can be evaluated. Never anything else, and
never a crash."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from inspect import Parameter
from typing import Any

import namespace
import numpy as np
import pytest
import test_standard_names
from sweep import FULL

import penstock as ps

OF_THE_STANDARD = {f"{prefix}{name}" for _, prefix, name, _ in test_standard_names.CASES}
FUNCTIONS = {name: f for name, f in namespace.functions().items() if name in OF_THE_STANDARD}
# BufferError is what DLPack asks for; MemoryError what does not fit.
KINDS = (ValueError, TypeError, IndexError, MemoryError, BufferError)
NO_ARRAYS = [
    None, "x", b"ab", object(), {}, {1, 2}, [], [[1], [2, 3]], ..., slice(0, 2), range(3), lambda: 1, 2**70, -(2**70),
    10**400, True, 2.5, 1j, math.nan, math.inf, np.array(["a"]), np.array([None]), np.datetime64("2020-01-01"), ps.int8,
    np.float16(1), np.zeros(2, "i4,f4"), memoryview(b"abc")[::2],
]  # fmt: skip
AXES = [
    3, 7, -4, 2**31, 2**63 - 1, -(2**63), 2**70, -(2**70), (0, 0), (0, -3), (5,), (0, None), ((0,), (1,)), (), [0], "a",
    1.5, None, True, np.int64(9), np.array([0, 1]), {0}, "01",
]  # fmt: skip
SHAPES = [
    (2**40, 2**40), (2**63,), (2**62, 4), (2**62,), (-1,), (-1, -1), (0, -1), (2**31,) * 3, (6,), (3, -1), (4, -1), 3,
    -3, (), "23", (1.5,), None, -(2**70), (0, 2**62, 8), (1,) * 70, (2,) * 64, [3, "3"], np.array([[3, 3]]), {3},
]  # fmt: skip
DTYPES = [
    "float64", np.int8, "complex64", ps.bool, "float16", None, "nonsense", 3, object, "M8[s]", "U3", str, int, complex,
    "i4,f4", ps.asarray(1),
]  # fmt: skip
ARRAYS = [
    np.array(values, dtype)
    for dtype in ("bool", "int8", "uint64", "float32", "float64", "complex64", "complex128")
    for values in (1, [], [[]], [1, 0], [[1, 2, 3]], *map(np.ones, [(3, 3), (2, 3, 3), (0, 3, 3)]), np.zeros((3, 3)))
] + [
    np.array(values, dtype)
    for dtype in ("float32", "complex128")
    for values in (math.nan, [math.nan, math.inf, -math.inf], np.full((3, 3), math.nan), np.full((3, 3), math.inf))
]  # fmt: skip
INDICES = [3, -4, 2**31, 2**70, -(2**70), [0, 3], [[0, -4]], [0.5], ["a"], "a", 1.5, (0, 0, 0), (..., ...), [True], {0}]
# What is tried for parameters of these names; for others what is tried for axes.
NAMES = {
    "shape repetitions repeats shapes": SHAPES,
    "dtype type from_ to kind object arrays_and_dtypes": DTYPES,
    "key sorter": INDICES,
    "x x1 x2 a b m v self other obj condition indices arrays": ARRAYS,
}
WRONG: dict[str, list[Any]] = {name: values for names, values in NAMES.items() for name in names.split()}
# Not wrong, but more than a test has time for.
SLOW = {("histogram", "bins"), ("Array.tolist", "self")}


def wrong_for(parameter: Parameter) -> Iterator[Any]:
    """Values that are wrong for a parameter of this name, or hard to get right."""
    if parameter.name != "self":
        yield from NO_ARRAYS
    wrong = WRONG.get(parameter.name, AXES)
    yield from map(ps.asarray, ARRAYS) if wrong is ARRAYS else wrong
    if parameter.name == "indices":
        yield from INDICES
    yield from ARRAYS[::7]


def looked_at(result: Any) -> None:
    """Evaluates what is small, describes the rest."""
    for each in result if isinstance(result, tuple | list) else (result,):
        if isinstance(each, ps.Array):
            repr(each)
            if each.nbytes < 2**20:
                np.asarray(each)


def attempt(name: str, kinds: list[Parameter], given: dict[str, Any]) -> str:
    """What a call ended with. What it may not end with is an AssertionError."""
    shown = f"{name}({', '.join(f'{key}={repr(value)[:80]}' for key, value in given.items())})"
    try:
        looked_at(namespace.call(FUNCTIONS[name], kinds, given))
    except KINDS as error:
        return type(error).__name__ if str(error).strip() else pytest.fail(f"{shown} raised {error!r} without a word")
    except Exception as error:
        raise AssertionError(f"{shown} raised {error!r}") from error
    return "result"


@pytest.fixture(autouse=True)
def _small_budget() -> Iterator[None]:
    ps.memory_budget(ps.stats()["budget_used"] + (256 << 20))
    yield
    ps.memory_budget("80%")


@pytest.mark.parametrize("name", FUNCTIONS)
def test_what_is_right_works(name: str) -> None:
    given, kinds = namespace.right(name, FUNCTIONS[name])
    looked_at(namespace.call(FUNCTIONS[name], kinds, given))


@pytest.mark.parametrize("name", FUNCTIONS)
def test_one_wrong_argument(name: str) -> None:
    given, kinds = namespace.right(name, FUNCTIONS[name])
    for parameter in kinds:
        if (name, parameter.name) in SLOW:
            continue
        for value in wrong_for(parameter):
            error = attempt(name, kinds, given | {parameter.name: value})
            assert namespace.is_said(error, FUNCTIONS[name], value), f"{error} for {parameter.name}={value!r}"


@pytest.mark.parametrize("seed", range(200 if FULL else 4))
def test_several_wrong_arguments(seed: int) -> None:
    random_ = random.Random(seed)
    for name, function in FUNCTIONS.items():
        given, kinds = namespace.right(name, function)
        for _ in range(5):
            chosen = [each for each in kinds if random_.random() < 0.6 and (name, each.name) not in SLOW]
            wrong = {each.name: random_.choice(list(wrong_for(each))) for each in chosen}
            attempt(name, kinds, given | wrong)


OF_AXES = [
    (name, parameter)
    for name, function in FUNCTIONS.items()
    for parameter in namespace.parameters(function)
    if parameter.name in ("axis", "axes", "source", "destination") and "tensordot" not in name
]


@pytest.mark.parametrize(("name", "parameter"), OF_AXES, ids=lambda each: each if isinstance(each, str) else each.name)
def test_wrong_axes_are_named_so(name: str, parameter: Parameter) -> None:
    given, kinds = namespace.right(name, FUNCTIONS[name])
    for axis in (7, -8, 2**40):
        with pytest.raises((ValueError, IndexError)) as caught:
            looked_at(namespace.call(FUNCTIONS[name], kinds, given | {parameter.name: axis}))
        assert isinstance(caught.value, ps.errors.PenstockError)
    for axis in ("a", 1.5):
        with pytest.raises(TypeError):
            looked_at(namespace.call(FUNCTIONS[name], kinds, given | {parameter.name: axis}))


@pytest.mark.parametrize(
    "name", [name for name, f in FUNCTIONS.items() if "shape" in {p.name for p in namespace.parameters(f)}]
)
def test_shapes_beyond_64_bits(name: str) -> None:
    given, kinds = namespace.right(name, FUNCTIONS[name])
    for shape in ((2**40, 2**40), (2**62, 4), (2**70,), (-2,)):
        assert attempt(name, kinds, given | {"shape": shape}) != "result"


@pytest.mark.parametrize(
    ("name", "expected"),
    [("take", IndexError), ("take_along_axis", IndexError), ("Array.__getitem__", IndexError)],
)
def test_places_out_of_range(name: str, expected: type[Exception]) -> None:
    given, kinds = namespace.right(name, FUNCTIONS[name])
    which = "key" if name.startswith("Array") else "indices"
    shape = (3, 3) if name == "take_along_axis" else (2,)
    for place in (3, -4, 2**40):
        with pytest.raises(expected, match="range"):
            looked_at(namespace.call(FUNCTIONS[name], kinds, given | {which: ps.asarray(np.full(shape, place))}))
