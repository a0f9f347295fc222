# SPDX-License-Identifier: Apache-2.0
"""The addition of lab_add.cc: compiled, as sides of the lab, and as Google Benchmark's compare.py measures it."""

from __future__ import annotations

import ctypes
import math
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from bench import Refused
from penstock.lab import google_benchmark
from penstock.lab.sides import Timed

SOURCE = Path(__file__).resolve().parent / "lab_add.cc"
FULL = 16 << 20  # elements: arrays of 64 MiB
# Into how many repetitions compare.py's time is split; it compares their medians.
REPETITIONS = 10


class Addition:
    """The compiled function and program, for arrays of ``n`` elements."""

    def __init__(self, folder: Path, n: int = FULL) -> None:
        self.n = n
        self.program = folder / "lab_add"
        library = folder / "lab_add.so"
        compile_with(["-shared", "-fPIC", "-o", str(library), str(SOURCE)])
        compile_with([f"-DLAB_ADD_PROGRAM={n}", "-o", str(self.program), str(SOURCE), "-lbenchmark", "-lpthread"])
        self._add = ctypes.CDLL(str(library)).lab_add
        self._add.argtypes = [ctypes.c_void_p] * 3 + [ctypes.c_int64]
        self._add.restype = None

    def side(self, slowdown: float = 0.0) -> Timed:
        """Additions of arrays of its own, which are longer by the share ``slowdown``."""
        n = round(self.n * (1 + slowdown))
        a, b = (np.full(n, value, np.float32) for value in (0.5, 0.25))
        out = np.zeros(n, np.float32)
        pointers = [each.ctypes.data for each in (a, b, out)]

        def call() -> None:
            self._add(*pointers, n)

        # The arrays live as long as the call that has their addresses.
        return Timed(keeping(call, a, b, out))

    def google(self, seconds: float) -> float:
        """time(B)/time(A) of the program against itself as compare.py gives it: A in half the time, then B."""
        medians = []
        for _ in "ab":
            found = google_benchmark.run(
                self.program, min_time=seconds / 2 / REPETITIONS, repetitions=REPETITIONS, time_limit=seconds * 10 + 60
            )
            (samples,) = found.values()
            medians.append(float(np.median(samples.seconds)))
        return medians[1] / medians[0]


def keeping(call: Callable[[], None], *kept: Any) -> Callable[[], None]:
    """``call``, with a reference to what it needs."""

    def keeper() -> None:
        _ = kept
        call()

    return keeper


def compile_with(arguments: list[str]) -> None:
    """Runs the C++ compiler. Raises Refused with what it said."""
    command = ["c++", "-O3", "-march=native", "-std=c++17", *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError as error:
        raise Refused(f"no C++ compiler: {error}") from None
    if done.returncode != 0:
        raise Refused(f"lab_add.cc does not compile: {done.stderr.strip()[:300]}")


def wilson(hits: int, n: int, z: float = 1.96) -> tuple[float, float]:
    """The 95 % interval of a share of ``hits`` in ``n``."""
    share = hits / n
    centre = share + z * z / (2 * n)
    half = z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return max(0.0, (centre - half) / (1 + z * z / n)), min(1.0, (centre + half) / (1 + z * z / n))
