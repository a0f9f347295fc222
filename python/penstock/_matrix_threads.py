# SPDX-License-Identifier: Apache-2.0
"""Which threads work through a stack of matrices with LAPACK.

Parts of a stack go to the engine's threads, while LAPACK keeps to one each. Where there is little to share, or a few
large matrices, it is one part after the other, in as many of LAPACK's own threads as the engine has.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from typing import NamedTuple

from penstock import _core
from penstock._blas_threads import at_most

# Nanoseconds.
_PART = 500_000  # of a part for one of several threads: Python's share of it is small, its results lie in a cache
_ALONE = 20_000_000  # of a part for the only thread: after it Ctrl-C is heard
# Each call of LAPACK takes a lock of OpenBLAS's, which threads with briefer calls spend their time waiting for.
_LOCK = 700

_RESULTS = 500  # of a part: up to so many numbers NumPy computes without giving up the interpreter's lock
_OWN_THREADS = 1024  # elements of a matrix, from which on LAPACK may take threads of its own
_BRIEF = 32768  # elements of a matrix that threads may have a workspace each for, however few there are


class Stack(NamedTuple):
    """So many matrices, what each of them is read from and gives, and about how long it takes."""

    n: int
    elements: int
    results: int
    nanoseconds: float


class Shares(NamedTuple):
    """In how many parts a stack is worked through, and by how many threads: the engine's, and of each LAPACK's."""

    parts: int
    threads: int
    lapack: int


def shares(stack: Stack, threads: int) -> Shares:
    """Those of a stack for up to ``threads``."""
    n, elements, results, nanoseconds = stack
    parts = min(n, n // (_RESULTS // results + 1), int(n * nanoseconds / _PART))
    used = min(threads, parts, int(nanoseconds / _LOCK))
    if used < 2 or (elements > _BRIEF and n < 4 * threads):
        return Shares(max(1, min(n, int(n * nanoseconds / _ALONE))), 1, threads)
    return Shares(parts - parts % used, used, 1)


def work_through(stack: Stack, work: Callable[[int, int], object]) -> None:
    """Calls ``work(begin, end)`` for parts of a stack."""
    own = stack.elements >= _OWN_THREADS
    if not own and stack.n * stack.nanoseconds < 2 * _PART:
        work(0, stack.n)
        return
    share = shares(stack, _core.threads())
    with at_most(share.lapack) if own else nullcontext():
        _core.in_parts(stack.n, share.parts, share.threads, work)
