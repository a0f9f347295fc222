# SPDX-License-Identifier: Apache-2.0
"""The main thread's lines, read while it runs them.

A sampler in Python gets the interpreter's lock only where the interpreter looks for waiting threads: at calls and at
the ends of loops. A line of arithmetic on arrays is no such place, and its time would count for the loop around it.
faulthandler's signal handler is C code that runs at once, on whatever line the thread is; what it writes is read
afterwards. The timer is that of SIGALRM: a program that sets one of its own is left with what the sampler saw.

The handler follows pointers to frames that the interpreter may just be pushing or releasing: as a C function begins to
call Python, for some instructions they lead nowhere, and the process ends by SIGSEGV. Whoever reads lines so must be
able to run the program again without.
"""

from __future__ import annotations

import faulthandler
import os
import re
import signal
from collections import Counter
from collections.abc import Iterable, Mapping
from types import TracebackType

from penstock.lab.profile_sampler import Frame, Stack, Weight

_FRAME = re.compile(r'  File "(.*)", line (\d+|\?\?\?) in (.*)')
# faulthandler writes so many frames at most: of a deeper stack the outermost are unknown.
_DEEPEST = 100


class Dumps:
    """``with Dumps(seconds_apart) as dumps: work()``, then ``dumps.stacks``: outermost frame first, how often met.

    ``seconds_apart``: none are read where it is 0. ``bytes``: how many were written, and read again, to know.
    """

    def __init__(self, seconds_apart: float = 0.004) -> None:
        self.stacks: Counter[Stack] = Counter()
        self.bytes = 0
        self._apart = seconds_apart
        # In memory: what it holds is no input or output of the program.
        self._file = open(os.memfd_create("dumps"), "w+b")  # noqa: SIM115 - closed when the stacks have been read

    def __enter__(self) -> Dumps:
        faulthandler.register(signal.SIGALRM, file=self._file, all_threads=False)
        signal.setitimer(signal.ITIMER_REAL, self._apart, self._apart)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        # Kept until a late signal is gone: without a handler it would end the process.
        signal.signal(signal.SIGALRM, signal.SIG_IGN)
        faulthandler.unregister(signal.SIGALRM)
        signal.signal(signal.SIGALRM, signal.SIG_IGN)
        self._file.seek(0)
        text = self._file.read()
        self.bytes = len(text)
        self.stacks = parsed(text.decode("ascii", "replace"))
        self._file.close()


def parsed(text: str) -> Counter[Stack]:
    """The stacks in what faulthandler wrote; one whose innermost line is unknown is left out."""
    found: Counter[Stack] = Counter()
    for dump in re.split(r"^Stack .*\n", text, flags=re.MULTILINE)[1:]:
        frames = [_frame(*each.groups()) for each in map(_FRAME.fullmatch, dump.splitlines()) if each]
        if frames and frames[0].line:
            found[tuple(reversed(frames))] += 1
    return found


def _frame(file: str, line: str, name: str) -> Frame:
    # What is not ASCII was written as escapes.
    file, name = (each.encode("ascii", "replace").decode("unicode_escape") for each in (file, name))
    return Frame(name, file, 0 if line == "???" else int(line))


def refined(stacks: Mapping[Stack, Weight], dumps: Counter[Stack], base: Frame) -> dict[Stack, Weight]:
    """The sampler's ``stacks`` with the main thread's as ``dumps`` saw them, above the frame ``base``.

    The whole of its time stays; waiting, during which the lock is free, stays on the lines where the sampler saw it.
    """
    main = {stack: each for stack, each in stacks.items() if not (stack and stack[0].file == "")}
    full = {(each.file, each.function.rpartition(".")[2]): each.function for stack in main for each in stack}
    counts: Counter[Stack] = Counter()
    for stack, n in dumps.items():
        if (above := _above(stack, base)) is not None:
            counts[tuple(_fully(each, full) for each in above)] += n
    met = sum(counts.values())
    if met < sum(each.samples for each in main.values()) / 2:
        return dict(stacks)
    one = sum(each.seconds for each in main.values()) / max(met, 1)
    waited: dict[tuple[str, int], float] = {}
    for stack, each in main.items():
        waited[_spot(stack)] = waited.get(_spot(stack), 0.0) + each.waited
    spots: Counter[tuple[str, int]] = Counter()
    for stack, n in counts.items():
        spots[_spot(stack)] += n
    found = {stack: each for stack, each in stacks.items() if stack not in main}
    for stack, n in counts.items():
        share = n / spots[_spot(stack)]
        found[stack] = Weight(n * one, min(n * one, waited.get(_spot(stack), 0.0) * share), n)
    return found


def _above(stack: Stack, base: Frame) -> Stack | None:
    """The frames that ``base`` calls; None for a thread in which it is not."""
    at = [place for place, each in enumerate(stack) if (each.file, each.function) == (base.file, base.function)]
    if at:
        return stack[at[0] + 1 :]
    return stack if len(stack) >= _DEEPEST else None


def _fully(frame: Frame, full: Mapping[tuple[str, str], str]) -> Frame:
    return frame._replace(function=full.get((frame.file, frame.function), frame.function))


def _spot(stack: Iterable[Frame]) -> tuple[str, int]:
    last = (*stack,)[-1:]
    return (last[0].file, last[0].line) if last else ("", 0)
