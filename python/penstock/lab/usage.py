# SPDX-License-Identifier: Apache-2.0
"""What a piece of work uses: wall-clock and CPU seconds, memory, page faults, I/O."""

from __future__ import annotations

import os
import resource
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Any

_PAGE = os.sysconf("SC_PAGE_SIZE")
_SAMPLE_SECONDS = 0.005
# Bytes that io() has read so far.
_told = 0


class Usage:
    """A context: what this process used inside it. Memory is resident bytes of the whole process.

    What looking at it takes, a thread's CPU time and bytes of /proc, is taken off again.
    """

    def __init__(self) -> None:
        self._resident: list[int] = []
        self._bytes = 0
        self._looking = 0.0

    def __enter__(self) -> Usage:
        self._look()
        self._reset = _reset_peak()
        self._bytes, self._io = 0, io()
        self._started = resource.getrusage(resource.RUSAGE_SELF)
        self._over = threading.Event()
        self._sampler = threading.Thread(target=self._sample, daemon=True)
        self._sampler.start()
        self._wall = time.perf_counter()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._wall = time.perf_counter() - self._wall
        self._over.set()
        self._sampler.join()
        self._ended = resource.getrusage(resource.RUSAGE_SELF)
        self._look()
        self._io_after = io()
        self._peak = max(_peak(), *self._resident) if self._reset else None

    def _sample(self) -> None:
        while not self._over.wait(_SAMPLE_SECONDS):
            self._look()
        self._looking = time.thread_time()

    def _look(self) -> None:
        text = Path("/proc/self/statm").read_text(encoding="ascii")
        self._bytes += len(text)
        self._resident.append(int(text.split()[1]) * _PAGE)

    def facts(self) -> dict[str, Any]:
        """Seconds, bytes and counts; None is what this kernel does not tell."""
        start, end = self._started, self._ended
        cpu = max(0.0, end.ru_utime + end.ru_stime - start.ru_utime - start.ru_stime - self._looking)
        used = None
        if self._io is not None and self._io_after is not None:
            used = {name: self._io_after[name] - before for name, before in self._io.items()}
            # What the looks at memory have read is no input of the work.
            used["rchar"] -= self._bytes
        return {
            "wall_seconds": self._wall,
            "cpu_seconds": cpu,
            "cpus_used": cpu / max(self._wall, 1e-9),
            "memory_before": self._resident[0],
            "memory_peak": self._peak,
            "memory_average": sum(self._resident) // len(self._resident),
            "minor_faults": end.ru_minflt - start.ru_minflt,
            "major_faults": end.ru_majflt - start.ru_majflt,
            "io": used,
        }


def _reset_peak() -> bool:
    """Begins the kernel's high-water mark anew; whether it could."""
    try:
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    except OSError:
        return False
    return True


def _peak() -> int:
    for line in Path("/proc/self/status").read_text(encoding="utf-8").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    return 0


def io() -> dict[str, int] | None:
    """Bytes that this process has read and written: through calls (rchar, wchar), from and to storage (read_bytes,
    write_bytes). Less what this function has read itself; None where the kernel does not say."""
    global _told
    wanted = ("rchar", "wchar", "read_bytes", "write_bytes")
    try:
        text = Path("/proc/self/io").read_text(encoding="ascii")
    except OSError:
        return None
    fields = {name: int(value) for name, value in (each.split(": ") for each in text.splitlines())}
    found = {name: fields[name] for name in wanted}
    found["rchar"] -= _told
    _told += len(text)
    return found
