# SPDX-License-Identifier: Apache-2.0
"""Rows over a large file: warm, cold, and a durable output, each against what the disk itself does."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import numpy as np

import data
import disk
from bench import Bar, Bench, Outcome, Refused, Row, ratios
from penstock.lab.sides import Side, Timed

DISK_QUADRUPLES = 10


def ours_sum(bench: Bench, path: Path) -> float:
    """The sum of a file, opened here, within the budget in force."""
    return float(bench.ps.open(str(path)).sum())


def numpy_sum(path: Path) -> float:
    """The same with NumPy's mapping of the file."""
    return float(np.load(path, mmap_mode="r").sum())


def check_sum(who: str, result: float, file: data.File) -> None:
    if not np.isclose(result, file.total, rtol=1e-4, atol=0):
        raise Refused(f"{who} gives {result} for the sum of {file.path.name}, a float64 sum {file.total}")


def setup(bench: Bench, what: str) -> str:
    gib = bench.file_count * 4 / 2**30
    return f"float32 .npy of {gib:.3g} GiB, {what}, {bench.threads} threads, budget {bench.budget >> 20} MiB"


def sum_warm(bench: Bench, row: Row) -> Outcome:
    """The sum of a file that the page cache holds; both sides open it in the call."""
    file = data.file(bench.folder, bench.file_count)
    check_sum("penstock", ours_sum(bench, file.path), file)
    check_sum("numpy", numpy_sum(file.path), file)
    touch = partial(disk.warm, file.path)
    sides: dict[str, Side] = {
        "penstock": Timed(lambda: ours_sum(bench, file.path), before=touch),
        "numpy": Timed(lambda: numpy_sum(file.path), before=touch),
    }
    outcome = ratios(bench, row, sides, {"numpy memmap": ("penstock", ("numpy",))}, least=0.0, warm_up=1)
    outcome.setup = setup(bench, "in the page cache, read right before")
    outcome.checked = "within 1e-4 of a float64 sum"
    return outcome


def need_direct(bench: Bench) -> None:
    if not disk.supports_direct(bench.folder):
        raise Refused(f"the file system of {bench.folder} has no O_DIRECT; choose another --data folder")


def sum_cold(bench: Bench, row: Row) -> Outcome:
    """The sum of a file that the page cache does not hold, against raw readers of the same file."""
    file = data.file(bench.folder, bench.file_count)
    need_direct(bench)
    check_sum("penstock", ours_sum(bench, file.path), file)
    drop = partial(disk.cool, file.path)
    sides: dict[str, Side] = {
        "penstock": Timed(lambda: ours_sum(bench, file.path), before=drop),
        "dd": Timed(partial(disk.read_with_dd, file.path), before=drop),
        "raw reader": Timed(partial(disk.read_all, file.path, direct=True), before=drop),
    }
    peers = {"raw reader": ("penstock", ("dd", "raw reader"))}
    outcome = ratios(bench, row, sides, peers, least=0.0, warm_up=1)
    outcome.setup = setup(bench, "at most 1 % in the page cache (mincore)")
    outcome.checked = "within 1e-4 of a float64 sum"
    return outcome


def check_saved(path: Path, count: int) -> None:
    """Looks at the shape, the dtype, the ends and 64 places of what was saved."""
    saved = np.load(path, mmap_mode="r")
    if saved.shape != (count,) or saved.dtype != np.float32:
        raise Refused(f"{path.name} holds {saved.dtype} {saved.shape}")
    for start in np.linspace(0, count - 1024, 64).astype(np.int64):
        expected = np.arange(start, start + 1024, dtype=np.float64) * 2
        if not np.allclose(saved[start : start + 1024], expected, rtol=1e-6, atol=0):
            raise Refused(f"{path.name} differs from 2 * arange near element {start}")


def save(bench: Bench, row: Row) -> Outcome:
    """A calculated array into a durable file, against raw writers of as many bytes that wait for the disk too."""
    ps, count = bench.ps, bench.file_count
    data.need_room(bench.folder, count * 4)
    need_direct(bench)
    path = bench.folder / data.OUTPUT
    drop = partial(disk.remove, path)

    def ours() -> None:
        ps.save(ps.arange(count, dtype=ps.float32) * 2, str(path))

    drop()
    ours()
    check_saved(path, count)
    drop()
    sides: dict[str, Side] = {
        "penstock": Timed(ours, after=drop),
        "direct": Timed(partial(disk.write_new, path, count * 4, direct=True), after=drop),
        "buffered": Timed(partial(disk.write_new, path, count * 4, direct=False), after=drop),
    }
    try:
        outcome = ratios(bench, row, sides, {"raw writer": ("penstock", ("direct", "buffered"))}, least=0.0, warm_up=1)
    finally:
        drop()
    outcome.setup = setup(bench, "`2 * arange` into a new file, reserved, synced, renamed")
    outcome.checked = "64 places of the file"
    return outcome


@contextmanager
def budget_in_force(bench: Bench) -> Iterator[None]:
    """The file rows' budget, and nothing of it held by what ran before."""
    ps = bench.ps
    standing = ps.memory_budget()
    ps.trim()
    ps.memory_budget(bench.budget)
    try:
        yield
    finally:
        ps.memory_budget(standing)


def within_budget(run: Callable[[Bench, Row], Outcome]) -> Callable[[Bench, Row], Outcome]:
    def limited(bench: Bench, row: Row) -> Outcome:
        with budget_in_force(bench):
            return run(bench, row)

    return limited


def file_row(name: str, title: str, run: Callable[[Bench, Row], Outcome], bar: Bar) -> Row:
    return Row(name, "Files", title, within_budget(run), (bar,), DISK_QUADRUPLES)


ROWS = [
    file_row("sum-file-warm", "Sum of a file, warm", sum_warm, Bar("numpy memmap", 1.5)),
    file_row("sum-file-cold", "Sum of a file, cold", sum_cold, Bar("raw reader", 0.95)),
    file_row("save", "Durable output", save, Bar("raw writer", 0.8)),
]
