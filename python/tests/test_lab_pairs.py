# SPDX-License-Identifier: Apache-2.0
"""The order of quadruples, their times, and when enough of them have run."""

from __future__ import annotations

import gc
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lab_clock import Clock
from lab_simulated import Machine, Simulated

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


@given(st.integers(1, 7), st.integers(0, 50))
def test_quadruples_are_balanced_in_pairs_too(sides: int, quadruple: int) -> None:
    """Any two sides: each comes before the other equally often, so a steady drift cancels between them."""
    names = list(range(sides))
    run = pairs.order(names, quadruple)
    for a in names:
        for b in names:
            places_a = [place for place, each in enumerate(run) if each == a]
            places_b = [place for place, each in enumerate(run) if each == b]
            assert sum(places_a) == sum(places_b)


def test_ceilings_run_in_the_middle_and_within_their_share(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.monotonic", clock.perf_counter)
    seen: list[str] = []

    def side(name: str, seconds: float) -> Timed:
        def work() -> None:
            seen.append(name)
            clock.takes(seconds)()

        return Timed(work)

    sides = {"a": side("a", 1.0), "b": side("b", 2.0)}
    times = pairs.measure(sides, 40, warm_up=0, least=0.0, ceilings={"copy": side("copy", 3.0)})
    assert seen[:6] == ["copy", "a", "b", "copy", "b", "a"]
    assert times.ceilings["copy"][0] == 3.0
    assert 0.05 < 3.0 * len(times.ceilings["copy"]) / (40 * 6.0) < 0.1
    assert times.ceiling_share == pytest.approx(3.0 * len(times.ceilings["copy"]) / (clock.now - 3.0))
    assert times.log_shares("b", "copy") == pytest.approx([math.log(1.5)] * len(times.ceilings["copy"]))
    assert times.log_shares("b", "no such") == []


def test_the_times_so_far_are_told_after_each_quadruple(clock: Clock) -> None:
    seen: list[int] = []
    pairs.measure({"a": Timed(clock.takes(1.0))}, 3, least=0.0, watch=lambda times: seen.append(times.quadruples))
    assert seen == [1, 2, 3]
    machine = Machine(1, drift=0.0)
    until(machine, 1.0, 20.0, watch=lambda times: seen.append(times.quadruples))
    assert seen == [1, 2, 3, 1, 2, 3, 4]


def until(machine: Machine, ratio: float, most: float, **settings: Any) -> Times:
    sides = {"a": Simulated(machine, 1.0), "b": Simulated(machine, ratio)}
    return pairs.measure_until(sides, lambda _: False, most, clock=machine.clock, least=0.0, **settings)


def test_without_a_decision_the_time_is_used_up_and_no_more() -> None:
    machine = Machine(1, drift=0.0)
    times = until(machine, 1.0, 100.0)
    assert 96 <= machine.now <= 100
    assert times.quadruples == 24  # one more was the warm-up


def test_one_quadruple_runs_however_little_time_there_is() -> None:
    assert until(Machine(1), 1.0, 0.001).quadruples == 1


def test_a_decision_is_asked_for_at_growing_numbers() -> None:
    asked: list[int] = []

    def decide(times: Times) -> bool:
        asked.append(times.quadruples)
        return times.quadruples >= 30

    machine = Machine(2)
    sides = {"a": Simulated(machine, 1.0), "b": Simulated(machine, 1.1)}
    times = pairs.measure_until(sides, decide, 1e6, clock=machine.clock)
    assert asked == [10, 15, 23, 35]
    assert times.quadruples == 35
