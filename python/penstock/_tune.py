# SPDX-License-Identifier: Apache-2.0
"""Measures the thresholds that differ between machines and keeps them for this one."""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from penstock import _core

if TYPE_CHECKING:
    from penstock._core import Array

_NEVER = 1 << 50  # bytes: no array has as many
_GAIN = 0.95  # of the other side's time: less is no gain
_WAKE_PAUSE = 0.002  # s: far longer than a thread waits awake
_AWAKE_SIZES = [32 << 10 << step for step in range(8)]  # bytes of traffic
_ASLEEP_SIZES = [256 << 10 << step for step in range(7)]
_STREAM_SIZES = [1 << 20 << step for step in range(8)]


def _works() -> dict[str, tuple[int, Callable[[Array], Array]]]:
    """One representative a class: the bytes it moves for each float32 element, and itself."""
    import penstock as ps

    return {
        "copy": (12, lambda x: ps.astype(x, ps.float64)),
        "arithmetic": (8, lambda x: ps.multiply(x, x)),
        "maths": (8, ps.exp),
        "reduction": (4, ps.sum),
    }


def tune(seconds: float = 30.0, path: str | os.PathLike[str] | None = None) -> dict[str, int]:
    """Measure the thresholds on this machine, use them and write them to the file that later processes read.

    Takes about ``seconds`` (at least 5, at most 60), best on an idle machine: the thresholds are sizes in bytes from
    which a second thread, waking one, or stores around the caches pay. ``path``: where they are written; by default
    ``PENSTOCK_TUNE`` or ``~/.config/penstock/tune-<machine id>.json``. Returns them, as ``ps.tuning()`` does. Without
    tuning the defaults for the CPU's kind serve.

    Raises ArgumentError for seconds out of range and where there is no home for the file, OSError when it cannot be
    written.
    Beyond the standard.
    """
    if not 5 <= seconds <= 60:
        raise _core.errors.ArgumentError(f"seconds is {seconds:g}; it must be in [5, 60]")
    target = os.fspath(path) if path is not None else _core.tuning_path()
    if not target:
        raise _core.errors.ArgumentError("there is no home for the file; name one: path=... or PENSTOCK_TUNE=...")
    before = _core.tuning()
    try:
        found = {**_core.default_tuning(), **dict(_measured(seconds))}
    except BaseException:
        _use(before)
        raise
    _use(found)
    _write(target, found)
    return found


def _use(values: dict[str, int]) -> None:
    for name, size in values.items():
        _core.set_tuned(name, size)


def _write(path: str, values: dict[str, int]) -> None:
    """Puts the file there whole or not at all."""
    import json
    import tempfile

    folder = os.path.dirname(os.path.abspath(path))
    os.makedirs(folder, exist_ok=True)
    handle, partial = tempfile.mkstemp(dir=folder, prefix=".tune-")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as out:
            out.write(json.dumps({"machine": _core.machine_id(), **values}, indent=1) + "\n")
        os.replace(partial, path)
    except BaseException:
        os.unlink(partial)
        raise


def _measured(seconds: float) -> Iterator[tuple[str, int]]:
    works = _works()
    rows = [(kind, name) for kind in ("awake", "asleep", "stream") for name in works]
    rows = [(kind, name) for kind, name in rows if kind != "stream" or name != "reduction"]
    if _core.threads() == 1:
        rows = [row for row in rows if row[0] == "stream"]
    each = seconds / len(rows)
    for kind, name in rows:
        yield f"{kind}_{name}", _threshold(kind, name, *works[name], each)


def _threshold(kind: str, name: str, width: int, work: Callable[[Array], Array], seconds: float) -> int:
    """The least of the sizes from which on every one gains; between it and the one before, the geometric mean."""
    sizes = {"awake": _AWAKE_SIZES, "asleep": _ASLEEP_SIZES, "stream": _STREAM_SIZES}[kind]
    gains: list[int] = []
    for size in reversed(sizes):
        if not _gains(kind, name, size // width, work, seconds / len(sizes)):
            break
        gains.append(size)
    if not gains:
        return _NEVER if kind == "stream" else 2 * sizes[-1]
    least = gains[-1]
    return least if least == sizes[0] else int(least / 2**0.5)


def _gains(kind: str, name: str, elements: int, work: Callable[[Array], Array], seconds: float) -> bool:
    """Whether the threshold's technique is faster for so many elements: A B B A, until the time is over."""
    import penstock as ps

    x = ps.full(elements, 1.5, dtype=ps.float32)
    ps.evaluate(x)
    times: dict[bool, list[float]] = {False: [], True: []}
    pause = _WAKE_PAUSE if kind == "asleep" else 0.0
    end = time.perf_counter() + seconds
    rounds = 0
    while rounds < 3 or (time.perf_counter() < end and rounds < 200):
        for side in (False, True, True, False):
            with _forced(kind, name, side):
                _seconds(work, x, 0.0)  # results in the pool, threads as the side has them
                if kind != "asleep":
                    _seconds(work, x, 0.0)
                times[side].append(_seconds(work, x, pause))
        rounds += 1
    return statistics.median(times[True]) < _GAIN * statistics.median(times[False])


def _seconds(work: Callable[[Array], Array], x: Any, pause: float) -> float:
    """Seconds that one evaluation takes, after a pause in which threads go to sleep."""
    if pause:
        time.sleep(pause)
    result = work(x)
    start = time.perf_counter()
    _core.evaluate(result)
    return time.perf_counter() - start


@contextmanager
def _forced(kind: str, name: str, on: bool) -> Iterator[None]:
    """The threshold of one row such that the technique is used, or is not."""
    forced = {f"{kind}_{name}": 0 if on else _NEVER}
    if kind == "awake":
        forced[f"asleep_{name}"] = forced[f"awake_{name}"]
    if kind == "asleep":
        forced[f"awake_{name}"] = forced[f"asleep_{name}"]
    before = {row: _core.tuning()[row] for row in forced}
    _use(forced)
    try:
        yield
    finally:
        _use(before)
