# SPDX-License-Identifier: Apache-2.0
"""This machine's ceilings, measured, and recorded kernels placed on them.

A kernel that does `operations` over `bytes` can reach at most min(arithmetic, bytes a second * operations / bytes)
operations a second: the roofline. Ceilings are medians of short runs with their intervals, never the best run.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeGuard

from penstock.lab import machine
from penstock.lab.errors import LabError
from penstock.lab.estimate import estimate
from penstock.lab.results import identity_of

Line = dict[str, Any]
# (name, bytes, threads, seconds of a run, runs) -> a rate of each run
Rates = Callable[[str, int, int, float, int], list[float]]
STREAM = ("copy", "add", "triad")
ARITHMETIC = {"fma_f32": "op/s", "fma_f64": "op/s", "popcount": "word/s", "dot_int8": "op/s"}
LEVELS = ("L1", "L2", "L3", "DRAM")
MOST_BYTES = 1 << 30


@dataclass(frozen=True)
class Effort:
    """How many runs a ceiling is the median of, and how long each takes, in seconds."""

    samples: int = 15
    seconds: float = 0.03


QUICK = Effort(5, 0.004)


def sizes(l1: int, l2: int, l3: int, threads: int) -> dict[str, int]:
    """Bytes that lie in each level and in none below: half of a thread's own caches, an eighth of the shared one
    (others share it) or twice the private ones, and four times the last one."""
    return {
        "L1": l1 // 2 * threads,
        "L2": l2 // 2 * threads,
        "L3": max(l3 // 8, 2 * l2 * threads),
        "DRAM": min(max(4 * l3, 64 << 20), MOST_BYTES),
    }


def measure(
    effort: Effort | None = None,
    *,
    threads: int = 0,
    directory: str | None = ".",
    rates: Rates | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> Line:
    """Measures every ceiling on one thread and on ``threads`` (0: as many as the engine uses), and the disk under
    ``directory`` (None: left out). Returns a line of results of kind "roofline".

    Takes about half a minute, and four times the last cache in memory.
    """
    import penstock
    from penstock import _core

    effort, rates = effort or Effort(), rates or _core.ceiling_rates
    config = penstock.show_config()
    several = threads or int(config["threads"])
    before = machine.now()
    ceilings = []
    for count in sorted({1, several}):
        for name, level, size in loops(sizes(config["l1d"], config["l2"], config["l3"], count)):
            say(f"{name}{f' from {level}' if level else ''}, {count} thread{'s' * (count > 1)}")
            found = rates(name, size, count, effort.seconds, effort.samples)
            ceilings.append(ceiling(name, level, count, size, found))
    on = machine.record()
    return {
        "kind": "roofline",
        "when": datetime.now(UTC).isoformat(timespec="seconds"),
        "threads": several,
        "ceilings": ceilings,
        "disk": {"missing": "not asked for"} if directory is None else disk_speed(directory),
        "beside": machine.beside(before, machine.now()),
        "identity": machine.identity(on),
        "on": on,
    }


def loops(size_of: dict[str, int]) -> list[tuple[str, str, int]]:
    """Every loop with its level of memory ("" for arithmetic) and its bytes."""
    found = [("read", level, size_of[level]) for level in LEVELS]
    found += [(name, "DRAM", size_of["DRAM"]) for name in STREAM]
    return found + [(name, "", 1) for name in ARITHMETIC]


def ceiling(name: str, level: str, threads: int, size: int, rates: list[float]) -> Line:
    """One ceiling: the median rate, its interval and spread."""
    found = estimate([math.log(each) for each in rates]).exp()
    return {
        "name": name,
        "level": level,
        "threads": threads,
        "bytes": size if level else 0,
        "unit": "B/s" if level else ARITHMETIC[name],
        "median": found.value,
        "low": found.low,
        "high": found.high,
        "spread": found.spread,
        "n": found.n,
    }


def disk_speed(directory: str) -> Line:
    """The speed of the disk under ``directory`` (see penstock.disk), or why it is not known."""
    from penstock import disk

    wanted = min(disk.MAX_TEST_BYTES, disk.free_bytes(directory) // 10) // disk.BLOCK * disk.BLOCK
    if wanted == 0:
        return {"missing": "too little free space"}
    try:
        facts = disk.measure_speed(directory, wanted)
    except OSError as error:
        return {"missing": f"{os.path.abspath(directory)}: {error.strerror}"}
    return {**facts, "file_system": disk.file_system(directory)}


@dataclass(frozen=True)
class Kernel:
    """A recorded kernel: what one call does, and how long it takes (median seconds)."""

    name: str
    bytes: float
    operations: float
    seconds: float

    @property
    def intensity(self) -> float:
        """Operations a byte."""
        return self.operations / self.bytes

    @property
    def rate(self) -> float:
        """Operations a second."""
        return self.operations / self.seconds


def kernels(lines: Iterable[Line], identity: str) -> list[Kernel]:
    """The kernels of results lines of this machine that carry ``bytes`` and ``operations`` of a call and its median
    seconds (``median``, or ``medians`` by side); the latest of each name."""
    found: dict[str, Kernel] = {}
    for line in lines:
        moved, done = line.get("bytes"), line.get("operations")
        if not _positive(moved) or not _positive(done) or identity_of(line) != identity:
            continue
        row = str(line.get("row") or line.get("name") or line.get("target") or line.get("project") or "kernel")
        medians = line.get("medians") or {"": line.get("median")}
        # What ran as a ceiling beside the kernel does other work.
        for side, seconds in medians.items():
            if _positive(seconds) and side not in ("copy", "read", line.get("ceiling")):
                name = f"{row}, {side}" if side else row
                found[name] = Kernel(name, float(moved), float(done), float(seconds))
    return list(found.values())


def _positive(value: object) -> TypeGuard[float]:
    return isinstance(value, (int, float)) and math.isfinite(value) and value > 0


def bandwidth(line: Line, level: str = "DRAM") -> float:
    """Bytes a second from ``level`` on all threads: of the loop that gets most out of it."""
    names = ("read", *STREAM) if level == "DRAM" else ("read",)
    return max(float(of(line, name, level)["median"]) for name in names)


def attainable(line: Line, intensity: float, level: str = "DRAM") -> float:
    """Operations a second that a kernel of ``intensity`` operations a byte can reach from ``level`` on all threads."""
    return min(bandwidth(line, level) * intensity, float(of(line, "fma_f32")["median"]))


def of(line: Line, name: str, level: str = "", threads: int = 0) -> Line:
    """The ceiling of that name and level; ``threads`` 0: of all threads. Raises LabError where the line has none."""
    threads = threads or line["threads"]
    for each in line["ceilings"]:
        if (each["name"], each["level"], each["threads"]) == (name, level, threads):
            return dict(each)
    raise LabError(f"the roofline holds no {name} {level} on {threads} threads\n  penstock lab roofline measures it")


def newest(lines: Iterable[Line], identity: str) -> Line:
    """The latest roofline of this machine. Raises LabError where there is none; others' are never taken for it."""
    found = [each for each in lines if each.get("kind") == "roofline"]
    mine = [each for each in found if identity_of(each) == identity]
    if not mine:
        others = f"; {len(found)} of other machines are there" if found else ""
        raise LabError(f"no roofline of this machine is recorded{others}\n  penstock lab roofline measures one")
    return mine[-1]
