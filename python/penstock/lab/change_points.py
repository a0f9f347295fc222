# SPDX-License-Identifier: Apache-2.0
"""Where a series changed its level: binary segmentation, each cut confirmed by a permutation test."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

SEED = 20_240_229
PERMUTATIONS = 999
LEVEL = 0.01
# A level needs so many values on each side: one wild run is no change.
LEAST = 3


@dataclass(frozen=True)
class Change:
    """The series has another level from `at` on: medians before and after, and the chance of as sharp a cut without
    a change."""

    at: int
    before: float
    after: float
    p: float


def change_points(values: Sequence[float], *, level: float = LEVEL, seed: int = SEED) -> list[Change]:
    """The changes of a series, in order. The same values give the same changes. Raises ValueError for NaN.

    Values are ranked, so that an outlier counts as one value however far out it lies.
    """
    series = np.asarray(values, dtype=np.float64)
    if not np.isfinite(series).all():
        raise ValueError("a history holds a value that is not finite")
    cuts = sorted(_cuts(series, 0, series.size, level, np.random.default_rng(seed)))
    ends = [0, *(at for at, _ in cuts), series.size]
    found = []
    for place, (at, p) in enumerate(cuts):
        before, after = series[ends[place] : at], series[at : ends[place + 2]]
        found.append(Change(at, float(np.median(before)), float(np.median(after)), p))
    return found


def _cuts(series: Any, start: int, end: int, level: float, rng: np.random.Generator) -> list[tuple[int, float]]:
    """The confirmed cuts of series[start:end], (index, p) each."""
    part = series[start:end]
    if part.size < 2 * LEAST:
        return []
    ranks = _ranks(part)
    at, height = _sharpest(ranks[None, :])
    shuffled = rng.permuted(np.repeat(ranks[None, :], PERMUTATIONS, axis=0), axis=1)
    chance = (1 + int(np.count_nonzero(_sharpest(shuffled)[1] >= height[0] - 1e-12))) / (PERMUTATIONS + 1)
    if chance > level or height[0] == 0:
        return []
    cut = start + int(at[0])
    return [*_cuts(series, start, cut, level, rng), (cut, chance), *_cuts(series, cut, end, level, rng)]


def _sharpest(rows: Any) -> tuple[Any, Any]:
    """Of each row, where the two means differ most, in units of what chance gives, and by how much."""
    n = rows.shape[1]
    left = np.arange(1, n)
    sums = np.cumsum(rows - rows.mean(axis=1, keepdims=True), axis=1)[:, :-1]
    heights = np.abs(sums) / np.sqrt(left * (n - left) / n)
    heights[:, : LEAST - 1] = 0
    heights[:, n - LEAST :] = 0
    at = heights.argmax(axis=1)
    return at + 1, heights[np.arange(len(at)), at]


def _ranks(values: Any) -> Any:
    """Ranks from 0; equal values share their mean rank."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    return (ends - (counts + 1) / 2)[inverse]
