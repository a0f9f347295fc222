# SPDX-License-Identifier: Apache-2.0
"""C slots against the methods that they stand for: the same values, and the same errors, for the usual and the odd."""

from __future__ import annotations

import gc
import math
import operator
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import penstock as ps

DTYPES = ["bool", "int8", "uint8", "int64", "uint64", "float32", "float64", "complex64", "complex128"]


class Three:
    """Something with an index."""

    def __index__(self) -> int:
        return 3


class Broken:
    """Something whose index fails."""

    def __index__(self) -> int:
        raise ValueError("broken")


SLICES = [slice(2, 7), slice(None, None, 2), slice(None, None, -1), slice(-3, None), slice(9, 2, -3), slice(5, 2)]
ODD_SLICES = [
    *(slice(0, 4, 0), slice(Three(), None), slice(1.5, None), slice("a"), slice(2**70), slice(Broken(), 2)),
    *(slice((1, 2), 5), slice((), 5), slice(None, ()), slice(None, None, (1,))),
]
KEYS: list[Any] = [
    *(0, 3, -1, -10, 10, -11, 2**70, -(2**70)),
    *(True, False, np.True_, np.int64(2), np.uint8(1), np.int32(-2), np.float32(1), 1.0, "a", b"a"),
    *(None, Ellipsis, (), (3,), (0, 0), (None, 2), (2, None), (..., 1), (1, ...), (..., ...), (0, 1, 2, 3)),
    *((slice(None), 1), (1, slice(2)), (slice(1), slice(1, 3)), [0, 1], (None,) * 70, (None,) * 200),
    *(Three(), Broken(), (Three(), 1), np.array(1), np.array([1, 2]), np.arange(10) > 3),
    *SLICES,
    *ODD_SLICES,
]


def outcome(call: Callable[[], Any]) -> tuple[Any, ...]:
    """What a call gives, or how it fails."""
    try:
        made = call()
        if isinstance(made, ps.Array):
            return str(made.dtype), made.shape, str(np.asarray(made).tolist())
        return type(made), str(made)
    except Exception as error:  # the kind and text are what is compared
        return type(error), str(error)


def arrays(shape: tuple[int, ...]) -> list[ps.Array]:
    """The same values in memory, as a view of memory, and not evaluated yet."""
    numbers = np.arange(math.prod(shape), dtype=np.float32).reshape(shape)
    view = ps.asarray(np.repeat(numbers[..., None], 2, axis=-1))[..., 1]
    return [ps.asarray(numbers), view, ps.broadcast_to(ps.asarray(numbers), (2, *shape))[0]]


@pytest.mark.parametrize("key", KEYS, ids=[repr(key)[:40] for key in KEYS])
@pytest.mark.parametrize("shape", [(10,), (4, 5), ()], ids=str)
def test_an_index_means_the_same_by_slot_and_by_method(shape: tuple[int, ...], key: Any) -> None:
    for array in arrays(shape):
        assert outcome(lambda array=array: array[key]) == outcome(lambda array=array: ps.Array.__getitem__(array, key))


@pytest.mark.parametrize("key", [0, 3, -1, -10, 10, -11, *SLICES])
def test_an_index_means_what_numpy_means(key: Any) -> None:
    numbers = np.arange(10, dtype=np.float32)
    try:
        expected = numbers[key]
    except (IndexError, TypeError, ValueError):
        with pytest.raises((IndexError, TypeError, ValueError)):
            ps.asarray(numbers)[key]
        return
    found = ps.asarray(numbers)[key]
    assert found.shape == expected.shape
    assert np.asarray(found).tolist() == expected.tolist()


@pytest.mark.parametrize("bound", [(), (1,), (1, 2), [1], 1.5, "a"], ids=repr)
def test_what_has_no_index_bounds_no_slice(bound: Any) -> None:
    numbers = np.arange(10, dtype=np.float32)
    both: list[Any] = [numbers, ps.asarray(numbers)]
    for key in (slice(bound, 5), slice(0, bound), slice(None, None, bound)):
        for array in both:
            with pytest.raises(TypeError, match="slice indices must be integers or None or have an __index__ method"):
                array[key]


CONVERSIONS: list[tuple[Callable[[Any], Any], str]] = [
    (float, "__float__"),
    (int, "__int__"),
    (bool, "__bool__"),
    (operator.index, "__index__"),
    (len, "__len__"),
]


@pytest.mark.parametrize(("convert", "method"), CONVERSIONS, ids=[name for _, name in CONVERSIONS])
@pytest.mark.parametrize("dtype", [*DTYPES, "float16"])
def test_a_number_is_the_same_by_slot_and_by_method(dtype: str, convert: Callable[[Any], Any], method: str) -> None:
    values = [0, 1, 200] if dtype == "uint8" else [0, 1, 100]
    values += [2**64 - 1] if dtype == "uint64" else []
    numbers = [np.array(each).astype(dtype) for each in values]
    for each in [*numbers, numbers[0].reshape(1, 1), np.zeros(3, dtype), np.zeros(0, dtype)]:
        array = ps.asarray(each)
        for one in (array, ps.broadcast_to(array, (2, *array.shape))[1]):
            by_method = outcome(lambda one=one: getattr(ps.Array, method)(one))
            assert outcome(lambda one=one: convert(one)) == by_method


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 1e300])
def test_what_is_no_integer_is_refused(value: float) -> None:
    array = ps.asarray(np.array(value))
    with pytest.raises(ps.errors.ArgumentError, match="is no integer of 64 bits"):
        int(array)
    assert float(array) == value or math.isnan(value)


@pytest.mark.parametrize("dtype", [*DTYPES, "float16"])
def test_item_is_numpys(dtype: str) -> None:
    number = np.array([1]).astype(dtype)
    found, expected = ps.asarray(number).item(), number.item()
    assert (type(found), found) == (type(expected), expected)
    with pytest.raises(ps.errors.ShapeError, match="is no single number"):
        ps.asarray(np.zeros(2, dtype)).item()


@pytest.mark.parametrize("convert", [float, int, bool, complex, ps.Array.item])
def test_several_elements_are_refused_without_an_evaluation(convert: Callable[[Any], Any]) -> None:
    lazy = ps.asarray(np.arange(2.0**20)) + 1.0
    assert not lazy.evaluated
    before = ps.stats()["evaluations"]
    with pytest.raises(ps.errors.ShapeError, match="is no single number"):
        convert(lazy)
    assert ps.stats()["evaluations"] == before
    assert not lazy.evaluated


def test_attributes_are_numpys() -> None:
    for shape in [(), (0,), (10,), (2, 3), (1,) * 7, (2, 1, 1, 3, 1, 1, 1, 2)]:
        numbers = np.zeros(shape, np.int16)
        array = ps.asarray(numbers)
        assert (array.shape, array.ndim, array.size) == (numbers.shape, numbers.ndim, numbers.size)
        assert array.nbytes == numbers.nbytes
        assert array.dtype is ps.int16
    with pytest.raises(AttributeError, match="shape"):
        array.shape = (1,)  # type: ignore[misc]


OPERATORS = [operator.add, operator.sub, operator.mul, operator.truediv]
OPERANDS: list[Any] = [1.5, 2, True, np.float32(2), np.arange(3.0), [1, 2, 3], None, "a", 1j, 10**30, Three()]


@pytest.mark.parametrize("calculate", OPERATORS, ids=[each.__name__ for each in OPERATORS])
@pytest.mark.parametrize("other", OPERANDS, ids=[repr(each)[:20] for each in OPERANDS])
def test_an_operator_is_the_same_by_slot_and_by_method(calculate: Callable[[Any, Any], Any], other: Any) -> None:
    name = f"__{calculate.__name__}__"
    for numbers in (np.arange(3, dtype=np.float32), np.arange(3, dtype=np.int8), np.zeros((2, 2))):
        array = ps.asarray(numbers)
        by_method = outcome(lambda array=array: getattr(ps.Array, name)(array, other))
        by_slot = outcome(lambda array=array: calculate(array, other))
        assert by_slot == by_method or (
            by_method[0] is type(NotImplemented) and issubclass(by_slot[0], (TypeError, ValueError))
        )


# A process of its own: once replaced, a method put back is reached by CPython's generic slot and no longer by ours.
REPLACED = """
import numpy as np
import penstock as ps

array = ps.asarray(np.arange(3.0))
method = ps.Array.__getitem__
ps.Array.__getitem__ = lambda _, key: ("mine", key)
assert array[1] == ("mine", 1)
ps.Array.__getitem__ = method
assert float(array[1]) == 1.0
"""


def test_replacing_a_method_of_the_class_takes_effect() -> None:
    command = [sys.executable, "-c", REPLACED]
    result = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert result.returncode == 0, result.stderr


class Derived(ps.Array):
    """A subclass, whose objects can be made without a value only."""


@pytest.mark.filterwarnings("ignore::RuntimeWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
def test_an_object_without_a_value_is_refused() -> None:
    array = ps.asarray(np.arange(3.0))
    for kind in (ps.Array, Derived):
        nothing = kind.__new__(kind)
        uses: list[Callable[[], Any]] = [
            *(lambda: nothing.shape, lambda: nothing.ndim, lambda: nothing[0], lambda: nothing + 1.0),  # noqa: B023
            *(lambda: float(nothing), lambda: len(nothing), lambda: ps.evaluate(nothing)),  # noqa: B023
            *(lambda: nothing.reshape(1), lambda: nothing + array, lambda: array + nothing),  # noqa: B023
            *(lambda: ps.add(array, array, out=nothing), lambda: ps.where(nothing, array, array)),  # noqa: B023
            *(lambda: ps.sum(nothing), lambda: ps.concat([nothing, array]), lambda: nothing == array),  # noqa: B023
            lambda: array.__setitem__(0, nothing),  # noqa: B023
        ]
        for use in uses:
            with pytest.raises(TypeError):
                use()
        with pytest.raises(AttributeError, match="dtype"):
            _ = nothing.dtype


def test_an_object_that_is_used_again_has_no_value_of_its_past() -> None:
    for _ in range(200):
        ps.asarray(np.arange(3.0))[1]  # made and dropped
    nothing = ps.Array.__new__(ps.Array)
    with pytest.raises(AttributeError, match="dtype"):
        _ = nothing.dtype
    with pytest.raises(TypeError, match="never given a value"):
        _ = nothing.shape


def test_a_dtype_is_that_of_the_value_and_stays() -> None:
    arrays = [ps.asarray(np.zeros(3, name)) for name in DTYPES]
    for array, name in zip([array[i] for array in arrays for i in (0, slice(1, 2))], np.repeat(DTYPES, 2), strict=True):
        assert array.dtype is getattr(ps, name)
    changed = ps.asarray(np.zeros(3, "float32"))
    changed += 1
    changed[1] = 7
    ps.add(changed, changed, out=changed)
    assert changed.dtype is ps.float32
    assert changed.tolist() == [2, 14, 2]
    with pytest.raises(AttributeError):
        changed.dtype = ps.int8  # type: ignore[misc]
    with pytest.raises(AttributeError):
        del changed.dtype


def test_shapes_asked_for_in_turns_are_told_apart() -> None:
    shapes = [(n,) for n in range(200)] + [(n, m) for n in range(8) for m in range(40)] + [(1,) * n for n in range(9)]
    arrays = [ps.zeros(shape) for shape in shapes]
    for _ in range(2):
        assert [array.shape for array in arrays] == shapes


@pytest.mark.parametrize("shape", [(4, 3), [3, 4], (-1,), (1, 12, 1), (np.int64(2), 6), (Three(), -1), (12,), 12])
def test_reshape_is_numpys(shape: Any) -> None:
    x = np.arange(24, dtype=np.float32)[::-2]
    for source in (x, x.reshape(6, 2).T, x.reshape(4, 3)):
        array, expected = ps.asarray(source), source.reshape(shape)
        assert np.array_equal(np.asarray(array.reshape(shape)), expected)
        if not isinstance(shape, int):
            assert np.array_equal(np.asarray(array.reshape(*shape)), expected)
    assert ps.asarray(x[:0]).reshape(0, 3).shape == (0, 3)


def test_reshape_takes_no_other_arguments() -> None:
    array = ps.asarray(np.arange(10.0))
    with pytest.raises(TypeError):
        array.reshape(shape=(2, 5))  # type: ignore[call-arg]
    with pytest.raises(TypeError):
        array.reshape("25")  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        array.reshape((2.0, 5))  # type: ignore[arg-type]
    for wrong in [(3, 4), (-1, -1), (-1, 3), (-2, 5), (2**70,)]:
        with pytest.raises(ValueError, match="shape"):
            array.reshape(wrong)


class Replaces:
    """Gives an array another value while the collector runs."""

    def __init__(self, array: ps.Array) -> None:
        self.array, self.itself = array, self

    def __del__(self) -> None:
        ps.add(ps.ones((3, 7)), 2.0, out=self.array)
        self.others = [ps.ones((2, 5)) for _ in range(8)]


def test_a_shape_is_right_whatever_the_collector_runs() -> None:
    thresholds = gc.get_threshold()
    try:
        for rank in range(2, 8):
            array = ps.ones((3, 7))
            Replaces(array)
            for n in range(200):  # other shapes take the place that is kept for this one
                assert ps.ones((rank, n)).shape == (rank, n)
            gc.set_threshold(1)
            assert array.shape == (3, 7)
            gc.set_threshold(*thresholds)
    finally:
        gc.set_threshold(*thresholds)


def test_evaluate_gives_its_arguments_back() -> None:
    a, b = ps.asarray(np.arange(3.0)), ps.asarray(np.arange(2.0))
    lazy = ps.broadcast_to(a, (4, 3)) * 2.0
    assert ps.evaluate() == ()
    assert all(x is y for x, y in zip(ps.evaluate(a, lazy, b), (a, lazy, b), strict=True))
    assert lazy.evaluated
    with pytest.raises(ps.errors.DTypeError, match="expected Penstock arrays; got 3"):
        ps.evaluate(a, 3)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="keyword"):
        ps.evaluate(a=a)  # type: ignore[call-arg]


def test_objects_are_used_again_without_their_past() -> None:
    array = ps.asarray(np.arange(1000.0))
    kept = [array[i] for i in range(0, 1000, 2)]
    for _ in range(3):
        dropped = [array[i] for i in range(1, 1000, 2)]
        del dropped
    assert [float(each) for each in kept] == list(range(0, 1000, 2))
