# SPDX-License-Identifier: Apache-2.0
"""A side of a comparison that a project's own processes time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import TracebackType

from penstock.lab.process import Process
from penstock.lab.sides import calibrated


class Sampled:
    """One case of a side. Every `every` quadruples it goes on in a fresh process, with the next seed.

    Where a process happens to lie in memory moves its times by percents for as long as it lives; only fresh ones make
    quadruples independent. `begin` gives a process that holds the inputs of a seed and has run once.
    """

    def __init__(self, begin: Callable[[int], Process], seeds: Sequence[int], every: int = 1) -> None:
        self.calls = 1
        self.seeds = list(seeds)
        self._begin = begin
        self._every = every
        self._samples = 0
        self._seed = self.seeds[0]
        self._process: Process | None = None

    def __enter__(self) -> Sampled:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is not None:
            self._process.close()
            self._process = None

    @property
    def process(self) -> Process:
        """The process that the side is in now."""
        if self._process is None:
            self._process = self._begin(self._seed)
        return self._process

    def calibrate(self, least: float) -> None:
        self.calls = 1
        self.calls = calibrated(self._sample, least)

    def __call__(self) -> float:
        # Each side runs twice in a quadruple.
        turn, rest = divmod(self._samples, 2 * self._every)
        if rest == 0 and self._samples > 0:
            self.__exit__(None, None, None)
            self._seed = self.seeds[turn % len(self.seeds)]
        self._samples += 1
        return self._sample()

    def _sample(self) -> float:
        return float(self.process.ask("time", seed=self._seed, calls=self.calls)["seconds"])
