# SPDX-License-Identifier: Apache-2.0
"""What the machine could do at that moment: small kernels that run in the middle of the quadruples.

A time changes with the machine's mood; its share of a ceiling that was measured in the same second changes less.
"""

from __future__ import annotations

import contextlib
import mmap
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from penstock.lab.estimate import Estimate, estimate
from penstock.lab.pairs import Times
from penstock.lab.sides import Side, Timed

MiB = 1 << 20
LEAST_COPY, MOST_COPY = 64 * MiB, 512 * MiB
# A product of this size stays in the first-level cache, and NumPy's libraries calculate it on the thread that asks.
TILE = 64
PRODUCTS = 400


@dataclass(frozen=True)
class Ceiling:
    """A kernel, and how many of ``unit`` (bytes moved, floating-point operations) one call of it does."""

    name: str
    unit: str
    amount: float
    side: Side


def memory_copy(size: int | None = None) -> Ceiling:
    """Copies ``size`` bytes on one thread, reading and writing each; without ``size`` more than the caches hold."""
    size = size or min(max(LEAST_COPY, last_level_cache()), MOST_COPY)
    source, target = pages(size), pages(size)
    source.fill(1)
    return Ceiling("memory copy", "bytes", 2.0 * size, Timed(lambda: np.copyto(target, source)))


def pages(size: int) -> NDArray[np.uint8]:
    """Zeros in pages as large as the system gives: touching them the first time costs next to nothing."""
    memory = mmap.mmap(-1, size)
    with contextlib.suppress(OSError):
        memory.madvise(mmap.MADV_HUGEPAGE)
    return np.frombuffer(memory, np.uint8)


def fma() -> Ceiling:
    """Products of float32 matrices of 64 x 64 on one thread: multiplications and additions from the nearest cache."""
    a, b = np.full((TILE, TILE), 0.5, np.float32), np.full((TILE, TILE), 0.25, np.float32)
    out = np.empty_like(a)

    def products() -> None:
        for _ in range(PRODUCTS):
            np.matmul(a, b, out=out)

    return Ceiling("fma", "flops", 2.0 * TILE**3 * PRODUCTS, Timed(products))


def standard() -> dict[str, Ceiling]:
    """The ceilings that a comparison runs, by name."""
    return {each.name: each for each in (memory_copy(), fma())}


def rates(times: Times, ceilings: Mapping[str, Ceiling]) -> dict[str, float]:
    """Of each ceiling that ran, what it did in a second: the median over the quadruples."""
    found = {}
    for name, ceiling in ceilings.items():
        seconds = list(times.ceilings.get(name, {}).values())
        if seconds:
            found[name] = ceiling.amount / float(np.median(seconds))
    return found


def share(times: Times, side: str, ceiling: Ceiling, amount: float) -> Estimate | None:
    """What share of a ceiling a side reached that does ``amount`` in a call; None where the ceiling did not run."""
    logs = times.log_shares(side, ceiling.name)
    if not logs:
        return None
    at = estimate(logs).exp()
    by = amount / ceiling.amount
    return Estimate(at.value * by, at.low * by, at.high * by, at.spread, at.n)


def last_level_cache() -> int:
    """Bytes of the largest cache that the first CPU reaches; 0 where the system does not tell."""
    sizes = [0]
    for file in Path("/sys/devices/system/cpu/cpu0/cache").glob("index*/size"):
        try:
            text = file.read_text(encoding="ascii").strip()
        except OSError:
            continue
        if text.endswith("K") and text[:-1].isdigit():
            sizes.append(int(text[:-1]) << 10)
    with contextlib.suppress(ValueError, OSError):
        sizes.append(os.sysconf("SC_LEVEL3_CACHE_SIZE"))
    return max(sizes)
