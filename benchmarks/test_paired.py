# SPDX-License-Identifier: Apache-2.0
"""The order of a quadruple, what the clock sees, and the estimates."""

from __future__ import annotations

import gc
import math
from collections.abc import Callable

import numpy as np
import pytest

import paired
from paired import Timed, Times


class Clock:
    """A clock that only moves when told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def perf_counter(self) -> float:
        return self.now

    def takes(self, seconds: float) -> Callable[[], None]:
        def work() -> None:
            self.now += seconds

        return work


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr("time.perf_counter", made.perf_counter)
    return made


@pytest.mark.parametrize("names", ["ab", "abc", "abcde"])
@pytest.mark.parametrize("quadruple", range(7))
def test_each_side_has_the_same_mean_position(names: str, quadruple: int) -> None:
    order = paired.order(names, quadruple)
    assert sorted(order) == sorted(names * 2)
    middle = (len(order) - 1) / 2
    for name in names:
        assert sum(place for place, each in enumerate(order) if each == name) / 2 == middle


def test_each_side_starts_in_turn() -> None:
    assert [paired.order("abc", each)[0] for each in range(4)] == ["a", "b", "c", "a"]


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

    times = paired.measure({"ours": Drifting(1.0), "peer": Drifting(3.0), "other": Drifting(2.0)}, 6, warm_up=1)
    assert times.quadruples == 6
    assert times.log_ratios("ours", ["peer"]) == pytest.approx([math.log(3.0)] * 6)
    assert times.log_ratios("ours", ["other"]) == pytest.approx([math.log(2.0)] * 6)
    assert runs == 7 * 6


def test_the_fastest_peer_counts_in_each_quadruple() -> None:
    times = Times({"ours": [(1, 1), (1, 1)], "p": [(2, 2), (9, 9)], "q": [(8, 8), (3, 3)]})
    assert np.exp(times.log_ratios("ours", ["p", "q"])) == pytest.approx([2, 3])
    assert times.differences("p", "ours") == pytest.approx([1, 8])
    assert times.median("p") == 5.5


def test_only_the_call_is_on_the_clock(clock: Clock) -> None:
    seen: list[str] = []

    def call() -> None:
        seen.append("call")
        clock.takes(0.5)()

    def other(name: str) -> Callable[[], None]:
        def work() -> None:
            seen.append(name)
            clock.takes(100.0)()

        return work

    side = Timed(call, before=other("before"), after=other("after"))
    side.calls = 2
    assert side() == 0.5
    assert seen == ["before", "call", "after"] * 2


def test_a_result_is_dropped_off_the_clock(clock: Clock) -> None:
    class Slow:
        def __del__(self) -> None:
            clock.takes(7.0)()

    side = Timed(Slow)
    side.calls = 3
    assert side() == 0.0
    assert clock.now == 21.0


def test_a_sample_is_as_many_calls_as_it_needs(clock: Clock) -> None:
    side = Timed(clock.takes(0.003))
    side.calibrate(0.02)
    assert side.calls == 7
    side.calibrate(0.0)
    assert side.calls == 1
    assert paired.calls_for(1.0, 0.0) == paired.MOST_CALLS


def test_without_a_least_time_a_sample_is_one_call_from_the_start(clock: Clock) -> None:
    runs: list[int] = []

    def work() -> None:
        runs.append(1)
        clock.takes(1.0)()

    times = paired.measure({"a": Timed(work)}, 2, warm_up=1, least=0.0)
    assert times.pairs["a"] == [(1.0, 1.0)] * 2
    assert len(runs) == 6


def test_the_collector_is_off_while_measuring_and_on_again_after_an_error() -> None:
    states: list[bool] = []

    def fail() -> None:
        states.append(gc.isenabled())
        raise RuntimeError("a side failed")

    with pytest.raises(RuntimeError, match="a side failed"):
        paired.measure({"a": Timed(fail)}, 1)
    assert states == [False]
    assert gc.isenabled()


def test_an_estimate_is_the_median_and_repeats() -> None:
    values = list(np.random.default_rng(5).normal(1.0, 0.1, 30))
    assert paired.estimate(values, resamples=50) == paired.estimate(values, resamples=50)
    first = paired.estimate(values)
    assert first.value == pytest.approx(float(np.median(values)))
    assert first.low < 1.0 < first.high
    assert first.spread == pytest.approx(0.1 * 1.35, rel=0.5)
    ratio = first.exp()
    assert (ratio.value, ratio.low) == pytest.approx((math.exp(first.value), math.exp(first.low)))


def test_the_interval_holds_the_true_median_about_as_often_as_it_says() -> None:
    rng = np.random.default_rng(11)
    estimates = [paired.estimate(list(rng.normal(0.0, 1.0, 15)), resamples=500) for _ in range(300)]
    held = sum(each.low <= 0 <= each.high for each in estimates)
    assert 0.88 < held / 300 < 0.99


def test_constant_values_have_no_width_and_none_are_refused() -> None:
    found = paired.estimate([2.0] * 5)
    assert (found.value, found.low, found.high, found.spread) == (2.0, 2.0, 2.0, 0.0)
    with pytest.raises(ValueError, match="at least one quadruple"):
        paired.estimate([])


@pytest.mark.parametrize(
    ("low", "high", "bar", "at_most", "expected"),
    [
        (1.5, 1.8, 1.5, False, "met"),
        (1.4, 1.8, 1.5, False, "undecided"),
        (1.2, 1.4, 1.5, False, "missed"),
        (1.2, 1.4, None, False, ""),
        (90.0, 150.0, 150.0, True, "met"),
        (90.0, 151.0, 150.0, True, "undecided"),
        (151.0, 160.0, 150.0, True, "missed"),
    ],
)
def test_the_whole_interval_decides(low: float, high: float, bar: float | None, at_most: bool, expected: str) -> None:
    assert paired.verdict(low, high, bar, at_most) == expected
