# SPDX-License-Identifier: Apache-2.0
"""A machine that drifts and jitters, for tests of what is concluded from its times. No real time passes."""

from __future__ import annotations

import math

import numpy as np


class Machine:
    """Its slowness wanders as it runs: log slowness is a random walk, with jitter on each sample."""

    def __init__(self, seed: int, *, drift: float = 0.02, jitter: float = 0.01) -> None:
        self._random = np.random.default_rng(seed)
        self._drift = drift
        self._jitter = jitter
        self._slowness = 0.0
        self.now = 0.0

    def clock(self) -> float:
        return self.now

    def run(self, seconds: float) -> float:
        self._slowness += self._drift * self._random.normal()
        took = seconds * math.exp(self._slowness + self._jitter * self._random.normal())
        self.now += took
        return took


class Simulated:
    """A side that takes ``seconds`` on a quiet machine."""

    def __init__(self, machine: Machine, seconds: float) -> None:
        self.calls = 1
        self._machine = machine
        self._seconds = seconds

    def calibrate(self, least: float) -> None:
        pass

    def __call__(self) -> float:
        return self._machine.run(self._seconds)
