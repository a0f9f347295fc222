# SPDX-License-Identifier: Apache-2.0
"""How a call of one process is timed, and how much memory it needs. Runs in every environment."""

from __future__ import annotations

import time
import timeit
from collections.abc import Callable
from pathlib import Path

from penstock.lab.sides import Side, Timed, calibrated

SMALL = 100_000  # elements
IDLE = 5.0
LOOK = 0.005
LONGEST_REST = 1.0


class Repeated:
    """A side of calls so short that looking at the clock would show: one look before all of a sample and one after.

    `call` is a function, or a statement over `names`. Giving results back is in the time.
    """

    def __init__(self, call: Callable[[], object] | str, names: dict[str, object] | None = None) -> None:
        self.calls = 1
        self._timer = timeit.Timer(call, globals=names)

    def calibrate(self, least: float) -> None:
        self.calls = 1
        self.calls = calibrated(self, least)

    def __call__(self) -> float:
        return self._timer.timeit(self.calls) / self.calls


def rest() -> None:
    """Waits until this process uses no processor.

    Threads may spin after their work, on the processors of the next side: OpenBLAS's do for 2**28 ticks of the clock,
    which is 130 ms at 2.1 GHz.
    """
    until = time.monotonic() + LONGEST_REST
    used = LOOK
    while used > LOOK / 10 and time.monotonic() < until:
        before = time.process_time()
        time.sleep(LOOK)
        used = time.process_time() - before


class Settled:
    """A side whose operands lay idle while others ran: one call off the clock brings back what the system put aside.

    After its calls it rests.
    """

    def __init__(self, side: Side) -> None:
        self.calls = 1
        self._side = side
        self._ended = 0.0

    def calibrate(self, least: float) -> None:
        self._side.calibrate(least)
        self.calls = self._side.calls

    def __call__(self) -> float:
        if time.monotonic() - self._ended > IDLE:
            self._side.calls = 1
            self._side()
        self._side.calls = self.calls
        seconds = self._side()
        rest()
        self._ended = time.monotonic()
        return seconds


def side(call: Callable[[], object], n: int) -> Side:
    """The side for a call over n elements."""
    return Settled(Repeated(call) if n <= SMALL else Timed(call))


def peak_of(call: Callable[[], object]) -> int | None:
    """By how many bytes a call raises this process's resident memory at most; None where the system does not tell.

    Memory that a library kept from an earlier call does not count: let it go before.
    """
    status, clear = Path("/proc/self/status"), Path("/proc/self/clear_refs")
    try:
        clear.write_text("5", encoding="ascii")  # the peak begins at what is resident now
        before = _field(status, "VmRSS")
        kept = call()
        after = _field(status, "VmHWM")
    except OSError:
        return None
    del kept
    return max(0, after - before)


def _field(status: Path, name: str) -> int:
    lines = status.read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) << 10 for line in lines if line.startswith(f"{name}:"))
