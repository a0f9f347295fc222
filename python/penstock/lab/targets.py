# SPDX-License-Identifier: Apache-2.0
"""What a user names on the command line, as something to time."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from penstock.lab import sides
from penstock.lab.google_benchmark import Benchmark
from penstock.lab.process import Process, of_target
from penstock.lab.remote import Remote
from penstock.lab.sides import Command, Side, SideError
from penstock.lab.target import is_target


@contextmanager
def opened(text: str, *, folder: Path | None = None, time_limit: float = sides.TIME_LIMIT) -> Iterator[Side]:
    """The side that ``text`` names: MODULE:FUNCTION, PROGRAM::BENCHMARK of Google Benchmark, else a shell command.

    The processes that hold a function end with the context.
    """
    program, separator, benchmark = text.partition("::")
    if is_target(text):

        def begin(turn: int) -> Process:
            process = of_target(text, folder=folder, limit=time_limit)
            if turn > 0:
                # What a first call loads late is loaded off the clock; that of the first process is the calibration's.
                _first_call(process)
            return process

        with Remote(begin) as remote:
            yield remote
    elif separator and os.access(Path(folder or ".", program), os.X_OK):
        yield Benchmark(Path(folder or ".", program).resolve(), benchmark, time_limit=time_limit)
    elif not text.strip():
        raise SideError("an empty command cannot be timed; write a shell command or MODULE:FUNCTION")
    else:
        yield Command(text, folder=folder, time_limit=time_limit)


def _first_call(process: Process) -> None:
    try:
        process.ask("time", calls=1)
    except BaseException:
        process.close()
        raise


def output_hash(side: Side) -> str:
    """The SHA-256 of what one call writes or returns. Raises SideError where a side has no output to look at."""
    if isinstance(side, (Command, Remote)):
        return side.output_hash()
    raise SideError("a Google Benchmark has no output to compare; leave --check-output out")
