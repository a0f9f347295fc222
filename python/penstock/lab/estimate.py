# SPDX-License-Identifier: Apache-2.0
"""Medians with bootstrap intervals, and percentiles by rank.

What is estimated from are log ratios, one a quadruple of runs: their median is the same whichever side is divided by
which, and one disturbed quadruple does not move it.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

RESAMPLES = 10_000
SEED = 20_240_229
CONFIDENCE = 0.95
# Above this lag-1 correlation neighbours are no independent samples, and whole blocks of them are drawn.
CORRELATED = 0.2
# Elements of the table of draws that is in memory at a time.
TABLE = 1 << 22


@dataclass(frozen=True)
class Estimate:
    """A median, its bootstrap interval, the distance between the quartiles of the samples, and how many they were."""

    value: float
    low: float
    high: float
    spread: float
    n: int = 0

    def exp(self) -> Estimate:
        """Of log ratios: the same for the ratio; the spread becomes a share of it."""
        return Estimate(math.exp(self.value), math.exp(self.low), math.exp(self.high), math.expm1(self.spread), self.n)


def estimate(
    values: Sequence[float], *, confidence: float = CONFIDENCE, seed: int = SEED, resamples: int = RESAMPLES
) -> Estimate:
    """The median of ``values`` with its percentile bootstrap interval.

    Whole blocks are drawn where neighbours are correlated by more than 0.2. The same values give the same interval.
    Raises ValueError for no values, and for values that are no numbers.
    """
    sample = np.asarray(values, dtype=np.float64)
    if sample.size == 0:
        raise ValueError("no values to estimate from; a row needs at least one quadruple")
    if not np.isfinite(sample).all():
        raise ValueError(f"cannot estimate from {sample[~np.isfinite(sample)][0]}; every value must be finite")
    tail = (1 - confidence) / 2
    low, high = np.quantile(bootstrap_medians(sample, seed, resamples), [tail, 1 - tail])
    quartiles = np.quantile(sample, [0.25, 0.75])
    middle = float(np.median(sample))
    # The median of few values may lie beside the quantiles of the resampled ones by rounding alone.
    return Estimate(
        middle, min(float(low), middle), max(float(high), middle), float(quartiles[1] - quartiles[0]), sample.size
    )


def certain(values: Sequence[float], confidence: float) -> Estimate | None:
    """The median with an interval that holds it in ``confidence`` of all cases, whatever the distribution, or None: too
    few values for one.

    The tails of a bootstrap of few values are too short for a confidence near 1. Of n independent values the k smallest
    all lie below the median with the chance of k heads in n tosses: order statistics widen the interval to that.
    """
    ordered = np.sort(np.asarray(values, dtype=np.float64))
    tail, n = (1 - confidence) / 2, ordered.size
    chances = itertools.accumulate(math.comb(n, heads) * 0.5**n for heads in range(n // 2))
    beyond = sum(chance <= tail for chance in chances)
    if beyond == 0:
        return None
    found = estimate(values, confidence=confidence)
    low, high = min(found.low, float(ordered[beyond - 1])), max(found.high, float(ordered[n - beyond]))
    return replace(found, low=low, high=high)


def bootstrap_medians(sample: Any, seed: int = SEED, resamples: int = RESAMPLES) -> Any:
    """The medians of ``resamples`` samples drawn from ``sample``, a float64 array; blocks wrap around its end."""
    rng = np.random.default_rng(seed)
    n = sample.size
    length = block_length(sample)
    blocks = -(-n // length)
    medians = np.empty(resamples)
    step = max(1, TABLE // (blocks * length))
    for first in range(0, resamples, step):
        count = min(step, resamples - first)
        starts = rng.integers(0, n, (count, blocks, 1))
        places = ((starts + np.arange(length)) % n).reshape(count, -1)[:, :n]
        medians[first : first + count] = np.median(sample[places], axis=1)
    return medians


def block_length(sample: Any) -> int:
    """How many neighbours are drawn together: 1 for independent samples, more the longer the correlation lasts.

    The length for an autoregressive series that makes the error of the interval smallest:
    (sqrt(6) r / (1 - r**2))**(2/3) n**(1/3), at most a third of the samples.
    """
    correlation = lag_1_correlation(sample)
    if correlation <= CORRELATED:
        return 1
    correlation = min(correlation, 0.97)
    best: float = (math.sqrt(6) * correlation / (1 - correlation**2)) ** (2 / 3) * sample.size ** (1 / 3)
    return max(1, min(math.ceil(best), int(sample.size) // 3))


def lag_1_correlation(sample: Any) -> float:
    """How far each sample follows the one before: -1 to 1, and 0 of constant samples."""
    centred = np.asarray(sample, dtype=np.float64) - np.mean(sample)
    power = float(centred @ centred)
    return float(centred[:-1] @ centred[1:]) / power if power > 0 else 0.0


def percentile(samples: Sequence[float], q: float) -> float | None:
    """The value at rank ceil(q n) of the sorted samples, ``q`` above 0 and at most 1, or None: not enough samples.

    Beyond q there must be at least one sample in expectation: P99 needs 100 samples, P999 needs 1,000.
    """
    if not 0 < q <= 1:
        raise ValueError(f"a percentile of q = {q} does not exist; q is above 0 and at most 1, such as 0.99")
    n = len(samples)
    # Rounded: 1 / (1 - 0.999) is 999.9999999999991, and 0.07 * 100 is 7.000000000000001.
    needed = math.ceil(round(1 / (1 - q), 6)) if 0.5 < q < 1 else 1
    if n < needed:
        return None
    return float(np.sort(np.asarray(samples, dtype=np.float64))[math.ceil(round(q * n, 9)) - 1])
