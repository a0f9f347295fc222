# SPDX-License-Identifier: Apache-2.0
"""Indexing by arrays of integers and by conditions: NumPy's rules, applied to both."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sweep import FULL, assert_same

import penstock as ps

EXAMPLES = settings(max_examples=5000 if FULL else 400, deadline=None, derandomize=not FULL)
SHAPES = st.lists(st.integers(1, 5), min_size=1, max_size=4).map(tuple)
# What arrays of one index broadcast to.
COMMON = st.sampled_from([(), (1,), (3,), (2, 3), (2, 1)])


@st.composite
def entry(draw: st.DrawFn, extents: tuple[int, ...], common: tuple[int, ...]) -> tuple[Any, int]:
    """An entry for the first of these axes, and how many it takes."""
    kind = draw(st.sampled_from(["slice", "integer", "array", "array", "condition"]))
    n = extents[0]
    if kind == "slice":
        return slice(draw(st.none() | st.integers(-n, n)), None, draw(st.sampled_from([None, 1, 2, -1]))), 1
    if kind == "integer":
        return draw(st.integers(-n, n - 1)), 1
    if kind == "condition" and common in ((), (1,), (3,)):
        # As many true elements as the other arrays have places, or one, which broadcasts.
        used = draw(st.integers(1, len(extents)))
        size = int(np.prod(extents[:used]))
        wanted = min(common[0] if common else 1, size)
        if common and common[0] > size:
            wanted = 1
        places = draw(st.permutations(range(size)))[:wanted]
        mask = np.zeros(size, bool)
        mask[list(places)] = True
        return mask.reshape(extents[:used]), used
    shape = draw(st.sampled_from([common, common[1:], (1,) * len(common)]))
    flat = draw(st.lists(st.integers(-n, n - 1), min_size=int(np.prod(shape)), max_size=int(np.prod(shape))))
    return np.array(flat, draw(st.sampled_from(["int64", "int32", "int8"]))).reshape(shape), 1


@st.composite
def keys(draw: st.DrawFn, shape: tuple[int, ...]) -> Any:
    common = draw(COMMON)
    items: list[Any] = []
    axis = 0
    while axis < len(shape) and draw(st.integers(0, 4)):
        item, used = draw(entry(shape[axis:], common))
        items.append(item)
        axis += used
    if draw(st.booleans()):
        items.append(Ellipsis)
    for _ in range(draw(st.integers(0, 1))):
        items.insert(draw(st.integers(0, len(items))), None)
    return items[0] if len(items) == 1 and draw(st.booleans()) else tuple(items)


def ours(key: Any) -> Any:
    """The key with Penstock arrays in it."""
    if isinstance(key, tuple):
        return tuple(map(ours, key))
    return ps.asarray(key) if isinstance(key, np.ndarray) else key


@given(st.data(), SHAPES)
@EXAMPLES
def test_whatever_numpy_gives(data: st.DataObject, shape: tuple[int, ...]) -> None:
    key = data.draw(keys(shape))
    a = np.arange(int(np.prod(shape)), dtype=np.int32).reshape(shape)
    assert_same(ps.asarray(a)[ours(key)], np.asarray(a[key]))
    assert_same(ps.asarray(a)[key], np.asarray(a[key]))  # NumPy arrays are indices too


@given(st.data(), SHAPES)
@EXAMPLES
def test_assignment(data: st.DataObject, shape: tuple[int, ...]) -> None:
    key = data.draw(keys(shape))
    a = np.arange(int(np.prod(shape)), dtype=np.int32).reshape(shape)
    x = ps.asarray(a)
    part = np.asarray(a[key])
    value = data.draw(st.sampled_from([np.array(-1), -1 - np.arange(part.size).reshape(part.shape)])).astype(np.int32)
    a = a.copy()
    a[key] = value
    old = x
    x = x[...]
    x[ours(key)] = ps.asarray(value)
    assert_same(x, a)
    assert_same(old, np.arange(int(np.prod(shape)), dtype=np.int32).reshape(shape))


def test_lists_numbers_and_conditions() -> None:
    a = np.arange(12.0).reshape(3, 4)
    x = ps.asarray(a)
    for key in ([0, 2], [[0, 1], [2, 0]], ([0, 1], [1, 2]), [], True, False, (slice(None), [True, False, True, False])):
        assert_same(x[key], a[key])
    assert_same(x[ps.greater(x, 5)], a[a > 5])
    y = ps.asarray(a)
    y[ps.greater(y, 5)] = 0
    y[[0], 1] += 10
    b = np.where(a > 5, 0, a)
    b[[0], 1] += 10
    assert_same(y, b)


# What is computed at once ends at 2,048 indices.
@pytest.mark.parametrize("n", [0, 1, 2, 2047, 2048, 2049, 5000])
@pytest.mark.parametrize("rest", [(), (3,), (2, 2)])
def test_one_array_as_the_key(n: int, rest: tuple[int, ...]) -> None:
    rng = np.random.default_rng(n)
    a = rng.integers(-99, 99, (n, *rest)).astype(np.int32)
    x = ps.asarray(a)
    places = rng.integers(-n, n, 7) if n else np.zeros(0, np.int64)
    for dtype in (np.int16, np.int64, np.uint64):
        key = (places % max(n, 1)).astype(dtype) if dtype is np.uint64 else places.astype(dtype)
        assert_same(x[ps.asarray(key)], a[key])
        assert_same(ps.take(x, ps.asarray(key), axis=0), a[key])
    for share in (0, 0.5, 1):
        mask = rng.random(n) < share
        assert_same(x[ps.asarray(mask)], a[mask])
        whole = rng.random(a.shape) < share
        assert_same(x[ps.asarray(whole)], a[whole])
        turned = ps.permute_dims(x, range(x.ndim)[::-1])[ps.permute_dims(ps.asarray(whole), range(x.ndim)[::-1])]
        assert_same(turned, a.T[whole.T])


@pytest.mark.parametrize("n", [1, 2, 2047, 2049])
@pytest.mark.parametrize("rest", [(), (3,), (2, 2)])
def test_assignment_by_one_array(n: int, rest: tuple[int, ...]) -> None:
    rng = np.random.default_rng(n)
    a = rng.integers(-99, 99, (n, *rest)).astype(np.float32)
    mask = rng.random(n) < 0.5
    whole = rng.random(a.shape) < 0.5
    places = rng.permutation(n)[: (n + 1) // 2]
    for key in (mask, whole, places):
        shape = a[key].shape
        one = rng.random(shape)
        # One value, one part for all, parts of their own, and the leading axes of one that NumPy leaves out.
        for value in (np.array(5), np.full((1, 1), 7), one, one[None, None], rng.random(shape[1:])):
            x, b = ps.asarray(a), a.copy()
            b[key.nonzero() if key.dtype == bool else key] = value  # a condition refuses axes of one there
            x[ps.asarray(key)] = ps.asarray(value)
            assert_same(x, b)
            x[ps.asarray(key)] = 2.5
            b[key] = 2.5
            assert_same(x, b)


# 2,048 places are read at the call; more are, too, though what they name may be fetched later.
@pytest.mark.parametrize("n", [100, 2049, 100_000])
@pytest.mark.parametrize("whole", [True, False])
def test_numpy_keys_count_as_they_are_at_the_call(n: int, whole: bool) -> None:
    a = np.arange(float(n))
    x = ps.asarray(a.copy())
    places = np.arange(n)[::-1].copy()
    mask = np.arange(n) % 3 == 0
    got = []
    for key in (places, mask):
        b = a.copy()
        b[key] = -1
        y = ps.asarray(a.copy()) + 0
        y[key if whole else (key,)] = -1
        got += [(x[key if whole else (key,)], a[key]), (y, b)]
    places[:] = 10**12
    mask[:] = False
    for ours_, theirs in got:
        assert_same(ours_, theirs)


def test_shared_places_that_change_before_they_are_read_are_refused() -> None:
    places = np.arange(50_000)
    part = ps.arange(100_000)[ps.asarray(places)]
    places[7] = 10**12
    with pytest.raises(ValueError, match="the indices changed while they were read"):
        np.asarray(part)


def test_lists_as_keys() -> None:
    a = np.arange(5000.0)
    x = ps.asarray(a)
    for key in ([3, -1, 4999], list(range(4000)), (a > 17).tolist(), []):
        assert_same(x[key], a[key])
        b, y = a.copy(), ps.asarray(a)
        b[key] = 5
        y[key] = 5
        assert_same(y, b)
    for bad in ([2**70], [0.5], ["a"], [None], [[0, 1], [2]]):
        with pytest.raises(IndexError, match=r"index|names no elements"):
            x[bad]
        with pytest.raises(IndexError, match=r"index|names no elements"):
            x[bad] = 1


@pytest.mark.parametrize("call", ["x[0, 1]", "x[0:1, 1]", "ps.asarray([1.0])", "ps.sum(x, keepdims=1)", "np_add(x)"])
def test_the_first_call_may_come_from_two_threads(call: str) -> None:
    """NumPy is imported by the first call that needs it, while other threads wait for the interpreter's lock."""
    program = f"""
import sys, threading
sys.setswitchinterval(1e-5)
import penstock as ps
x = ps.full((3, 3), 1.0)
def np_add(x):
    import numpy
    return numpy.add(x, x)
barrier = threading.Barrier(4)
def run():
    barrier.wait()
    {call}
threads = [threading.Thread(target=run) for _ in range(4)]
for each in threads: each.start()
for each in threads: each.join()
"""
    subprocess.run([sys.executable, "-c", program], check=True, timeout=120)


def test_what_cannot_be_assigned() -> None:
    x = ps.zeros((4, 3))
    for key in (ps.asarray([True, False, True, False]), ps.asarray([0, 2])):
        for shape in ((2,), (3, 3), (4, 3), (2, 2, 3)):
            with pytest.raises(ValueError, match="broadcast"):
                x[key] = ps.ones(shape)
    with pytest.raises(IndexError, match="index 4 is out of range for axis 0 of extent 4"):
        x[ps.asarray([4])] = 1.0
    with pytest.raises(IndexError, match=r"condition of shape \(3,\) does not fit axis 0 of extent 4"):
        x[ps.asarray([True] * 3)] = 1.0
    assert x.tolist() == [[0.0] * 3] * 4


def test_of_equal_indices_the_last_stays() -> None:
    x = ps.zeros(3)
    x[ps.asarray(np.array([1, 1, 1]))] = ps.asarray(np.array([1.0, 2.0, 3.0]))
    assert x.tolist() == [0, 3, 0]


def test_what_names_nothing() -> None:
    x = ps.zeros((3, 4))
    with pytest.raises(IndexError, match="index 3 is out of range"):
        x[[0, 3]]
    with pytest.raises(IndexError, match="index -5 is out of range"):
        x[:, [0, -5]]
    with pytest.raises(IndexError, match="3 indices"):
        x[[0], [0], [0]]
    with pytest.raises(IndexError, match=r"condition of shape \(4,\) does not fit axis 0 of extent 3"):
        x[[True] * 4]
    with pytest.raises(IndexError, match="float64"):
        x[ps.asarray(np.array([0.0]))]
    with pytest.raises(IndexError, match="'a'"):
        x["a"]
    with pytest.raises(IndexError, match="one Ellipsis"):
        x[..., [0], ...]
    with pytest.raises(ValueError, match="broadcast"):
        x[[0, 1], [0, 1, 2]]
    with pytest.raises(IndexError):
        ps.zeros((0,))[[0]]
