# SPDX-License-Identifier: Apache-2.0
"""From arguments to an exit status.

0 ok, 1 failed, 2 usage, 3 data corrupt, 4 no space or budget, 5 regression found, 130 Ctrl-C. SIGTERM and SIGHUP end a
command as Ctrl-C does, with 143 and 129.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import os
import signal
import sys
from collections.abc import Sequence
from typing import Any

from penstock.cli import status
from penstock.cli.commands import COMMANDS, general_help, unknown_command


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit status; never raises. Ctrl-C, SIGTERM and SIGHUP end the process."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    # Writing to a closed pipe or past a file size limit is then an error that can be told, not a sudden death.
    for name in ("SIGPIPE", "SIGXFSZ"):
        signal.signal(getattr(signal, name), signal.SIG_IGN)
    for number in status.ENDING:
        # What nohup ignores stays ignored.
        if signal.getsignal(number) == signal.SIG_DFL:
            signal.signal(number, status.stop)
    sys.unraisablehook = _unraisable
    _prepare_streams()
    as_json = "--json" in arguments
    interrupted = False
    try:
        code = _dispatch(arguments)
        sys.stdout.flush()
    except BaseException as error:
        interrupted = isinstance(error, KeyboardInterrupt)
        code = status.report(error, as_json)
    code = _close_streams(code)
    if interrupted:
        # The output is gone and everything is told; taking the interpreter down in order would double the wait.
        os._exit(code)
    return code


def _unraisable(found: Any) -> None:
    """An interruption that fell into a callback of Python's own, such as that of an import, comes again."""
    if isinstance(found.exc_value, KeyboardInterrupt):
        import threading

        number = getattr(found.exc_value, "number", signal.SIGINT)
        # Not at once: inside of this call it would be lost too.
        again = threading.Timer(0.01, os.kill, (os.getpid(), number))
        again.daemon = True
        again.start()
        return
    sys.__unraisablehook__(found)


def _prepare_streams() -> None:
    """Any file name can be printed, and what cannot be written is noticed."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(AttributeError, ValueError):
            stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    # Under PYTHONUNBUFFERED the stream takes a short write for a whole one and loses the rest without a word.
    if isinstance(getattr(sys.stdout, "buffer", None), io.RawIOBase):
        descriptor, encoding = sys.stdout.fileno(), sys.stdout.encoding
        sys.stdout = open(descriptor, "w", encoding=encoding, errors="backslashreplace", closefd=False)  # noqa: SIM115


def _dispatch(arguments: list[str]) -> int:
    if not arguments:
        sys.stderr.write(general_help())
        return status.USAGE
    name = arguments[0]
    if name in ("-h", "--help", "help"):
        if name == "help" and len(arguments) > 1:
            return _dispatch([*arguments[1:], "--help"])
        sys.stdout.write(general_help())
        return status.OK
    if name in ("-V", "--version", "version"):
        from penstock.cli.version import version

        sys.stdout.write(f"penstock {version()}\n")
        return status.OK
    if name not in COMMANDS:
        raise unknown_command(name)
    module = importlib.import_module(f"penstock.cli.{COMMANDS[name].module}")
    if hasattr(module, "dispatch"):
        return int(module.dispatch(arguments[1:]))
    from penstock.cli.parser import run_command

    return run_command(name, COMMANDS[name], module, arguments[1:])


def _close_streams(code: int) -> int:
    """Flushes both streams for the last time. Output that cannot be delivered turns success into failure."""
    for stream, descriptor in ((sys.stdout, 1), (sys.stderr, 2)):
        try:
            stream.flush()
        except (OSError, ValueError) as error:
            if code == status.OK:
                code = status.report(error)
            with contextlib.suppress(OSError):
                os.dup2(os.open(os.devnull, os.O_WRONLY), descriptor)
    return code
