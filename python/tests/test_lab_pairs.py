# SPDX-License-Identifier: Apache-2.0
"""The order of quadruples, their times, and when enough of them have run."""

from __future__ import annotations

import gc
import math

import numpy as np
import pytest
from lab_clock import Clock

from penstock.lab import pairs
from penstock.lab.pairs import Times
from penstock.lab.sides import Timed


@pytest.mark.parametrize("names", ["ab", "abc", "abcde"])
@pytest.mark.parametrize("quadruple", range(7))
def test_each_side_has_the_same_mean_position(names: str, quadruple: int) -> None:
    order = pairs.order(names, quadruple)
    assert sorted(order) == sorted(names * 2)
    middle = (len(order) - 1) / 2
    for name in names:
        assert sum(place for place, each in enumerate(order) if each == name) / 2 == middle


def test_each_side_starts_in_turn() -> None:
    assert [pairs.order("abc", each)[0] for each in range(4)] == ["a", "b", "c", "a"]


def test_a_drift_of_the_machine_cancels() -> None:
    """Each run is slower than the one before; the ratio stays what it is."""
    runs = 0

    class Drifting:
        calls = 1

        def __init__(self, seconds: float) -> None:
            self.seconds = seconds

        def calibrate(self, least: float) -> None:
            pass

        def __call__(self) -> float:
            nonlocal runs
            runs += 1
            return self.seconds * math.exp(0.05 * runs)

    times = pairs.measure({"ours": Drifting(1.0), "peer": Drifting(3.0), "other": Drifting(2.0)}, 6, warm_up=1)
    assert times.quadruples == 6
    assert times.log_ratios("ours", ["peer"]) == pytest.approx([math.log(3.0)] * 6)
    assert times.log_ratios("ours", ["other"]) == pytest.approx([math.log(2.0)] * 6)
    assert runs == 7 * 6


def test_the_fastest_peer_counts_in_each_quadruple() -> None:
    times = Times({"ours": [(1, 1), (1, 1)], "p": [(2, 2), (9, 9)], "q": [(8, 8), (3, 3)]})
    assert np.exp(times.log_ratios("ours", ["p", "q"])) == pytest.approx([2, 3])
    assert times.differences("p", "ours") == pytest.approx([1, 8])
    assert times.median("p") == 5.5


def test_without_a_least_time_a_sample_is_one_call_from_the_start(clock: Clock) -> None:
    runs: list[int] = []

    def work() -> None:
        runs.append(1)
        clock.takes(1.0)()

    times = pairs.measure({"a": Timed(work)}, 2, warm_up=1, least=0.0)
    assert times.pairs["a"] == [(1.0, 1.0)] * 2
    assert len(runs) == 6


def test_the_collector_is_off_while_measuring_and_on_again_after_an_error() -> None:
    states: list[bool] = []

    def fail() -> None:
        states.append(gc.isenabled())
        raise RuntimeError("a side failed")

    with pytest.raises(RuntimeError, match="a side failed"):
        pairs.measure({"a": Timed(fail)}, 1)
    assert states == [False]
    assert gc.isenabled()
