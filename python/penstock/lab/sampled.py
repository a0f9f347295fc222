# SPDX-License-Identifier: Apache-2.0
"""A side of a comparison that a project's own process times."""

from __future__ import annotations

from collections.abc import Sequence

from penstock.lab.process import Process
from penstock.lab.sides import calibrated


class Sampled:
    """One case of a side, prepared in its process. Quadruples take the seeds in turn, the same on each side."""

    def __init__(self, process: Process, seeds: Sequence[int]) -> None:
        self.calls = 1
        self._process = process
        self._seeds = list(seeds)
        self._samples = 0

    def calibrate(self, least: float) -> None:
        self.calls = 1
        self.calls = calibrated(lambda: self._ask(self._seeds[0]), least)

    def __call__(self) -> float:
        # Each side runs twice in a quadruple.
        seed = self._seeds[self._samples // 2 % len(self._seeds)]
        self._samples += 1
        return self._ask(seed)

    def _ask(self, seed: int) -> float:
        return float(self._process.ask("time", seed=seed, calls=self.calls)["seconds"])
