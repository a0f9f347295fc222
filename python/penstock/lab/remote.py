# SPDX-License-Identifier: Apache-2.0
"""The side of a comparison that processes time, one after the other."""

from __future__ import annotations

import time
from collections.abc import Callable
from types import TracebackType

from penstock.lab import sides
from penstock.lab.process import Process

# How many times as long as it took to start a process is used.
WORTH = 4.0


class Remote:
    """``begin(n)`` starts the n-th process, from 0, ready to be asked for the time of its calls.

    Where a process happens to lie in memory moves its times by percents for as long as it lives: only fresh ones make
    quadruples independent. A side, which has two samples in a quadruple, goes on in a fresh process after ``every``
    quadruples; with 0, as often as starting them takes at most a fifth of the time.
    """

    def __init__(self, begin: Callable[[int], Process], every: int = 0) -> None:
        self.calls = 1
        self._begin = begin
        self._every = every
        self._begun = 0
        self._renew()

    def __enter__(self) -> Remote:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.process.close()

    def calibrate(self, least: float) -> None:
        self.calls = 1
        self.calls = sides.calibrated(self._sample, least)

    def __call__(self) -> float:
        if self._is_used_up():
            self.process.close()
            self._renew()
        self._samples += 1
        return self._sample()

    def output_hash(self) -> str:
        """Calls once; the SHA-256 of the arrays that come back."""
        return str(self.process.ask("digest")["sha256"])

    def _is_used_up(self) -> bool:
        if self._samples == 0 or self._samples % 2:
            return False
        return self._samples >= 2 * self._every if self._every else self._used > WORTH * self._start

    def _sample(self) -> float:
        seconds = float(self.process.ask("time", calls=self.calls)["seconds"])
        self._used += seconds * self.calls
        return seconds

    def _renew(self) -> None:
        started = time.monotonic()
        self.process = self._begin(self._begun)
        self._start = time.monotonic() - started
        self._begun += 1
        self._used, self._samples = 0.0, 0
