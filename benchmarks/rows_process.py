# SPDX-License-Identifier: Apache-2.0
"""Rows that watch whole processes: peak memory of runs over a large file, and the time to import."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

import data
import disk
from bench import Bar, Bench, MiB, Outcome, Refused, Row, compared
from memory_child import WORKLOADS
from penstock.lab import pairs
from penstock.lab.estimate import Estimate, estimate
from penstock.lab.sides import Timed

HERE = Path(__file__).resolve().parent
EVERY = 0.005
COLD = (True, False, True)  # of each run: from the disk into buffers, or mapped from the page cache
IMPORTS = {
    "numpy": "import numpy",
    "penstock": "import numpy, penstock; penstock.asarray",  # the extension loads at the first name
}


def anonymous(pid: int) -> int:
    """RssAnon of a process in bytes; 0 once it is gone."""
    try:
        text = Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace")
    except OSError:
        return 0
    return next((int(line.split()[1]) << 10 for line in text.splitlines() if line.startswith("RssAnon:")), 0)


def peak_of(workload: str, file: data.File, budget: int, threads: int, output: Path) -> tuple[int, dict[str, Any]]:
    """Peak anonymous memory above that after import and a warm-up evaluation, and what the workload found."""
    command = [
        sys.executable,
        str(HERE / "memory_child.py"),
        workload,
        str(file.path),
        str(budget),
        str(threads),
        str(output),
    ]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        if child.stdout.readline() != b"ready\n":
            raise Refused(f"the process for {workload} did not start: status {child.wait()}")
        base = peak = anonymous(child.pid)
        child.stdin.write(b"go\n")
        child.stdin.flush()
        while not select.select([child.stdout], [], [], EVERY)[0]:
            peak = max(peak, anonymous(child.pid))
        peak = max(peak, anonymous(child.pid))
        line = child.stdout.readline()
        if not line:
            raise Refused(f"{workload} ended with status {child.wait()}")
    found: dict[str, Any] = json.loads(line)
    return peak - base, found


def check(workload: str, found: dict[str, Any], file: data.File, output: Path) -> None:
    """Raises Refused unless the workload found what float64 sums and NumPy say."""
    mean = file.total / file.count
    if workload == "sum":
        same = np.isclose(found["sum"], file.total, rtol=1e-4)
    elif workload == "mean(axis=0)":
        rows = file.count // data.COLUMNS
        same = np.isclose(found["first"], file.column_total / rows, rtol=1e-4)
        same &= np.isclose(found["mean"], mean, rtol=1e-4) & (found["size"] == data.COLUMNS)
    elif workload == "to a file":
        saved, source = np.load(output, mmap_mode="r"), np.load(file.path, mmap_mode="r")
        places = np.linspace(0, file.count - 1024, 64).astype(np.int64)
        same = saved.shape == source.shape and all(
            np.array_equal(saved[each : each + 1024], np.sqrt(source[each : each + 1024]) * 2 + 1) for each in places
        )
    else:
        same = np.isclose(found["sum"], file.total, rtol=1e-4) & np.isclose(found["mean"], mean, rtol=1e-4)
        same &= 0 <= found["min"] <= found["max"] < 1
    if not same:
        raise Refused(f"{workload} over {file.path.name} gave {found}")


def memory_peak(bench: Bench, row: Row, *, workload: str) -> Outcome:
    """The highest peak of several runs, each in its own process, against the budget and what may lie above it."""
    file = data.file(bench.folder, bench.file_count)
    output = bench.folder / data.OUTPUT
    if workload == "to a file":
        data.need_room(bench.folder, file.bytes)
    peaks = []
    try:
        for cold in COLD[:1] if bench.quick else COLD:
            (disk.cool if cold else disk.warm)(file.path)
            peak, found = peak_of(workload, file, bench.budget, bench.threads, output)
            check(workload, found, file, output)
            output.unlink(missing_ok=True)
            peaks.append(peak / bench.budget)
    finally:
        output.unlink(missing_ok=True)
    allowed = 1 + max(64 * MiB, bench.budget // 10) / bench.budget
    worst = Estimate(max(peaks), min(peaks), max(peaks), max(peaks) - min(peaks), len(peaks))
    bar = Bar(row.bars[0].peer, allowed, at_most=True)
    setup = (
        f"file of {file.bytes / 2**30:.3g} GiB, cold and warm, budget {bench.budget >> 20} MiB, {bench.threads} threads"
    )
    return Outcome([compared(bar, "of the budget", worst)], len(peaks), setup, checked="against float64 sums and NumPy")


def import_side(code: str) -> Timed:
    command = [sys.executable, "-P", "-c", code]
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": ""}
    return Timed(lambda: subprocess.run(command, check=True, env=environment))


def import_time(bench: Bench, row: Row) -> Outcome:
    """Whole processes that import NumPy, and NumPy and Penstock; the difference of their times."""
    sides = {name: import_side(code) for name, code in IMPORTS.items()}
    times = pairs.measure(sides, bench.quadruples(row), least=0.0)
    found = estimate([seconds * 1e3 for seconds in times.differences("penstock", "numpy")])
    return Outcome(
        [compared(row.bars[0], "ms more", found)],
        times.quadruples,
        "whole processes, files in the page cache",
        medians={name: times.median(name) for name in sides},
        calls={name: side.calls for name, side in sides.items()},
    )


ROWS = [
    *(
        Row(
            f"peak-{slug}",
            "Memory",
            f"Peak memory: {workload}",
            partial(memory_peak, workload=workload),
            (Bar("budget", 1.125, at_most=True),),
        )
        for workload, slug in WORKLOADS.items()
    ),
    Row("import", "Start", "`import penstock`", import_time, (Bar("import numpy", 150.0, at_most=True),), 20),
]
