# SPDX-License-Identifier: Apache-2.0
"""Exit statuses, and how each kind of error is told."""

from __future__ import annotations

import contextlib
import errno
import os
import signal
import sys
from typing import Any, NoReturn

OK = 0
FAILED = 1
USAGE = 2
NO_SPACE = 4
REGRESSION = 5
INTERRUPTED = 130

# The signals that ask a process to end, besides Ctrl-C.
ENDING = (signal.SIGTERM, signal.SIGHUP)


class CommandError(Exception):
    """A mistake the command line itself finds: what is wrong and, on the lines after, what to do."""

    def __init__(self, message: str, exit_status: int = USAGE) -> None:
        super().__init__(message)
        self.exit_status = exit_status


class Stopped(KeyboardInterrupt):
    """A signal that asks the process to end, treated as Ctrl-C is: what is unfinished is removed on the way out."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number
        self.name = signal.Signals(number).name
        self.exit_status = 128 + number


def stop(number: int, _: object) -> NoReturn:
    """The handler of such a signal."""
    raise Stopped(number)


def report(error: BaseException, as_json: bool = False) -> int:
    """Tells ``error`` on standard error and returns the exit status it stands for."""
    if isinstance(error, SystemExit):
        return error.code if isinstance(error.code, int) else USAGE
    if isinstance(error, KeyboardInterrupt):
        # A second one while the message is written ends the process at once, with the same status.
        for number in (signal.SIGINT, *ENDING):
            signal.signal(number, lambda *_: os._exit(exit_status_of(error)))
    code = exit_status_of(error)
    if isinstance(error, BrokenPipeError):
        return code
    with contextlib.suppress(OSError, ValueError):
        sys.stderr.write(_as_json(error, code) if as_json else _as_text(error))
        sys.stderr.flush()
    return code


def exit_status_of(error: BaseException) -> int:
    """The status of the error's class in the error table, or of what Python's own error stands for."""
    own = getattr(error, "exit_status", None)
    if isinstance(own, int):
        return own
    if isinstance(error, KeyboardInterrupt):
        return INTERRUPTED
    if _is_complaint(error):
        return USAGE
    if isinstance(error, MemoryError):
        return NO_SPACE
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return NO_SPACE
    return FAILED


def message_of(error: BaseException) -> str:
    """The error in words, its notes after it."""
    if isinstance(error, KeyboardInterrupt):
        what = f"stopped by {error.name}" if isinstance(error, Stopped) else "interrupted"
        return f"{what}; {error.args[0] if error.args else 'unfinished output was removed'}"
    if isinstance(error, MemoryError) and not str(error):
        return "out of memory; lower --memory or the size of the result"
    text = str(error) or type(error).__name__
    if isinstance(error, OSError) and error.strerror:
        text = error.strerror if error.filename is None else f"{error.filename}: {error.strerror}"
    return "\n".join([text, *getattr(error, "__notes__", [])])


def class_and_code(error: BaseException) -> tuple[str, str | None]:
    """The error's class and stable code. A complaint about an expression has those of ExpressionError."""
    if _is_complaint(error):
        return "ExpressionError", "PS1005"
    code = getattr(error, "code", None)
    return type(error).__name__, code if isinstance(code, str) else None


def printable(text: str) -> str:
    """``text`` with control characters escaped: a file's name must not move the cursor."""
    return "".join(c if c.isprintable() or c == "\n" else ascii(c)[1:-1] for c in text)


def colour(text: str, code: str) -> str:
    """``text`` in an ANSI colour where standard error is a terminal that wants one."""
    plain = os.environ.get("NO_COLOR") or os.environ.get("PENSTOCK_NO_COLOR")
    if plain or os.environ.get("TERM", "dumb") == "dumb" or not sys.stderr.isatty():
        return text
    return f"\x1b[{code}m{text}\x1b[0m"


def warn(text: str) -> None:
    """A message that does not change the exit status."""
    sys.stderr.write(f"{colour('penstock: warning:', '33')} {printable(text)}\n")


def _as_text(error: BaseException) -> str:
    if isinstance(error, KeyboardInterrupt):
        return f"\npenstock: {message_of(error)}\n" if sys.stderr.isatty() else f"penstock: {message_of(error)}\n"
    code = class_and_code(error)[1]
    suffix = f" [{code}]" if code else ""
    first, *rest = printable(message_of(error)).split("\n")
    text = "\n".join([f"{colour('penstock: error:', '31')} {first}{suffix}", *rest]) + "\n"
    return text if _expected(error) else text + _bug(error)


def _as_json(error: BaseException, code: int) -> str:
    import json

    name, stable_code = class_and_code(error)
    fields: dict[str, Any] = {
        "class": name,
        "code": stable_code,
        "message": message_of(error),
        "exit_status": code,
    }
    return json.dumps({"error": fields}) + "\n"


def _is_complaint(error: BaseException) -> bool:
    module = sys.modules.get("penstock.expression")
    return module is not None and isinstance(error, module.Complaint)


def _expected(error: BaseException) -> bool:
    known = (CommandError, OSError, MemoryError)
    return isinstance(error, known) or hasattr(error, "exit_status") or _is_complaint(error)


def _bug(error: BaseException) -> str:
    import traceback

    lines = "".join(traceback.format_exception(error))
    return f"{lines}this is a mistake in penstock; please report it with the output of 'penstock doctor --json'\n"
