# SPDX-License-Identifier: Apache-2.0
"""How many threads the BLAS beneath NumPy takes: one number for the whole process, held down while linalg works.

Several Python threads may hold it down at once: the least of what they ask for is in force. The first notes the number
it finds, the last puts that back. A number that others set meanwhile is lost.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

_lock = threading.Lock()
_held: dict[object, int] = {}  # what each holder asks for
_before: list[tuple[Any, int]] = []  # libraries and their threads before the first holder


@cache
def _libraries() -> tuple[Any, ...]:
    """Those that are loaded: of whom works on NumPy arrays, NumPy's."""
    from threadpoolctl import ThreadpoolController

    return tuple(ThreadpoolController().select(user_api="blas").lib_controllers)


def _set() -> None:
    """Puts into force what the holders ask for. The caller holds the lock."""
    for library, before in _before:
        wanted = min((before, *_held.values()))
        if library.num_threads != wanted:
            library.set_num_threads(wanted)


def _in_child() -> None:
    """A forked child has none of the threads that hold the number down."""
    _held.clear()
    _set()
    _lock.release()


os.register_at_fork(before=_lock.acquire, after_in_parent=_lock.release, after_in_child=_in_child)


@contextmanager
def at_most(threads: int) -> Iterator[None]:
    """The BLAS takes no more threads than this, and no more than before."""
    libraries = _libraries()
    holder = object()
    try:
        with _lock:
            if not _held:
                _before[:] = [(each, each.num_threads) for each in libraries if each.num_threads is not None]
            _held[holder] = threads
            _set()
        yield
    finally:
        with _lock:
            _held.pop(holder, None)
            _set()
