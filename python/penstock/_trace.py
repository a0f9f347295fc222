# SPDX-License-Identifier: Apache-2.0
"""Traces: what the engine did when, as a file for Perfetto or chrome://tracing."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager

from penstock import _core


@contextmanager
def trace(path: str | os.PathLike[str]) -> Iterator[None]:
    """Record the spans of all evaluations inside, of every thread, and write them to ``path`` at the end.

    ``with ps.trace("run.json"):`` gives Chrome's trace JSON. ``traceEvents`` has an event a span: ``name`` (evaluate,
    plan, read, transpose, compute, worker, write, spill or sync), ``ts`` and ``dur`` in microseconds since the start,
    ``tid`` the thread; ``dropped`` says how many spans came after the first 1,048,576. The file is written at the end,
    also where the body raises, whole or not at all; one that exists is replaced.

    Raises FileError (a MissingFileError where the directory is missing) or UnsafePathError before the body runs where
    the file cannot be written, and ArgumentError inside another trace: a process records one at a time.
    Beyond the standard.
    """
    target = os.path.abspath(os.fsdecode(path))  # the body may change the directory
    process = os.getpid()
    temporary, descriptor = _create(target)
    try:
        if not _core.start_trace():
            raise _core.errors.ArgumentError(f"{target}: a trace is being recorded already; end that one first")
        try:
            yield
        finally:
            # A forked child that leaves the body has nothing to write.
            if os.getpid() == process:
                _publish(descriptor, _core.stop_trace().encode(), temporary, target)
    finally:
        os.close(descriptor)
        if os.getpid() == process:
            with contextlib.suppress(OSError):
                os.unlink(temporary)


def _create(path: str) -> tuple[str, int]:
    """A temporary file beside ``path`` and its descriptor.

    Its name is that of an unfinished output, and it is locked as these are: `penstock doctor` finds what a kill leaves.
    """
    if os.path.lexists(path) and not stat.S_ISREG(os.lstat(path).st_mode):
        raise _core.errors.UnsafePathError(f"{path} is a link, directory or device; name a regular file")
    directory, name = os.path.split(path)
    temporary = os.path.join(directory, f".{name}.penstock-{os.getpid()}-{secrets.token_hex(8)}.partial")
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
    except OSError as error:
        raise _file_error(error, path) from None
    with contextlib.suppress(OSError):
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    return temporary, descriptor


def _publish(descriptor: int, text: bytes, temporary: str, path: str) -> None:
    try:
        while text:
            text = text[os.write(descriptor, text) :]
        os.replace(temporary, path)
    except OSError as error:
        raise _file_error(error, path) from None


def _file_error(error: OSError, path: str) -> Exception:
    kinds = {errno.ENOENT: _core.errors.MissingFileError, errno.ENOSPC: _core.errors.NoSpaceError}
    kind: type[Exception] = kinds.get(error.errno or 0, _core.errors.FileError)
    return kind(error.errno, f"{path}: cannot write the trace: {error.strerror}")
