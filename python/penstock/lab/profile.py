# SPDX-License-Identifier: Apache-2.0
"""Where a program's time goes: ``profile(target)`` runs it in a process of its own and returns what it found.

Time is sampled in one run; Python's allocations are traced in a second one, because tracing slows a program down.
"""

from __future__ import annotations

import contextlib
import json
import linecache
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from penstock.lab import counters
from penstock.lab.instructions import of_one_call, of_project
from penstock.lab.process import PROJECT, TARGET, environment
from penstock.lab.profile_sampler import short
from penstock.lab.sides import interruptions_deferred, status_text

HOT_SHARE = 0.10
# Held by less than this, a line is no allocation worth a reader's time.
LEAST_BYTES = 64 << 10
# Frames that say nothing about the target: of the import machinery, and the loop that calls it.
_OURS = str(Path(__file__).resolve().with_name("profile_child.py"))


Profile = dict[str, Any]


class ProfileError(Exception):
    """The target could not be profiled."""

    exit_status = 1


@dataclass(frozen=True)
class Target:
    """A function "module:function", found from ``folder`` (then from ``others``), or a script with its arguments.

    ``case``: arguments and seed; the function is then given what its module's ``inputs`` makes of them off the clock.
    """

    function: str = ""
    script: str = ""
    arguments: list[str] = field(default_factory=list)
    folder: str = "."
    others: tuple[str, ...] = ()
    case: dict[str, Any] | None = None
    title: str = ""

    @property
    def name(self) -> str:
        """The title, else the function, else the script's file name."""
        return self.title or self.function or os.path.basename(self.script)


@dataclass(frozen=True)
class Options:
    """``seconds`` a function is called again and again, ``apart`` between samples, ``limit`` for each of the runs.

    ``simulated``: also count instructions and cache misses under callgrind, which takes minutes.
    """

    seconds: float = 3.0
    apart: float = 0.004
    limit: float = 600.0
    allocations: bool = True
    simulated: bool = False


def profile(target: Target, options: Options | None = None) -> dict[str, Any]:
    """Runs ``target`` and returns a profile as JSON can carry it.

    ``time`` (seconds, cpu_seconds, wait_share, calls), ``lines`` and ``functions`` with their shares of the time,
    ``stacks`` for a flamegraph, ``memory``, ``allocations``, ``io``, ``counters``, ``simulated`` and ``gpu``; what the
    machine does not give has a ``missing`` that says why. Raises ProfileError when the target cannot be run, fails, or
    takes longer than the limit.
    """
    options = options or Options()
    timed = _run(target, options, "time")
    rows = [([tuple(frame) for frame in stack], *weight) for stack, *weight in timed["stacks"]]
    stacks = [_Sampled(_named(frames), seconds, waited, samples) for frames, seconds, waited, samples in rows]
    allocations: dict[str, Any] = {"missing": "not asked for"}
    if options.allocations:
        allocations = _run(target, options, "allocations")
    root = os.path.commonpath([os.path.abspath(each) for each in (target.folder, *target.others)])
    if "lines" in allocations:
        kept = [each for each in allocations["lines"] if each["bytes"] >= LEAST_BYTES]
        allocations["lines"] = [{**each, "file": short(each["file"], root)} for each in kept]
    return {
        "target": target.name,
        "when": datetime.now(UTC).isoformat(timespec="seconds"),
        "python": sys.version.split()[0],
        "time": _time(timed, stacks),
        "lines": lines(stacks, root),
        "functions": functions(stacks, root),
        "stacks": folded(stacks, root),
        "memory": {key: timed[key] for key in ("peak_bytes", "minor_faults", "major_faults")},
        "allocations": allocations,
        "io": timed["io"] or {"missing": "the kernel does not offer /proc/self/io"},
        "counters": timed["counters"],
        "simulated": _simulated(target, options),
        "gpu": counters.gpus(),
    }


@dataclass(frozen=True)
class _Sampled:
    """A stack, outermost frame first: (function, file, line) each."""

    frames: tuple[tuple[str, str, int], ...]
    seconds: float
    waited: float
    samples: int


def _named(frames: Iterable[Any]) -> tuple[tuple[str, str, int], ...]:
    """The frames of the target."""
    return tuple((name, file, line) for name, file, line in frames if file != _OURS and not file.startswith("<frozen "))


def _time(timed: dict[str, Any], stacks: list[_Sampled]) -> dict[str, Any]:
    seconds, cpu = timed["seconds"], timed["cpu_seconds"]
    return {
        "calls": timed["calls"],
        "seconds": seconds,
        "cpu_seconds": cpu,
        "cpus_used": cpu / max(seconds, 1e-9),
        # Of the wall time, how much no thread ran or stood in line for a processor: reading, sleeping.
        "wait_share": min(1.0, sum(each.waited for each in stacks) / max(seconds, 1e-9)),
        "switches": timed["switches"],
        "samples": sum(each.samples for each in stacks),
    }


def _whole(stacks: list[_Sampled]) -> float:
    """Sampled seconds of the main thread: what shares are of."""
    return sum(each.seconds for each in stacks if not _in_thread(each)) or 1e-9


def _in_thread(sampled: _Sampled) -> bool:
    return bool(sampled.frames) and sampled.frames[0][1] == ""


def lines(stacks: list[_Sampled], root: str) -> list[dict[str, Any]]:
    """Source lines with their share of the main thread's time, most of their own first.

    ``own``: time at the line itself and in the C functions it calls; ``total``: with all Python it calls. ``waited`` is
    the share of the whole in which no thread ran. Only lines of at least 1 % are listed; ``hot`` marks those whose own
    or total share is above HOT_SHARE.
    """
    whole = _whole(stacks)
    table: dict[tuple[str, int], dict[str, Any]] = {}
    for each in stacks:
        places = [(file, line) for _, file, line in each.frames if file]
        names = {(file, line): name for name, file, line in each.frames}
        for place in set(places):
            row = table.setdefault(place, {"function": names[place], "own": 0.0, "total": 0.0, "waited": 0.0})
            row["total"] += each.seconds / whole
            if place == places[-1]:
                row["own"] += each.seconds / whole
                row["waited"] += each.waited / whole
    found = [
        {"file": short(file, root), "line": line, **row, "code": linecache.getline(file, line).strip()[:100]}
        for (file, line), row in table.items()
        if row["total"] >= 0.01
    ]
    for row in found:
        row["hot"] = row["own"] > HOT_SHARE or row["total"] > HOT_SHARE
    return sorted(found, key=lambda row: (-row["own"], -row["total"], row["file"], row["line"]))


def functions(stacks: list[_Sampled], root: str) -> list[dict[str, Any]]:
    """Functions with their share of the main thread's time, ``own`` and ``total``; most of their own first."""
    whole = _whole(stacks)
    table: dict[tuple[str, str], list[float]] = {}
    for each in stacks:
        places = [(name, file) for name, file, _ in each.frames if file]
        for place in set(places):
            shares = table.setdefault(place, [0.0, 0.0])
            shares[0] += each.seconds / whole * (place == places[-1])
            shares[1] += each.seconds / whole
    found = [
        {"function": name, "file": short(file, root), "own": own, "total": total}
        for (name, file), (own, total) in table.items()
        if total >= 0.01
    ]
    return sorted(found, key=lambda row: (-row["own"], -row["total"], row["function"]))


def folded(stacks: list[_Sampled], root: str) -> list[tuple[list[str], float]]:
    """Stacks as names of functions with their files, one row each distinct one, and their seconds."""
    table: dict[tuple[str, ...], float] = {}
    for each in stacks:
        names = [f"{name} ({short(file, root)})" if file else name for name, file, _ in each.frames]
        # What runs below no function of the target is the loop that calls it.
        key = tuple(names) or ("(calling the target)",)
        table[key] = table.get(key, 0.0) + each.seconds
    return [(list(names), seconds) for names, seconds in sorted(table.items())]


def _simulated(target: Target, options: Options) -> dict[str, Any]:
    """callgrind's events of one call, or ``missing``."""
    if not options.simulated:
        return {"missing": "not asked for: --instructions counts them, which takes minutes"}
    if target.script:
        return {"missing": "not available for a script, of which one call cannot be told from its start"}
    server, before = TARGET, [{"do": "load", "target": target.function, "arguments": {}}]
    if target.case:
        folders = [os.path.abspath(each) for each in (target.folder, *target.others)]
        module = target.function.partition(":")[0]
        server, before = PROJECT, of_project(folders, module, target.case["arguments"], target.case["seed"])
    return of_one_call(server, before, cache=True, folder=None if target.case else target.folder, limit=options.limit)


def _run(target: Target, options: Options, which: str) -> dict[str, Any]:
    job = {
        "target": target.function,
        "script": target.script,
        "arguments": target.arguments,
        "folders": [os.path.abspath(each) for each in (target.folder, *target.others)],
        "case": target.case,
        "seconds": options.seconds if which == "time" else 0.0,
        "apart": options.apart,
        "dumps": which == "time",
        "pass": which,
    }
    status, result = _child(target, options, job)
    if result is None and job["dumps"] and status in (-signal.SIGSEGV, -signal.SIGBUS):
        # It may have been the reading of frames between any two instructions, not the target.
        status, result = _child(target, options, {**job, "dumps": False})
    if result is None:
        raise ProfileError(f"{target.name} ended its process before the profile was written: {status_text(status)}")
    if "error" in result:
        raise ProfileError(f"{target.name} {result['error']}")
    return result


def _child(target: Target, options: Options, job: dict[str, Any]) -> tuple[int, dict[str, Any] | None]:
    """The exit status of a process that does the job, and the result it wrote, if it did."""
    with tempfile.TemporaryDirectory(prefix="penstock-profile-") as directory:
        asked, told = Path(directory, "job.json"), Path(directory, "result.json")
        asked.write_text(json.dumps(job), encoding="utf-8")
        command = [sys.executable, "-m", "penstock.lab.profile_child", str(asked), str(told)]
        child: subprocess.Popen[bytes] | None = None
        try:
            with interruptions_deferred():
                child = subprocess.Popen(command, env=environment(), start_new_session=True)
            status = child.wait(options.limit)
        except subprocess.TimeoutExpired:
            raise ProfileError(
                f"{target.name} ran longer than {options.limit:g} s and was ended: profile a smaller case, or raise "
                "--time-limit"
            ) from None
        finally:
            if child is not None:
                _end(child)
        return status, json.loads(told.read_text(encoding="utf-8")) if told.is_file() else None


def _end(child: subprocess.Popen[bytes]) -> None:
    """Ends the child with all that it started."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()
