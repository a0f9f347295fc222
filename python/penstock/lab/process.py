# SPDX-License-Identifier: Apache-2.0
"""The parent's end of a process that answers requests, each under a time limit."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from penstock.lab import sides
from penstock.lab.errors import LabError

# Seconds that an import may take.
LOAD_LIMIT = 120.0
# Seconds that a process has to end by itself once its requests have ended.
GRACE = 1.0
PROJECT, TARGET = "penstock.lab.serve_project", "penstock.lab.serve_target"


class Process:
    """The process of a server, PROJECT or TARGET. As a context it ends with it.

    Every wrong turn is a LabError that begins with ``what``: an error of the server, the death of the process, a
    request that takes longer than ``limit`` seconds, for which ``fix`` is the advice.
    """

    def __init__(
        self,
        server: str,
        what: str,
        *,
        limit: float = sides.TIME_LIMIT,
        fix: str = "raise the limit if it needs longer",
        folder: Path | None = None,
    ) -> None:
        self.what = what
        self.limit = limit
        self._fix = fix
        self._rest = b""
        self._messages: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - closed by close()
        # A group of its own: Ctrl-C is ours to handle, and what the process starts ends with it.
        self._process = subprocess.Popen(
            [sys.executable, "-m", server],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._messages,
            cwd=folder,
            env=environment(),
            process_group=0,
        )

    def __enter__(self) -> Process:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def pid(self) -> int:
        """The process, to look at from outside."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def ask(self, do: str, *, limit: float | None = None, **arguments: Any) -> dict[str, Any]:
        """One request and its answer: the server has a method for each."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps({"do": do, **arguments}).encode() + b"\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            raise self._died() from None
        answer: dict[str, Any] = json.loads(self._line(self.limit if limit is None else limit))
        if "error" in answer:
            raise LabError(f"{self.what} {answer['error']}")
        return answer

    def load(self, **arguments: Any) -> None:
        """The request "load", which imports; the process ends where it fails."""
        try:
            self.ask("load", limit=max(self.limit, LOAD_LIMIT), **arguments)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Ends the process, by force if it is busy, and what it has started."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()
        if self._process.returncode is None:
            sides.wait_for(self._process, GRACE)
            sides.end_group(self._process)
        self._process.stdout.close()
        self._messages.close()

    def _line(self, limit: float) -> bytes:
        """The next line of the process, within the limit."""
        assert self._process.stdout is not None
        descriptor, end = self._process.stdout.fileno(), time.monotonic() + limit
        while b"\n" not in self._rest:
            if not sides.readable(descriptor, max(0.0, end - time.monotonic())):
                sides.end_group(self._process)
                raise LabError(f"{self.what} did not end within {limit:g} s and was stopped\n  {self._fix}")
            more = os.read(descriptor, 1 << 16)
            if not more:
                raise self._died()
            self._rest += more
        line, _, self._rest = self._rest.partition(b"\n")
        return line

    def _died(self) -> LabError:
        sides.wait_for(self._process, GRACE)
        sides.end_group(self._process)
        status = sides.status_text(self._process.returncode)
        return LabError(f"{self.what}: its process has ended: {status}{sides.end_of(self._messages)}")


def environment() -> dict[str, str]:
    """A process that is started with it finds this very package, wherever it lies."""
    here = str(Path(__file__).resolve().parents[2])
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, [here, os.environ.get("PYTHONPATH")]))}


def of_target(
    target: str, *, folder: Path | None = None, arguments: Mapping[str, Any] | None = None, limit: float
) -> Process:
    """A process that holds MODULE:FUNCTION of ``folder``, which it calls with ``arguments``."""
    process = Process(TARGET, f"'{target}'", limit=limit, folder=folder)
    process.load(target=target, arguments=dict(arguments or {}))
    return process
