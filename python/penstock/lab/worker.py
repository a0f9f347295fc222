# SPDX-License-Identifier: Apache-2.0
"""A Python function held by a process of its own, which times it, and the side that it is in a comparison.

Between requests the process waits in a read and takes no time from the others.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from penstock.lab import sides
from penstock.lab.sides import SideError

TARGET = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*")
# Seconds that a process has to end by itself once its requests have ended.
GRACE = 1.0
# How many times as long as it took to start a process is used.
WORTH = 4.0


def is_target(text: str) -> bool:
    """Whether ``text`` is MODULE:FUNCTION."""
    return TARGET.fullmatch(text) is not None


class Worker:
    """The process that holds ``target``, a MODULE:FUNCTION of ``folder`` that is called with ``arguments``.

    Every wrong turn is a SideError that says what: a target that cannot be imported or has no such function, an
    exception of the function, a process that died, a request that takes longer than ``time_limit`` seconds.
    """

    def __init__(
        self,
        target: str,
        *,
        folder: str | os.PathLike[str] | None = None,
        arguments: Mapping[str, Any] | None = None,
        time_limit: float = sides.TIME_LIMIT,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        if not is_target(target):
            raise SideError(f"'{target}' is no MODULE:FUNCTION, such as sim:run")
        self.target = target
        self.time_limit = time_limit
        self._messages: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the process
        package = Path(__file__).resolve().parents[2]
        variables = {**os.environ, **(environment or {})}
        variables["PYTHONPATH"] = os.pathsep.join(filter(None, [str(package), variables.get("PYTHONPATH")]))
        # In a group of its own: Ctrl-C is ours to handle, and the process ends with its input.
        self._process = subprocess.Popen(
            [sys.executable, "-m", "penstock.lab.worker_process"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._messages,
            cwd=folder,
            env=variables,
            process_group=0,
        )
        try:
            self.ask("load", target=target, arguments=dict(arguments or {}))
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Worker:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def pid(self) -> int:
        """The process, to look at from outside."""
        return self._process.pid

    def ask(self, do: str, **arguments: Any) -> dict[str, Any]:
        """One request and its answer; `worker_process.Server` has a method for each."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps({"do": do, **arguments}).encode() + b"\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            raise self._died() from None
        answer: dict[str, Any] = json.loads(self._line())
        if "error" in answer:
            raise SideError(f"'{self.target}' {answer['error']}")
        return answer

    def close(self) -> None:
        """Ends the process, by force if it is busy."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()
        if self._process.poll() is None and not sides.wait_for(self._process, GRACE):
            sides.end_group(self._process)
        self._process.wait()
        self._process.stdout.close()
        self._messages.close()

    def _line(self) -> bytes:
        """The next line of the process, within the time limit."""
        assert self._process.stdout is not None
        descriptor, line, end = self._process.stdout.fileno(), b"", time.monotonic() + self.time_limit
        while not line.endswith(b"\n"):
            if not sides.readable(descriptor, max(0.0, end - time.monotonic())):
                sides.end_group(self._process)
                raise SideError(
                    f"'{self.target}' did not end within {self.time_limit:g} s\n  raise the limit if it needs longer"
                )
            part = os.read(descriptor, 1 << 16)
            if not part:
                raise self._died()
            line += part
        return line

    def _died(self) -> SideError:
        status = sides.status_text(self._process.wait())
        return SideError(f"the process of '{self.target}' has ended: {status}{sides.end_of(self._messages)}")


class Remote:
    """The side that workers time, one after the other: ``begin`` starts one.

    Where a process happens to lie in memory moves its times by percents for as long as it lives. Between quadruples, of
    which each has two samples of a side, the side goes on in a fresh one, as often as starting them takes at most a
    fifth of the time.
    """

    def __init__(self, begin: Callable[[], Worker]) -> None:
        self.calls = 1
        self._begin = begin
        started = time.monotonic()
        self._worker = begin()
        self._start = time.monotonic() - started
        self._used = 0.0
        self._samples = 0

    def __enter__(self) -> Remote:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._worker.close()

    def calibrate(self, least: float) -> None:
        self.calls = 1
        self.calls = sides.calibrated(self._sample, least)

    def __call__(self) -> float:
        if self._samples >= 2 and self._samples % 2 == 0 and self._used > WORTH * self._start:
            self._renew()
        self._samples += 1
        return self._sample()

    def output_hash(self) -> str:
        """Calls once; the SHA-256 of the arrays that come back."""
        return str(self._worker.ask("digest")["sha256"])

    def _sample(self) -> float:
        seconds = float(self._worker.ask("time", calls=self.calls)["seconds"])
        self._used += seconds * self.calls
        return seconds

    def _renew(self) -> None:
        """A fresh process, which has called the function once."""
        self._worker.close()
        started = time.monotonic()
        self._worker = self._begin()
        self._worker.ask("time", calls=1)
        self._start = time.monotonic() - started
        self._used, self._samples = 0.0, 0
