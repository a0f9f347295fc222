# SPDX-License-Identifier: Apache-2.0
"""The parent's end of penstock.lab.child: a side in a fresh process, each request under a time limit."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from penstock.lab import code_hash
from penstock.lab.errors import LabError

# Seconds that an import may take, and one request where a project says nothing else.
LOAD_LIMIT = 120.0
DEFAULT_LIMIT = 600.0


class Process:
    """A side's process. As a context it ends with it; its output goes to standard error's tail in messages."""

    def __init__(self, what: str, *, limit: float = DEFAULT_LIMIT) -> None:
        self.what = what
        self.limit = limit
        self._said = tempfile.TemporaryFile()  # noqa: SIM115  # closed by close()
        # A group of its own: Ctrl-C is ours to handle, and what the side starts ends with it.
        self._process = subprocess.Popen(
            [sys.executable, "-m", "penstock.lab.child"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._said,
            process_group=0,
        )
        self._rest = b""

    def __enter__(self) -> Process:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def load(self, folders: Sequence[Path], module: str) -> dict[str, Any]:
        """Imports the side. Raises LabError with the side's own words where it does not import."""
        return self.ask("load", limit=LOAD_LIMIT, folders=[str(each) for each in folders], module=module)

    def ask(self, do: str, *, limit: float | None = None, **arguments: Any) -> dict[str, Any]:
        """One request and its answer. Raises LabError: an error of the side, its death, or its time limit."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps({"do": do, **arguments}).encode() + b"\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            raise self._died() from None
        answer: dict[str, Any] = json.loads(self._line(self.limit if limit is None else limit, do))
        if "error" in answer:
            raise LabError(f"{self.what}: {answer['error']}")
        return answer

    def code(self, base: Path) -> dict[str, Any]:
        """What the side has loaded so far, with paths relative to `base`."""
        return code_hash.relative(self.ask("code"), base)

    def _line(self, limit: float, do: str) -> bytes:
        assert self._process.stdout is not None
        until = time.monotonic() + limit
        while b"\n" not in self._rest:
            ready, _, _ = select.select([self._process.stdout], [], [], max(0.0, until - time.monotonic()))
            if not ready:
                self.kill()
                raise LabError(
                    f"{self.what}: '{do}' did not end within {limit:g} s and was stopped\n"
                    "  raise time_limit in speed.toml, or make the case smaller"
                )
            more = os.read(self._process.stdout.fileno(), 1 << 16)
            if not more:
                raise self._died()
            self._rest += more
        line, _, self._rest = self._rest.partition(b"\n")
        return line

    def _died(self) -> LabError:
        code = self._process.wait()
        how = f"signal {signal.Signals(-code).name}" if code < 0 else f"status {code}"
        self._said.seek(0)
        tail = self._said.read().decode("utf-8", "replace").strip().splitlines()[-5:]
        return LabError("\n".join([f"{self.what}: its process ended with {how}", *(f"  {each}" for each in tail)]))

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def kill(self) -> None:
        """Ends the process and what it started."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def close(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()
        try:
            self._process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self.kill()
        self._process.stdout.close()
        self._said.close()
