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

import numpy as np

from penstock.lab.sides import Side

# The fewest quadruples, after warm-up, that anything may be concluded from.
LEAST_QUADRUPLES = 10
# Of the time, what ceiling kernels may take: with what starting them costs it stays below a tenth.
CEILING_SHARE = 0.08


@dataclass
class Times:
    """Seconds of each side: one pair (forwards, backwards) a quadruple; of each ceiling, one by quadruple."""

    pairs: dict[str, list[tuple[float, float]]] = field(default_factory=dict)
    ceilings: dict[str, dict[int, float]] = field(default_factory=dict)
    # Of the time that quadruples have taken, what the ceilings took.
    ceiling_share: float = 0.0

    @property
    def quadruples(self) -> int:
        return min((len(pairs) for pairs in self.pairs.values()), default=0)

    def logs(self, side: str) -> list[float]:
        """Of each quadruple, the logarithm of the side's geometric mean time."""
        return [(math.log(first) + math.log(second)) / 2 for first, second in self.pairs[side]]

    def means(self, side: str) -> list[float]:
        """Of each quadruple, the side's mean time."""
        return [(first + second) / 2 for first, second in self.pairs[side]]

    def seconds(self, side: str) -> list[float]:
        """All of a side's samples, in order."""
        return [seconds for pair in self.pairs[side] for seconds in pair]

    def median(self, side: str) -> float:
        return float(np.median(self.seconds(side)))

    def log_ratios(self, ours: str, peers: Sequence[str]) -> list[float]:
        """Of each quadruple, log(time of the fastest peer / our time): positive where we are faster."""
        fastest = [min(logs) for logs in zip(*(self.logs(peer) for peer in peers), strict=True)]
        return [theirs - own for theirs, own in zip(fastest, self.logs(ours), strict=True)]

    def log_shares(self, side: str, ceiling: str) -> list[float]:
        """Of each quadruple in which the ceiling ran, log(time of the ceiling / time of the side)."""
        logs = self.logs(side)
        return [math.log(seconds) - logs[place] for place, seconds in self.ceilings.get(ceiling, {}).items()]

    def differences(self, ours: str, peer: str) -> list[float]:
        """Of each quadruple, our mean time less the peer's."""
        return [own - theirs for own, theirs in zip(self.means(ours), self.means(peer), strict=True)]


def order(names: Sequence[str], quadruple: int) -> list[str]:
    """The sides of one quadruple: rotated, then mirrored."""
    turn = quadruple % len(names)
    turned = [*names[turn:], *names[:turn]]
    return turned + turned[::-1]


# Is told the times so far after each quadruple, off the clock.
Watch = Callable[[Times], None]


class Recorder:
    """Runs quadruples one by one and keeps their times; ceilings run once in the middle of each, between its halves.

    A ceiling is left out of quadruples while the ceilings have had more than their share of the time.
    """

    def __init__(
        self, sides: Mapping[str, Side], ceilings: Mapping[str, Side] | None = None, watch: Watch | None = None
    ) -> None:
        self.times = Times({name: [] for name in sides})
        self._watch = watch
        self._sides = sides
        self._ceilings = ceilings or {}
        self._spent = {"sides": 0.0, "ceilings": 0.0}
        self._turn = 0

    def warm_up(self, quadruples: int, least: float) -> None:
        """Chooses how many calls a sample has, and runs ``quadruples`` of them for nothing."""
        for side in self._sides.values() if least > 0 else ():
            side.calibrate(least)
        for ceiling in self._ceilings.values():
            ceiling()
        for _ in range(quadruples):
            self._run()

    def run(self) -> None:
        """One quadruple."""
        found, ceilings = self._run()
        for name, (first, second) in found.items():
            self.times.pairs[name].append((first, second))
        for name, seconds in ceilings.items():
            self.times.ceilings.setdefault(name, {})[self.times.quadruples - 1] = seconds
        if self._watch is not None:
            self._watch(self.times)

    def _run(self) -> tuple[dict[str, list[float]], dict[str, float]]:
        names = order(list(self._sides), self._turn)
        self._turn += 1
        half = len(names) // 2
        found: dict[str, list[float]] = {name: [] for name in self._sides}
        for name in names[:half]:
            found[name].append(self._timed("sides", self._sides[name]))
        ceilings = {}
        if self._spent["ceilings"] <= CEILING_SHARE * sum(self._spent.values()):
            ceilings = {name: self._timed("ceilings", ceiling) for name, ceiling in self._ceilings.items()}
        for name in names[half:]:
            found[name].append(self._timed("sides", self._sides[name]))
        return found, ceilings

    def _timed(self, kind: str, side: Side) -> float:
        started = time.monotonic()
        seconds = side()
        self._spent[kind] += time.monotonic() - started
        self.times.ceiling_share = self._spent["ceilings"] / (sum(self._spent.values()) or 1.0)
        return seconds


def measure(
    sides: Mapping[str, Side],
    quadruples: int,
    *,
    warm_up: int = 2,
    least: float = 0.02,
    ceilings: Mapping[str, Side] | None = None,
    watch: Watch | None = None,
) -> Times:
    """Runs `warm_up` quadruples for nothing, then `quadruples` of them. With `least` 0 sides stay as calibrated."""
    recorder = Recorder(sides, ceilings, watch)
    with collection_off():
        recorder.warm_up(warm_up, least)
        for _ in range(quadruples):
            recorder.run()
    return recorder.times


def measure_until(
    sides: Mapping[str, Side],
    decide: Callable[[Times], bool],
    most_seconds: float,
    *,
    warm_up: int = 1,
    least: float = 0.02,
    ceilings: Mapping[str, Side] | None = None,
    watch: Watch | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> Times:
    """Runs quadruples until ``decide`` is content with the times or ``most_seconds`` are used up, warm-up included.

    It is asked at 10 quadruples and then each time there are half as many again: every look at chance results is one
    more chance to be fooled. At least one quadruple runs; none begins that would not end in time.
    """
    recorder = Recorder(sides, ceilings, watch)
    end = clock() + most_seconds
    look = LEAST_QUADRUPLES
    with collection_off():
        recorder.warm_up(warm_up, least)
        lasted: list[float] = []
        while not lasted or clock() + sorted(lasted[-5:])[len(lasted[-5:]) // 2] <= end:
            started = clock()
            recorder.run()
            lasted.append(clock() - started)
            if recorder.times.quadruples >= look:
                if decide(recorder.times):
                    break
                look = math.ceil(look * 1.5)
    return recorder.times


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
