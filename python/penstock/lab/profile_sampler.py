# SPDX-License-Identifier: Apache-2.0
"""Samples the Python stacks of a running program from a thread of its own.

A thread that reads ``sys._current_frames`` rather than a timer signal: a signal's handler runs in Python only after a
C function has returned, and the ticks that came meanwhile are one; it also sees one thread and interrupts system calls.
The sampler waits for the interpreter's lock too while a C function holds it, but each sample weighs the time since the
one before, so that a call of a second that is seen once counts a second, on the line that made it.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import NamedTuple


class Frame(NamedTuple):
    """A function at the line it is at."""

    function: str
    file: str
    line: int


Stack = tuple[Frame, ...]


class Weight(NamedTuple):
    """Of a stack: seconds, those of them in which no thread of the process ran or wanted to, and samples."""

    seconds: float
    waited: float
    samples: int


class Sampler:
    """``with Sampler(seconds_apart) as sampler: work()``, then ``sampler.stacks``: outermost frame first.

    The thread that enters the block counts wall time; other threads count the CPU time they took, below a frame that
    names them, because a pool that waits for work is no hot spot. ``within``: only what the calling frame calls.
    """

    def __init__(self, seconds_apart: float = 0.004, clock: Callable[[], float] = time.perf_counter) -> None:
        self.stacks: dict[Stack, Weight] = {}
        # Read to know what ran; no input of the program.
        self.bytes = 0
        self._apart = seconds_apart
        self._clock = clock
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sampler", daemon=True)
        self._seen: dict[int, tuple[float, float]] = {}
        self._main = self._native = 0
        self._base: FrameType | None = None

    def __enter__(self) -> Sampler:
        self._main, self._native = threading.get_ident(), threading.get_native_id()
        self._since(self._native)
        self._base = sys._getframe(1)
        self._switch = sys.getswitchinterval()
        # How long Python code may keep the lock from the sampler.
        sys.setswitchinterval(min(self._switch, self._apart / 4))
        self._at, self._cpu = self._clock(), time.process_time()
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()
        sys.setswitchinterval(self._switch)
        self._base = None

    def _run(self) -> None:
        turn = 0
        # Steps of unequal length: a program that works in a rhythm is not always met at the same point.
        while not self._stop.wait(self._apart * (0.75 + 0.5 * (turn * 0.618033988749895 % 1.0))):
            turn += 1
            self.sample(sys._current_frames())

    def sample(self, frames: dict[int, FrameType]) -> None:
        """Adds the time since the last sample to the stacks of ``frames`` (by thread)."""
        at, cpu = self._clock(), time.process_time()
        seconds, ran = at - self._at, cpu - self._cpu
        self._at, self._cpu = at, cpu
        if self._main in frames:
            # Standing in line for a processor that others use is not the program's waiting.
            _, queued = self._since(self._native)
            self._add(self._stack(frames[self._main], self._base), seconds, max(0.0, seconds - ran - queued))
        for thread in threading.enumerate():
            if thread.ident in (None, self._main, threading.get_ident()) or thread.native_id is None:
                continue
            taken, _ = self._since(thread.native_id)
            if taken > 0 and thread.ident in frames:
                name = Frame(f"thread {thread.name}", "", 0)
                self._add((name, *self._stack(frames[thread.ident], None)), taken, 0.0)

    def _since(self, native: int) -> tuple[float, float]:
        """Seconds that a thread ran, and that it stood in line for a processor, since it was last asked for."""
        try:
            with open(f"/proc/self/task/{native}/schedstat", encoding="ascii") as file:
                text = file.read()
            self.bytes += len(text)
            ran, queued = (int(each) / 1e9 for each in text.split()[:2])
        except (OSError, ValueError):
            return 0.0, 0.0
        before = self._seen.get(native, (ran, queued))
        self._seen[native] = (ran, queued)
        return ran - before[0], queued - before[1]

    def _stack(self, frame: FrameType | None, base: FrameType | None) -> Stack:
        found: list[Frame] = []
        own = (Sampler.__enter__.__code__, Sampler.__exit__.__code__)
        while frame is not None and frame is not base:
            code = frame.f_code
            if code in own:  # what it does to begin and to end is its caller's time
                found.clear()
            else:
                found.append(Frame(code.co_qualname, code.co_filename, line_of(frame)))
            frame = frame.f_back
        return tuple(reversed(found))

    def _add(self, stack: Stack, seconds: float, waited: float) -> None:
        before = self.stacks.get(stack, Weight(0.0, 0.0, 0))
        self.stacks[stack] = Weight(before.seconds + seconds, before.waited + waited, before.samples + 1)


def line_of(frame: FrameType) -> int:
    """The line that a frame is at. A jump that the compiler has put in has none: the one before it counts."""
    if frame.f_lineno is not None:
        return frame.f_lineno
    before = [line for start, _, line in frame.f_code.co_lines() if line is not None and start <= frame.f_lasti]
    return before[-1] if before else frame.f_code.co_firstlineno


def short(file: str, root: str = "") -> str:
    """A file's name as a reader wants it: below ``root`` relative, in a package from the package on."""
    for part in ("/site-packages/", "/dist-packages/"):
        if part in file:
            return file.rpartition(part)[2]
    root = root or os.getcwd()
    return os.path.relpath(file, root) if file.startswith(root + os.sep) else file
