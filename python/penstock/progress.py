# SPDX-License-Identifier: Apache-2.0
"""A progress bar for evaluations that take longer than half a second.

``with progress.bar():`` shows bytes done, speed, time left and memory in use on standard error while anything inside is
evaluated, and leaves an empty line behind. Nothing is shown when standard error is no terminal or
``PENSTOCK_PROGRESS`` is ``off``.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

DELAY_S = 0.5
_CLEAR = "\r\x1b[K"


class Stream(Protocol):
    """What a bar is drawn on."""

    def write(self, text: str, /) -> int: ...
    def flush(self) -> None: ...


def size_text(count: float) -> str:
    """Bytes in binary units: ``1536`` gives ``1.5 KiB``."""
    value, unit = float(count), "B"
    for bigger in ("KiB", "MiB", "GiB", "TiB", "PiB"):
        if abs(value) < 1024:
            break
        value, unit = value / 1024, bigger
    return f"{value:.0f} {unit}" if unit == "B" or value >= 100 else f"{value:.1f} {unit}"


def duration_text(seconds: float) -> str:
    """``75`` gives ``1:15``."""
    whole = max(0, round(seconds))
    hours, minutes = whole // 3600, whole // 60 % 60
    return f"{hours}:{minutes:02d}:{whole % 60:02d}" if hours else f"{minutes}:{whole % 60:02d}"


def wanted() -> bool:
    """Whether a bar may be shown here: a terminal that can erase a line, and PENSTOCK_PROGRESS not ``off``."""
    if os.environ.get("PENSTOCK_PROGRESS", "auto").lower() in ("off", "0", "no", "false"):
        return False
    return sys.stderr is not None and sys.stderr.isatty() and os.environ.get("TERM", "") not in ("", "dumb")


class Line:
    """Draws one line again and again."""

    def __init__(self, stream: Stream, columns: int) -> None:
        self._stream = stream
        self.columns = columns
        self._shown = False
        self._gone = False

    def show(self, text: str) -> None:
        """Draws the line. A terminal that went away ends the drawing, never what is drawn."""
        if self._gone:
            return
        try:
            self._stream.write(_CLEAR + text[: self.columns - 1])
            self._stream.flush()
            self._shown = True
        except (OSError, ValueError):
            self._gone = True

    def erase(self) -> None:
        """Leaves the line as it was before."""
        if not self._shown:
            return
        self._shown = False
        try:
            self._stream.write(_CLEAR)
            self._stream.flush()
        except (OSError, ValueError):
            pass


class Bar(Line):
    """A line about an evaluation; the engine calls :meth:`update`."""

    def __init__(self, stream: Stream, columns: int, delay_s: float = DELAY_S) -> None:
        super().__init__(stream, columns)
        self._delay_s = delay_s

    def update(self, done_bytes: int, total_bytes: int, seconds: float, memory_bytes: int) -> None:
        """The engine's callback."""
        if seconds >= self._delay_s:
            self.show(line(done_bytes, total_bytes, seconds, memory_bytes, self.columns - 1))


def line(done: int, total: int, seconds: float, memory: int, columns: int) -> str:
    """The bar as text of at most ``columns`` characters; what does not fit is left out from the right."""
    speed = done / seconds if seconds > 0 else 0.0
    share = min(1.0, done / total) if total > 0 else 0.0
    parts = [f"{share:4.0%}"]
    parts.append(f"{size_text(done)} of {size_text(total)}")
    parts.append(f"{speed / 1e9:.2f} GB/s")
    if speed > 0 and total > 0:
        parts.append(f"{duration_text((total - done) / speed)} left")
    parts.append(f"memory {size_text(memory)}")
    while len(parts) > 1 and len("  ".join(parts)) > columns:
        parts.pop()
    text = "  ".join(parts)[: max(0, columns)]
    room = min(30, columns - len(text) - 3)
    if room < 5:
        return text
    filled = int(room * share)
    return f"[{'#' * filled}{'.' * (room - filled)}] {text}"


@contextmanager
def bar(enabled: bool = True) -> Iterator[None]:
    """Shows a bar for the evaluations inside, where one is wanted; see :func:`wanted`."""
    if not enabled or not wanted():
        yield
        return
    import penstock as ps

    drawing = Bar(sys.stderr, shutil.get_terminal_size().columns)
    ps.on_progress(drawing.update)
    try:
        yield
    finally:
        ps.on_progress(None)
        drawing.erase()


@contextmanager
def line_of_text() -> Iterator[Callable[[str], None]]:
    """Gives a function that shows a line in the place of the one before, where a bar is wanted; see :func:`wanted`."""
    if not wanted():
        yield lambda _: None
        return
    drawing = Line(sys.stderr, shutil.get_terminal_size().columns)
    try:
        yield drawing.show
    finally:
        drawing.erase()
