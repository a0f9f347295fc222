# SPDX-License-Identifier: Apache-2.0
"""A result takes over the memory of an operand that nobody else holds, and of no other."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable

import numpy as np
import pytest

import penstock as ps

pytestmark = pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
N = 100_000
VALUES = np.arange(N, dtype=np.float32)


def fresh() -> ps.Array:
    return ps.evaluate(ps.asarray(VALUES) + 0)[0]


def donations() -> float:
    return ps.stats()["donations"]


def test_a_dropped_operand_is_written_over() -> None:
    x = fresh()
    y = x + 1
    del x
    before, live = donations(), ps.stats()["live_bytes"]
    ps.evaluate(y)
    assert donations() == before + 1
    assert ps.stats()["live_bytes"] <= live
    np.testing.assert_array_equal(np.asarray(y), VALUES + 1)


def test_steps_of_a_loop_stay_in_one_place() -> None:
    x = fresh()
    before = donations()
    for _ in range(5):
        x = x * 0.5 + 1
        ps.evaluate(x)
    assert donations() == before + 5
    expected = VALUES
    for _ in range(5):
        expected = expected * np.float32(0.5) + np.float32(1)
    np.testing.assert_array_equal(np.asarray(x), expected)


def test_a_product_gives_its_memory_to_what_is_made_of_it() -> None:
    a = np.arange(300 * 200, dtype=np.float32).reshape(300, 200) % 7
    y = (ps.asarray(a) @ ps.asarray(a.T.copy())) * 2 + 1
    before = donations()
    ps.evaluate(y)
    assert donations() == before + 1
    np.testing.assert_array_equal(np.asarray(y), (a @ a.T) * 2 + 1)


HOLDERS: dict[str, Callable[[ps.Array], object]] = {
    "a handle": lambda x: x,
    "a view": lambda x: x[1:],
    "a transposed view": lambda x: ps.reshape(x, (10, N // 10)).T,
    "numpy": np.asarray,
    "dlpack": np.from_dlpack,
    "another expression": lambda x: x * 1,
}


@pytest.mark.parametrize("holder", HOLDERS)
def test_a_held_operand_is_not(holder: str) -> None:
    x = fresh()
    held = HOLDERS[holder](x)
    expected = np.array(HOLDERS[holder](fresh()))
    y = x + 1
    del x
    before = donations()
    ps.evaluate(y)
    assert donations() == before
    np.testing.assert_array_equal(np.array(held), expected)
    np.testing.assert_array_equal(np.asarray(y), VALUES + 1)


def test_numpy_arrays_are_never_written_over() -> None:
    a = VALUES.copy()
    y = ps.asarray(a) + 1
    before = donations()
    ps.evaluate(y)
    assert donations() == before
    np.testing.assert_array_equal(a, VALUES)


def test_threads_that_want_the_same_result_and_what_is_made_of_it() -> None:
    expected_total = np.asarray(ps.sum(ps.asarray(VALUES) + 1))
    for _ in range(20):
        x = fresh()
        y = x + 1
        z = y * 2
        total = ps.sum(y)
        del x
        seen: list[bool] = []

        def look(array: ps.Array, expected: np.ndarray, seen: list[bool] = seen) -> None:
            seen.append(bool(np.array_equal(np.asarray(array), expected)))

        works = [(y, VALUES + 1), (z, (VALUES + 1) * 2), (total, expected_total), (y, VALUES + 1)]
        threads = [threading.Thread(target=look, args=work) for work in works]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert seen == [True] * 4


def test_a_fork_finds_whole_values() -> None:
    stop = threading.Event()
    x = [fresh()]

    def work() -> None:
        while not stop.is_set():
            x[0] = x[0] + 1
            ps.evaluate(x[0])

    thread = threading.Thread(target=work)
    thread.start()
    try:
        for _ in range(10):
            child = os.fork()
            if child == 0:
                steps = np.asarray(x[0]) - VALUES
                os._exit(0 if np.all(steps == steps[0]) else 1)
            assert os.waitpid(child, 0)[1] == 0
    finally:
        stop.set()
        thread.join()
