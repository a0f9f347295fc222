# SPDX-License-Identifier: Apache-2.0
"""Short calls: results are compared first, and several threads do the same number of evaluations as one."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

import rows_small
import rows_sweep
from penstock.lab.sides import Timed
from timing import Repeated, Settled, peak_of


@pytest.mark.parametrize(
    ("found", "expected", "same"),
    [
        ((1, 2), (1, 2), True),
        ((2,), (3,), False),
        ((np.ones(3),), np.ones(3), True),
        (np.ones(3), np.zeros(3), False),
        ("penstock.float32", np.dtype("float32"), True),
        ("penstock.float64", np.dtype("float32"), False),
    ],
)
def test_what_is_the_same(found: Any, expected: Any, same: bool) -> None:
    assert rows_small.same(found, expected) is same


@pytest.mark.parametrize("threads", [1, 2, 4])
def test_several_threads_do_as_many_calls_as_one(threads: int) -> None:
    done: list[int] = []
    calls: list[Callable[[], Any]] = [lambda: done.append(1)] * threads
    with ThreadPoolExecutor(threads) as pool:
        rows_small.AtOnce(pool, calls)()
    assert len(done) == rows_small.SHARED_CALLS


def test_a_repeated_side_times_statements_over_names() -> None:
    found: list[int] = []
    side = Repeated("found.append(1)", {"found": found})
    side.calls = 7
    assert side() > 0
    assert len(found) == 7


def test_an_idle_side_makes_a_call_off_the_clock_first() -> None:
    calls: list[int] = []
    side = Settled(Repeated(lambda: calls.append(1)))
    side.calls = 3
    side()
    assert len(calls) == 4, "idle since for ever"
    side()
    assert len(calls) == 7, "not idle"


def test_a_side_rests_until_its_threads_have_stopped_spinning() -> None:
    threads: list[threading.Thread] = []

    def spin() -> None:
        until = time.monotonic() + 0.2
        while time.monotonic() < until:
            pass

    def call() -> None:
        threads.append(threading.Thread(target=spin))
        threads[-1].start()

    side = Settled(Timed(call))
    side()
    assert len(threads) == 2
    assert not any(each.is_alive() for each in threads)


def test_the_peak_of_a_call_is_what_it_needs() -> None:
    size = 64 << 20
    peak = peak_of(lambda: np.ones(size, np.uint8))
    assert peak is None or size // 2 <= peak < 2 * size


def test_only_contiguous_float32_and_booleans_go_to_the_largest_size() -> None:
    assert "1e8" in rows_sweep.sizes("float32", "plain")
    assert "1e8" in rows_sweep.sizes("bool", "plain")
    assert "1e8" not in rows_sweep.sizes("float32", "strided")
    assert "1e8" not in rows_sweep.sizes("float64", "plain")
