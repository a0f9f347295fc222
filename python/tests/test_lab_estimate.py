# SPDX-License-Identifier: Apache-2.0
"""Estimates: the interval holds the median and what it should, blocks under correlation, ranks of percentiles."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.lab.estimate import block_length, certain, estimate, lag_1_correlation, percentile

LOGS = st.lists(st.floats(-3, 3, allow_nan=False, width=32), min_size=1, max_size=60)


def test_an_estimate_is_the_median_and_repeats() -> None:
    values = list(np.random.default_rng(5).normal(1.0, 0.1, 30))
    assert estimate(values, resamples=50) == estimate(values, resamples=50)
    first = estimate(values)
    assert first.value == pytest.approx(float(np.median(values)))
    assert first.low < 1.0 < first.high
    assert first.spread == pytest.approx(0.1 * 1.35, rel=0.5)
    assert first.n == 30
    ratio = first.exp()
    assert (ratio.value, ratio.low, ratio.n) == pytest.approx((math.exp(first.value), math.exp(first.low), 30))


@settings(max_examples=40, deadline=None)
@given(LOGS)
def test_the_interval_contains_the_median(values: list[float]) -> None:
    found = estimate(values, resamples=200)
    assert found.low <= found.value <= found.high
    assert found.value == np.median(values)
    wide = estimate(values, resamples=200, confidence=0.999)
    assert wide.low <= found.low <= found.high <= wide.high


@settings(max_examples=40, deadline=None)
@given(LOGS, st.integers(-8, 8))
def test_a_shift_of_the_log_ratios_shifts_the_estimate_exactly(values: list[float], by: int) -> None:
    # In whole 1/1024: sums are exact, so what is left is the draws, and they must not depend on the values.
    whole = np.round(np.array(values) * 1024) / 1024
    found, shifted = estimate(list(whole), resamples=200), estimate(list(whole + by), resamples=200)
    if block_length(whole) == block_length(whole + by):
        assert shifted.value == found.value + by
        assert (shifted.low, shifted.high) == pytest.approx((found.low + by, found.high + by), abs=1e-12)


def test_the_interval_holds_the_true_median_about_as_often_as_it_says() -> None:
    rng = np.random.default_rng(11)
    estimates = [estimate(list(rng.normal(0.0, 1.0, 15)), resamples=500) for _ in range(300)]
    held = sum(each.low <= 0 <= each.high for each in estimates)
    assert 0.88 < held / 300 < 0.99


def test_a_certain_interval_is_as_sure_as_it_says() -> None:
    """A bootstrap of eleven values claims 99.9 % and keeps 99: its tails end at the values that were drawn."""
    rng = np.random.default_rng(7)
    missed = 0
    for _ in range(3000):
        found = certain(rng.normal(0, 1, 11), 0.999)
        assert found is not None
        missed += not found.low <= 0 <= found.high
    assert missed <= 9
    assert certain(rng.normal(0, 1, 10), 0.999) is None
    values = [float(each) for each in rng.permutation(np.arange(11.0))]
    found = certain(values, 0.999)
    assert found is not None
    assert (found.low, found.value, found.high, found.n) == (0, 5, 10, 11)


def test_constant_values_have_no_width_and_none_are_refused() -> None:
    found = estimate([2.0] * 5)
    assert (found.value, found.low, found.high, found.spread) == (2.0, 2.0, 2.0, 0.0)
    with pytest.raises(ValueError, match="at least one quadruple"):
        estimate([])
    with pytest.raises(ValueError, match="cannot estimate from nan; every value must be finite"):
        estimate([1.0, math.nan])


def correlated(n: int, correlation: float, seed: int = 3) -> np.ndarray:
    """An autoregressive series of variance 1."""
    rng = np.random.default_rng(seed)
    values = [rng.normal()]
    for _ in range(n - 1):
        values.append(correlation * values[-1] + math.sqrt(1 - correlation**2) * rng.normal())
    return np.array(values)


def test_blocks_widen_the_interval_of_correlated_samples() -> None:
    series = correlated(200, 0.8)
    shuffled = np.random.default_rng(4).permutation(series)
    assert lag_1_correlation(series) > 0.6
    assert block_length(series) > 5
    assert block_length(shuffled) == 1
    wide, narrow = estimate(list(series)), estimate(list(shuffled))
    assert wide.value == narrow.value
    assert wide.high - wide.low > 1.5 * (narrow.high - narrow.low)


def test_blocks_hold_the_true_median_where_single_draws_do_not() -> None:
    held = 0
    for seed in range(150):
        found = estimate(list(correlated(60, 0.6, seed)), resamples=400)
        held += found.low <= 0 <= found.high
    assert held / 150 > 0.82  # 0.66 with blocks of one


@pytest.mark.parametrize(
    ("n", "q", "expected"),
    [
        (1, 0.5, 1),
        (10, 0.5, 5),
        (11, 0.5, 6),
        (100, 0.07, 7),
        (100, 0.99, 99),
        (99, 0.99, None),
        (1000, 0.999, 999),
        (999, 0.999, None),
        (2000, 0.999, 1998),
        (7, 1.0, 7),
        (0, 0.5, None),
    ],
)
def test_percentiles_by_rank(n: int, q: float, expected: int | None) -> None:
    samples = list(np.random.default_rng(1).permutation(np.arange(1, n + 1)))
    assert percentile(samples, q) == expected


@given(st.lists(st.floats(-1e6, 1e6), min_size=100, max_size=200), st.floats(0.01, 0.99))
def test_a_percentile_is_a_sample_with_its_share_at_or_below(samples: list[float], q: float) -> None:
    found = percentile(samples, q)
    assert found in samples
    assert sum(each <= found for each in samples) >= q * len(samples) - 1e-6
    assert sum(each < found for each in samples) < q * len(samples) + 1e-6


@pytest.mark.parametrize("q", [0.0, -1.0, 1.5])
def test_a_percentile_that_does_not_exist(q: float) -> None:
    with pytest.raises(ValueError, match=r"such as 0\.99"):
        percentile([1.0], q)
