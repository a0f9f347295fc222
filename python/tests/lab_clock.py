# SPDX-License-Identifier: Apache-2.0
"""A clock that only moves when told to, for the lab's tests."""

from __future__ import annotations

from collections.abc import Callable


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
