# SPDX-License-Identifier: Apache-2.0
"""Times of several sides taken side by side, and ratios with intervals from them.

A quadruple runs its sides forwards and then backwards (A B B A; with three sides A B C C B A), so that each side has
the same mean position in time and a drift of the machine cancels. The next quadruple starts with the next side. What a
row claims is the median of the quadruples' log ratios, with a bootstrap interval of a fixed seed.
"""

from __future__ import annotations

import gc
import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

RESAMPLES = 10_000
SEED = 20_240_229
CONFIDENCE = 0.95
MOST_CALLS = 100_000


class Side(Protocol):
    """Something to time. A sample is `calls` calls; calling the side gives the mean seconds of one."""

    calls: int

    def calibrate(self, least: float) -> None:
        """Choose `calls` so that a sample takes at least `least` seconds."""

    def __call__(self) -> float: ...


class Timed:
    """A function of this process. `before` and `after` run off the clock around each call.

    What the function returns is kept until the clock has stopped: giving memory back is not part of the time, which
    favours the side that gives it back to the system each time.
    """

    def __init__(
        self,
        call: Callable[[], object],
        before: Callable[[], object] | None = None,
        after: Callable[[], object] | None = None,
    ) -> None:
        self.calls = 1
        self._call = call
        self._before = before
        self._after = after

    def calibrate(self, least: float) -> None:
        self.calls = 1
        self.calls = calls_for(least, min(self() for _ in range(3)))

    def __call__(self) -> float:
        clock = time.perf_counter
        total = 0.0
        for _ in range(self.calls):
            if self._before is not None:
                self._before()
            started = clock()
            kept = self._call()
            total += clock() - started
            del kept
            if self._after is not None:
                self._after()
        return total / self.calls


def calls_for(least: float, one: float) -> int:
    """How many calls of `one` second make `least` seconds."""
    return max(1, min(MOST_CALLS, math.ceil(least / max(one, 1e-9))))


@dataclass
class Times:
    """Seconds of each side: one pair (forwards, backwards) a quadruple."""

    pairs: dict[str, list[tuple[float, float]]] = field(default_factory=dict)

    @property
    def quadruples(self) -> int:
        return min((len(pairs) for pairs in self.pairs.values()), default=0)

    def logs(self, side: str) -> list[float]:
        """Of each quadruple, the logarithm of the side's geometric mean time."""
        return [(math.log(first) + math.log(second)) / 2 for first, second in self.pairs[side]]

    def means(self, side: str) -> list[float]:
        """Of each quadruple, the side's mean time."""
        return [(first + second) / 2 for first, second in self.pairs[side]]

    def median(self, side: str) -> float:
        return float(np.median([seconds for pair in self.pairs[side] for seconds in pair]))

    def log_ratios(self, ours: str, peers: Sequence[str]) -> list[float]:
        """Of each quadruple, log(time of the fastest peer / our time): positive where we are faster."""
        fastest = [min(logs) for logs in zip(*(self.logs(peer) for peer in peers), strict=True)]
        return [theirs - own for theirs, own in zip(fastest, self.logs(ours), strict=True)]

    def differences(self, ours: str, peer: str) -> list[float]:
        """Of each quadruple, our mean time less the peer's."""
        return [own - theirs for own, theirs in zip(self.means(ours), self.means(peer), strict=True)]


def order(names: Sequence[str], quadruple: int) -> list[str]:
    """The sides of one quadruple: rotated, then mirrored."""
    turn = quadruple % len(names)
    turned = [*names[turn:], *names[:turn]]
    return turned + turned[::-1]


def measure(sides: Mapping[str, Side], quadruples: int, *, warm_up: int = 2, least: float = 0.02) -> Times:
    """Runs `warm_up` quadruples for nothing, then `quadruples` of them. With `least` 0 a sample is one call."""
    names = list(sides)
    times = Times({name: [] for name in names})
    with collection_off():
        for side in sides.values() if least > 0 else ():
            side.calibrate(least)
        for quadruple in range(-warm_up, quadruples):
            seen: dict[str, float] = {}
            for name in order(names, quadruple + warm_up):
                seconds = sides[name]()
                if quadruple < 0:
                    continue
                if name in seen:
                    times.pairs[name].append((seen[name], seconds))
                else:
                    seen[name] = seconds
    return times


@contextmanager
def collection_off() -> Iterator[None]:
    """Without Python's cycle collector, which would run inside somebody's time."""
    was_on = gc.isenabled()
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


@dataclass(frozen=True)
class Estimate:
    """A median, its bootstrap interval, and the distance between the quartiles of what it is the median of."""

    value: float
    low: float
    high: float
    spread: float

    def exp(self) -> Estimate:
        """Of log ratios: the same for the ratio; the spread becomes a share of it."""
        return Estimate(math.exp(self.value), math.exp(self.low), math.exp(self.high), math.expm1(self.spread))


def estimate(values: Sequence[float], *, seed: int = SEED, resamples: int = RESAMPLES) -> Estimate:
    """The median of `values` with its percentile bootstrap interval. The same values give the same interval."""
    sample = np.asarray(values, dtype=np.float64)
    if sample.size == 0:
        raise ValueError("no values to estimate from; a row needs at least one quadruple")
    rng = np.random.default_rng(seed)
    medians = np.median(sample[rng.integers(0, sample.size, (resamples, sample.size))], axis=1)
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(medians, [tail, 1 - tail])
    quartiles = np.quantile(sample, [0.25, 0.75])
    return Estimate(float(np.median(sample)), float(low), float(high), float(quartiles[1] - quartiles[0]))


def verdict(low: float, high: float, bar: float | None, at_most: bool = False) -> str:
    """Whether the whole interval is on the right side of the bar: met, missed, undecided, or nothing without a bar."""
    if bar is None:
        return ""
    if at_most:
        low, high, bar = -high, -low, -bar
    if low >= bar:
        return "met"
    return "missed" if high < bar else "undecided"
