# SPDX-License-Identifier: Apache-2.0
"""``NAME=FILE`` and ``NAME=FILE:DTYPE:SHAPE``: what the names of an expression stand for, and where a result goes.

``-`` is a ``.npy`` stream: standard input for an array, standard output for a result.
"""

from __future__ import annotations

import argparse
import os
import re
import stat
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from penstock.cli.status import FAILED, NO_SPACE, CommandError
from penstock.expression import CONSTANTS, Expression, nearest, unknown_name
from penstock.progress import size_text

_RAW = re.compile(r"(?P<path>.+?):(?P<dtype>[a-z]+\d*):(?P<shape>\d+(?:,\d+)*,?)?(?::(?P<offset>\d+))?")
STREAM = "-"
_BLOCK = 1 << 20
_DTYPE = re.compile(r"bool|u?int(8|16|32|64)|float(16|32|64)|complex(64|128)")


@dataclass(frozen=True)
class FileArray:
    """A file and, when it is raw data, how to read it."""

    path: str
    dtype: str | None = None
    shape: tuple[int, ...] | None = None
    offset: int = 0

    def located(self) -> FileArray:
        """The file itself: of standard input one in memory, or what the shell has opened."""
        return replace(self, path=_standard_input()) if self.path == STREAM else self

    def open(self) -> Any:
        """The lazy array; reads the header alone, of standard input everything."""
        import penstock as ps

        path = self.located().path
        try:
            if self.dtype is None:
                return ps.open(path)
            return ps.open(path, dtype=getattr(ps, self.dtype), shape=self.shape, offset=self.offset)
        except ps.errors.PenstockError as error:
            if self.path == STREAM:
                error.add_note(f"{path} is standard input")
            raise


def _standard_input() -> str:
    """A path to what standard input holds. A pipe is read to its end into memory, and the budget is less by that."""
    import penstock as ps

    if stat.S_ISREG(os.fstat(0).st_mode) and os.lseek(0, 0, os.SEEK_CUR) == 0:
        return "/proc/self/fd/0"
    if os.isatty(0):
        raise CommandError("standard input is a terminal\n  redirect a .npy file into it, or name the file")
    budget = ps.memory_budget()
    held = os.memfd_create("standard input", 0)
    size = 0
    while block := os.read(0, _BLOCK):
        size += len(block)
        if size >= budget:
            message = f"standard input holds more than the memory budget of {size_text(budget)}"
            raise CommandError(f"{message}\n  save it to a file and name that file: it need not fit", NO_SPACE)
        _write_all(held, block)
    # The engine does not see this memory; what is left is the engine's.
    ps.memory_budget(budget - size)
    return f"/proc/self/fd/{held}"


def _write_all(descriptor: int, block: bytes) -> None:
    """A write may take less than it is given."""
    left = memoryview(block)
    while left:
        left = left[os.write(descriptor, left) :]


def file_array(text: str) -> FileArray:
    """``FILE`` or ``FILE:DTYPE:SHAPE[:OFFSET]``. A file of exactly that name is taken as it is."""
    match = _RAW.fullmatch(text)
    if match is None or os.path.exists(text):
        return FileArray(text)
    if not _DTYPE.fullmatch(match["dtype"]):
        message = f"unknown dtype '{match['dtype']}' in '{text}'"
        raise CommandError(f"{message}\n  raw data is named FILE:DTYPE:SHAPE, such as x.raw:float32:100,200")
    shape = tuple(int(each) for each in (match["shape"] or "").split(",") if each)
    return FileArray(match["path"], match["dtype"], shape, int(match["offset"] or 0))


def named_arrays(texts: Sequence[str], expression: Expression) -> dict[str, FileArray]:
    """The operands by name; complains about a name twice, none, or one that the expression does not read."""
    arrays: dict[str, FileArray] = {}
    streams: list[str] = []
    for text in texts:
        name, equals, path = text.partition("=")
        if not equals or not path:
            raise CommandError(f"'{text}' is no operand\n  name an array as NAME=FILE, such as a={name or 'file.npy'}")
        if not name.isidentifier():
            raise CommandError(f"'{name}' is no name\n  a name is made of letters, digits and _, such as a={path}")
        if name in arrays:
            raise CommandError(f"'{name}' is given twice\n  give each array its own name")
        arrays[name] = file_array(path)
        streams += [name] * (arrays[name].path == STREAM)
    if len(streams) > 1:
        raise CommandError(f"{' and '.join(streams)} are all standard input\n  name a file for all but one of them")
    _check_used(list(arrays), expression)
    return arrays


def _check_used(given: Sequence[str], expression: Expression) -> None:
    """Complains about a name that is not used, or about the one in the expression that is misspelt for it."""
    unused = [each for each in given if each not in expression.names]
    if not unused:
        return
    for name in expression.names:
        if name not in given and name not in CONSTANTS and not _DTYPE.fullmatch(name) and nearest(name, unused):
            raise unknown_name(expression, name, given)
    names = ", ".join(expression.names) or "no names"
    raise CommandError(f"'{unused[0]}' is given but not used\n  the expression reads {names}")


def output_path(path: str, arrays: Sequence[FileArray], overwrite: bool) -> str:
    """Where the result goes. Refuses what would lose data: a file that is no input (unless overwritten), a device."""
    if path == STREAM:
        return path
    path = os.path.realpath(path) if os.path.islink(path) else path
    if os.path.isdir(path):
        raise CommandError(f"{path} is a directory\n  name a file in it: -o {os.path.join(path, 'result.npy')}")
    parent = os.path.dirname(path) or "."
    if not os.path.isdir(parent):
        raise CommandError(f"{path}: the directory {parent} does not exist\n  mkdir -p {parent}", FAILED)
    try:
        kind = os.stat(path)
    except FileNotFoundError:
        return path
    if not stat.S_ISREG(kind.st_mode):
        raise CommandError(f"{path} is no regular file\n  name a file that may be replaced", FAILED)
    is_input = any(os.path.exists(each.path) and os.path.samefile(each.path, path) for each in arrays)
    if not is_input and not overwrite:
        raise CommandError(f"{path} exists\n  add --overwrite to replace it, or name another file", FAILED)
    return path


def trace_path(path: str, arrays: Sequence[FileArray], output: str | None, overwrite: bool) -> str:
    """Where the trace goes. Refuses what output_path does, and the command's other files."""
    if path == STREAM:
        raise CommandError("--trace names a file, as standard output has the result")
    others = [(each.path, "an operand") for each in arrays] + [(output, "the output")]
    for other, what in others:
        if other is not None and os.path.realpath(other) == os.path.realpath(path):
            raise CommandError(f"{path} is {what}\n  name another file for the trace")
    return output_path(path, [], overwrite)


def engine(arguments: argparse.Namespace) -> Any:
    """The package, its budget and threads set from the options."""
    import penstock as ps

    if arguments.memory is not None:
        try:
            ps.memory_budget(int(arguments.memory) if arguments.memory.isdigit() else arguments.memory)
        except (ValueError, TypeError) as error:
            raise CommandError(f"--memory {arguments.memory}: {error}") from None
    if arguments.threads is not None:
        ps.threads(arguments.threads)
    return ps


def dtype_option(text: str) -> str:
    """The name of a dtype, for argparse."""
    if _DTYPE.fullmatch(text):
        return text
    from penstock.cli.commands import suggestion

    names = ["bool", *(f"{kind}{bits}" for kind in ("int", "uint") for bits in (8, 16, 32, 64))]
    close = suggestion(text, [*names, "float16", "float32", "float64", "complex64", "complex128"])
    raise argparse.ArgumentTypeError(f"unknown dtype '{text}'" + (f"; did you mean {close}?" if close else ""))
