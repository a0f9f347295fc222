# SPDX-License-Identifier: Apache-2.0
"""Google Benchmark programs: their JSON as samples, and one benchmark of a program as a side."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from penstock.lab import sides
from penstock.lab.sides import SideError

UNITS = {"ns": 1e-9, "us": 1e-6, "ms": 1e-3, "s": 1.0}
# The fields of a run that are no counters of its author.
KNOWN = frozenset(
    (
        *("name", "family_index", "per_family_instance_index", "run_name", "run_type", "repetitions"),
        *("repetition_index", "threads", "iterations", "real_time", "cpu_time", "time_unit", "label"),
        *("error_occurred", "error_message", "skipped", "skip_message", "aggregate_name", "aggregate_unit"),
    )
)


@dataclass
class Samples:
    """One benchmark of a program: seconds of one iteration, one sample a repetition, on the wall and of CPU."""

    name: str
    seconds: list[float] = field(default_factory=list)
    cpu_seconds: list[float] = field(default_factory=list)
    iterations: list[int] = field(default_factory=list)
    counters: dict[str, list[float]] = field(default_factory=dict)


def run(
    program: str | os.PathLike[str],
    *,
    pattern: str = ".",
    min_time: float | None = None,
    repetitions: int | None = None,
    time_limit: float = sides.TIME_LIMIT,
) -> dict[str, Samples]:
    """Runs the benchmarks of ``program`` whose names match ``pattern`` and reads what they found, by name."""
    command = [os.fspath(program), f"--benchmark_filter={pattern}", "--benchmark_format=json"]
    command += [f"--benchmark_min_time={min_time:g}"] if min_time is not None else []
    command += [f"--benchmark_repetitions={repetitions}"] if repetitions is not None else []
    try:
        done = subprocess.run(command, capture_output=True, timeout=time_limit, check=False, stdin=subprocess.DEVNULL)
    except OSError as error:
        raise SideError(f"'{command[0]}' cannot be run: {error.strerror}") from None
    except subprocess.TimeoutExpired:
        raise SideError(f"'{command[0]}' did not end within {time_limit:g} s\n  raise the limit") from None
    if done.returncode != 0:
        told = done.stderr.decode("utf-8", "replace").splitlines()[-3:]
        raise SideError("\n  ".join([f"'{command[0]}' failed: {sides.status_text(done.returncode)}", *told]))
    return read(done.stdout, command[0])


def read(text: str | bytes, origin: str) -> dict[str, Samples]:
    """The samples in Google Benchmark's JSON, by name, in its order; aggregates are left out.

    Raises SideError, which names ``origin``, for what is no such JSON and for a benchmark that reports an error.
    """
    try:
        runs = json.loads(text)["benchmarks"]
    except (ValueError, KeyError, TypeError):
        raise SideError(f"'{origin}' gave no JSON of Google Benchmark; run it with --benchmark_format=json") from None
    found: dict[str, Samples] = {}
    for each in runs:
        if each.get("run_type", "iteration") == "iteration":
            _add(found, each, origin)
    return found


def _add(found: dict[str, Samples], run_: Mapping[str, Any], origin: str) -> None:
    name = run_.get("run_name", run_["name"])
    if run_.get("error_occurred") or run_.get("skipped"):
        reason = run_.get("error_message") or run_.get("skip_message") or "no reason given"
        raise SideError(f"'{origin}': {name} reports an error: {reason}")
    unit = UNITS[run_.get("time_unit", "ns")]
    samples = found.setdefault(name, Samples(name))
    samples.seconds.append(run_["real_time"] * unit)
    samples.cpu_seconds.append(run_["cpu_time"] * unit)
    samples.iterations.append(int(run_["iterations"]))
    for counter, value in run_.items():
        if counter not in KNOWN and isinstance(value, (int, float)):
            samples.counters.setdefault(counter, []).append(float(value))


class Benchmark:
    """The side that is one benchmark of a program; a sample is one run of the program, timed by itself."""

    def __init__(self, program: str | os.PathLike[str], name: str, *, time_limit: float = sides.TIME_LIMIT) -> None:
        self.calls = 1
        self.program = Path(program)
        self.name = name
        self.time_limit = time_limit
        self._min_time = 0.02

    def calibrate(self, least: float) -> None:
        """The program itself repeats until ``least`` seconds have passed."""
        self._min_time = max(least, 1e-3)

    def __call__(self) -> float:
        pattern = f"^{re.escape(self.name)}$"
        found = run(self.program, pattern=pattern, min_time=self._min_time, repetitions=1, time_limit=self.time_limit)
        if not found:
            raise SideError(f"'{self.program}' has no benchmark '{self.name}'; --benchmark_list_tests lists them")
        (samples,) = found.values()
        self.calls = samples.iterations[0]
        return samples.seconds[0]
