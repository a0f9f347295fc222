# SPDX-License-Identifier: Apache-2.0
"""What can be timed: a function of this process, a shell command. Standard library only, to run in any environment."""

from __future__ import annotations

import contextlib
import math
import os
import select
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Protocol

MOST_CALLS = 100_000
# Of a failing command's messages, the end that is shown.
TOLD = 2000
# A run that takes longer than this many seconds counts as one that never ends.
TIME_LIMIT = 600.0
# A wait is interrupted within so many seconds, whatever came when it began.
HEARD = 1.0


class SideError(Exception):
    """A side cannot be measured: it failed, or did not end. Nothing is wrong with the lab itself."""

    exit_status = 1


class Side(Protocol):
    """Something to time. A sample is `calls` calls; calling the side gives the mean seconds of one."""

    calls: int

    def calibrate(self, least: float) -> None:
        """Choose `calls` so that a sample takes at least `least` seconds."""

    def __call__(self) -> float: ...


def calls_for(least: float, one: float) -> int:
    """How many calls of `one` second make `least` seconds."""
    return max(1, min(MOST_CALLS, math.ceil(least / max(one, 1e-9))))


def calibrated(sample: Callable[[], float], least: float) -> int:
    """How many calls make `least` seconds; `sample` times one. What takes as long by itself is called once."""
    one = sample()
    for _ in range(2):
        if one < least:
            one = min(one, sample())
    return calls_for(least, one)


class Timed:
    """A function of this process. `before` and `after` run off the clock around each call.

    What the function returns is kept until the clock has stopped: giving memory back is not part of the time, which
    favours the side that gives it back to the system each time.
    """

    def __init__(
        self,
        call: Callable[[], object],
        before: Callable[[], object] | None = None,
        after: Callable[[], object] | None = None,
    ) -> None:
        self.calls = 1
        self._call = call
        self._before = before
        self._after = after

    def calibrate(self, least: float) -> None:
        self.calls = 1
        self.calls = calibrated(self, least)

    def __call__(self) -> float:
        clock = time.perf_counter
        total = 0.0
        for _ in range(self.calls):
            if self._before is not None:
                self._before()
            started = clock()
            kept = self._call()
            total += clock() - started
            del kept
            if self._after is not None:
                self._after()
        return total / self.calls


class Command:
    """A shell command, run by /bin/sh with nothing on standard input: the seconds until its process has ended.

    Standard output is discarded unless asked for. A status other than 0, or more than ``time_limit`` seconds, is a
    SideError; what the command started in its process group is killed then.
    """

    def __init__(self, line: str, *, folder: Path | None = None, time_limit: float = TIME_LIMIT) -> None:
        self.calls = 1
        self.line = line
        self.folder = folder
        self.time_limit = time_limit

    def calibrate(self, least: float) -> None:
        self.calls = 1
        self.calls = calibrated(self, least)

    def __call__(self) -> float:
        return sum(self._run(subprocess.DEVNULL) for _ in range(self.calls)) / self.calls

    def output_hash(self) -> str:
        """Runs once; the SHA-256 of what it writes to standard output."""
        import hashlib

        with tempfile.TemporaryFile() as output:
            self._run(output)
            output.seek(0)
            return hashlib.file_digest(output, "sha256").hexdigest()

    def _run(self, output: int | IO[bytes]) -> float:
        with tempfile.TemporaryFile() as messages:
            process: subprocess.Popen[bytes] | None = None
            try:
                with interruptions_deferred():
                    started = time.perf_counter()
                    process = subprocess.Popen(
                        ["/bin/sh", "-c", self.line],
                        stdin=subprocess.DEVNULL,
                        stdout=output,
                        stderr=messages,
                        cwd=self.folder,
                        process_group=0,
                    )
                ended = wait_for(process, self.time_limit)
                seconds = time.perf_counter() - started
                status = process.wait() if ended else None
            except BaseException:
                if process is not None:
                    end_group(process)
                raise
            if status is None:
                end_group(process)
                raise SideError(
                    f"'{self.line}' did not end within {self.time_limit:g} s\n  raise the limit if it needs longer"
                )
            if status != 0:
                end_group(process)
                raise SideError(f"'{self.line}' failed: {status_text(status)}{end_of(messages)}")
            return seconds


@contextlib.contextmanager
def interruptions_deferred() -> Iterator[None]:
    """Signals that would end the caller come when the context ends: a process that was started is known by then."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[int] = []
    ending = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    handled = {number: handler for number in ending if callable(handler := signal.getsignal(number))}
    for number in handled:
        signal.signal(number, lambda received, _: came.append(received))
    try:
        yield
    finally:
        for number, handler in handled.items():
            signal.signal(number, handler)
        if came:
            signal.raise_signal(came[0])


def wait_for(process: subprocess.Popen[bytes], time_limit: float) -> bool:
    """Whether the process ends within ``time_limit`` seconds. Notices the end at once, unlike wait(timeout)."""
    descriptor = os.pidfd_open(process.pid)
    try:
        return readable(descriptor, time_limit)
    finally:
        os.close(descriptor)


def readable(descriptor: int, seconds: float) -> bool:
    """Whether there is something to read, or the other end is closed, within so many seconds.

    A signal whose handler is due when the system begins to wait is heard once it has waited, so it waits HEARD at most.
    """
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    end = time.monotonic() + seconds
    while True:
        left = max(0.0, end - time.monotonic())
        if poll.poll(math.ceil(min(left, HEARD) * 1e3)):
            return True
        if left <= HEARD:
            return False


def end_group(process: subprocess.Popen[bytes]) -> None:
    """Kills a process and what it started in its group."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def status_text(status: int) -> str:
    """An exit status in words."""
    if status >= 0:
        return f"exit status {status}"
    try:
        return f"ended by {signal.Signals(-status).name}"
    except ValueError:
        return f"ended by signal {-status}"


def end_of(messages: IO[bytes]) -> str:
    """The end of what a command told, each line indented."""
    size = messages.seek(0, os.SEEK_END)
    messages.seek(max(0, size - TOLD))
    lines = messages.read().decode("utf-8", "replace").splitlines()[-8:]
    return "".join(f"\n  {line}" for line in lines)
