# SPDX-License-Identifier: Apache-2.0
"""The process that a profile looks at: ``python -m penstock.lab.profile_child JOB RESULT``, both JSON files.

JOB: ``target`` ("module:function") or ``script`` with its ``arguments``, ``folders`` (first on the module path),
``seconds`` that a function is called again and again, ``apart`` (seconds between samples), ``dumps`` (whether lines are
read while they run) and ``pass``: "time" or "allocations". ``case``: its ``arguments`` and ``seed``, of which the
target's module makes the ``inputs`` that the function is given.
RESULT: what the pass found, or ``error`` with the reason why the target could not be run.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import sys
import threading
import time
import tracemalloc
import types
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from penstock.lab import usage
from penstock.lab.counters import HardwareCounters
from penstock.lab.profile_dumps import Dumps, refined
from penstock.lab.profile_sampler import Frame, Sampler
from penstock.lab.target import Wrong, found, told

Job = dict[str, Any]
TOP_ALLOCATIONS = 20


def work_of(job: Job) -> Callable[[], int]:
    """What runs the target and returns the number of its calls. Raises Wrong."""
    sys.path[:0] = job["folders"]
    if job.get("script"):
        return _script(job["script"], job["arguments"])
    function, seconds = found(job["target"]), float(job["seconds"])
    if case := job.get("case"):
        made = found(f"{job['target'].partition(':')[0]}:inputs")(case["arguments"], case["seed"])
        function = partial(function, made)

    def repeated() -> int:
        calls, end = 0, time.monotonic() + seconds
        while calls == 0 or time.monotonic() < end:
            function()
            calls += 1
        return calls

    return repeated


def _script(path: str, arguments: list[str]) -> Callable[[], int]:
    try:
        code = compile(Path(path).read_bytes(), path, "exec")
    except (OSError, SyntaxError, ValueError) as error:
        raise Wrong(f"cannot be read: {error}") from error
    module = types.ModuleType("__main__")
    module.__dict__.update(__file__=path, __builtins__=__builtins__)

    def once() -> int:
        sys.modules["__main__"] = module
        sys.argv = [path, *arguments]
        try:
            exec(code, module.__dict__)
        except SystemExit as end:
            if end.code not in (None, 0):
                raise Wrong(f"ended with exit status {end.code}") from end
        return 1

    return once


def time_pass(work: Callable[[], int], apart: float, dumped: bool) -> dict[str, Any]:
    """Runs ``work`` under the sampler and the counters, with its lines read while they run if they are ``dumped``."""
    before, io_before, cpu, start = (
        resource.getrusage(resource.RUSAGE_SELF),
        usage.io(),
        time.process_time(),
        time.monotonic(),
    )
    with Sampler(apart) as sampler, Dumps(apart if dumped else 0.0) as dumps, HardwareCounters() as counters:
        calls = work()
        # What follows, reading the dumps above all, is no time or memory of the work.
        seconds, cpu_seconds = time.monotonic() - start, time.process_time() - cpu
        after = resource.getrusage(resource.RUSAGE_SELF)
    used = None
    if io_before is not None and (io_after := usage.io()) is not None:
        used = {name: value - io_before[name] for name, value in io_after.items()}
        used["rchar"] -= sampler.bytes + dumps.bytes
        used["wchar"] -= dumps.bytes
    stacks = refined(sampler.stacks, dumps.stacks, Frame(time_pass.__name__, __file__, 0))
    return {
        "calls": calls,
        "seconds": seconds,
        "cpu_seconds": cpu_seconds,
        "peak_bytes": after.ru_maxrss * 1024,
        "minor_faults": after.ru_minflt - before.ru_minflt,
        "major_faults": after.ru_majflt - before.ru_majflt,
        "switches": after.ru_nvcsw - before.ru_nvcsw + after.ru_nivcsw - before.ru_nivcsw,
        "io": used,
        "counters": counters.read(),
        "stacks": [[[list(frame) for frame in stack], *weight] for stack, weight in stacks.items()],
    }


def allocation_pass(work: Callable[[], int]) -> dict[str, Any]:
    """Runs ``work`` with Python's allocations traced: lines by the bytes they held when most was held."""
    tracemalloc.start(1)
    with _Heaviest() as heaviest:
        calls = work()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return {"calls": calls, "peak_bytes": peak, "seen_bytes": heaviest.bytes, "lines": heaviest.lines}


class _Heaviest:
    """Looks every 10 ms whether more is held than at the last look worth keeping, and keeps its lines."""

    def __init__(self) -> None:
        self.bytes = 0
        self.lines: list[dict[str, Any]] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="allocations", daemon=True)

    def __enter__(self) -> _Heaviest:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        self._look()

    def _run(self) -> None:
        pause = 0.01
        while not self._stop.wait(pause):
            start = time.monotonic()
            self._look()
            # Looking may take a tenth of the time at most, whatever the number of objects.
            pause = max(0.01, 10 * (time.monotonic() - start))

    def _look(self) -> None:
        held, _ = tracemalloc.get_traced_memory()
        if held <= 1.1 * self.bytes:
            return
        shot = tracemalloc.take_snapshot().filter_traces([tracemalloc.Filter(False, tracemalloc.__file__)])
        self.bytes = held
        self.lines = [
            {"file": each.traceback[0].filename, "line": each.traceback[0].lineno, "bytes": each.size, "n": each.count}
            for each in shot.statistics("lineno")[:TOP_ALLOCATIONS]
        ]


@contextlib.contextmanager
def _output_aside() -> Iterator[None]:
    """What the target prints goes to standard error: standard output is the profile's."""
    sys.stdout.flush()
    kept = os.dup(1)
    os.dup2(2, 1)
    try:
        yield
    finally:
        sys.stdout.flush()
        os.dup2(kept, 1)
        os.close(kept)


def main(arguments: list[str]) -> int:
    job = json.loads(Path(arguments[0]).read_text(encoding="utf-8"))
    result: dict[str, Any]
    try:
        with _output_aside():
            work = work_of(job)
            result = time_pass(work, job["apart"], job["dumps"]) if job["pass"] == "time" else allocation_pass(work)
    except Wrong as error:
        result = {"error": str(error)}
    except Exception as error:
        result = {"error": f"raised {told(error)}"}
    Path(arguments[1]).write_text(json.dumps(result), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
