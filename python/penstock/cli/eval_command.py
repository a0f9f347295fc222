# SPDX-License-Identifier: Apache-2.0
"""``penstock eval``: an expression over files, saved or printed."""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
import time
from typing import Any

from penstock.cli import operands, parser, status
from penstock.expression import parse
from penstock.progress import bar


def add_arguments(to: argparse.ArgumentParser) -> None:
    parser.add_operands(to)
    to.add_argument(
        "-o", "--output", metavar="FILE", help="save the result as .npy; it appears once complete; - is a pipe"
    )
    to.add_argument("--overwrite", action="store_true", help="replace an output that exists and is no input")
    to.add_argument("--dtype", type=operands.dtype_option, help="convert the result, such as float32")
    parser.add_engine_options(to)
    to.add_argument(
        "--trace", metavar="FILE", help="record what happened when, for ui.perfetto.dev or chrome://tracing"
    )
    parser.add_json_option(to)
    to.add_argument("-q", "--quiet", action="store_true", help="no progress and no summary")
    to.add_argument("--functions", action=_ListFunctions, nargs=0, help="list every function and constant, and exit")


class _ListFunctions(argparse.Action):
    """Lists every function and exits; the names come from the extension's table."""

    def __call__(self, *_: Any) -> None:
        from penstock.expression import CONSTANTS, function_table

        sys.stdout.write("\n".join([*sorted(function_table()), *CONSTANTS]) + "\n")
        raise SystemExit(status.OK)


def run(arguments: argparse.Namespace) -> int:
    expression = parse(arguments.expression)
    files = operands.named_arrays(arguments.operands, expression)
    target = None
    if arguments.output is not None:
        target = operands.output_path(arguments.output, list(files.values()), arguments.overwrite)
    if target == operands.STREAM:
        _check_stream(arguments)
    if arguments.trace is not None:
        trace = operands.trace_path(arguments.trace, list(files.values()), target, arguments.overwrite)
    ps = operands.engine(arguments)
    arrays = {name: file.open() for name, file in files.items()}
    with contextlib.nullcontext() if arguments.trace is None else ps.trace(trace):
        return _evaluate(ps, arguments, as_results(ps, expression, arrays, arguments.dtype), target)


def _evaluate(ps: Any, arguments: argparse.Namespace, results: tuple[Any, ...], target: str | None) -> int:
    started = time.perf_counter()
    if target is None:
        return _print(ps, arguments, results, started)
    if len(results) != 1:
        raise status.CommandError("the expression has two results\n  choose one with [0] or [1] to save it")
    before = _identity(target)
    try:
        with bar(not arguments.quiet):
            if target == operands.STREAM:
                write_stream(results[0])
            else:
                ps.save(results[0], target, overwrite=True)
        _summary(ps, arguments, results[0], target, time.perf_counter() - started)
    except KeyboardInterrupt as interrupt:
        # The signal may have come once the rename was under way: the output is then whole and stays.
        if _identity(target) != before:
            interrupt.args = (f"{target} was already complete",)
        raise
    return status.OK


def _identity(path: str) -> tuple[int, int, int] | None:
    """What tells a file from the one that replaces it; nothing where there is none."""
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino, found.st_mtime_ns


def _check_stream(arguments: argparse.Namespace) -> None:
    if arguments.json:
        raise status.CommandError("--json and -o - both want standard output\n  leave one of them out")
    if sys.stdout.isatty():
        raise status.CommandError("standard output is a terminal\n  add '| command' or '> file.npy', or name a file")


def write_stream(array: Any) -> None:
    """The array as a .npy stream on standard output. It is computed in memory first: a stream can't be taken back."""
    import numpy as np

    class Stream:
        """What NumPy takes for no file: a pipe can't seek."""

        write = staticmethod(sys.stdout.buffer.write)

    np.lib.format.write_array(Stream(), np.asarray(array), allow_pickle=False)
    sys.stdout.buffer.flush()


def as_results(ps: Any, expression: Any, arrays: dict[str, Any], dtype: str | None) -> tuple[Any, ...]:
    """The results of the expression: one array, or the two of ``histogram``."""
    from penstock.expression import build

    value = build(expression, arrays)
    results = value if isinstance(value, tuple) else (value,)
    if dtype is None:
        return results
    return tuple(ps.astype(each, getattr(ps, dtype)) for each in results)


def _print(ps: Any, arguments: argparse.Namespace, results: tuple[Any, ...], started: float) -> int:
    from penstock.cli import values

    small = [each for each in results if each.size <= values.MAX_PRINTED]
    with bar(not arguments.quiet):
        ps.evaluate(*small)
        if arguments.json:
            shown: list[Any] = [values.as_json(each) for each in results]
        else:
            shown = [values.as_text(each) for each in results]
    if arguments.json:
        fields = shown[0] if len(shown) == 1 else {"results": shown}
        values.write_json({"expression": arguments.expression, **fields, "seconds": time.perf_counter() - started})
    else:
        sys.stdout.write("\n".join(shown) + "\n")
    if len(small) < len(results) and not arguments.quiet:
        sys.stderr.write("penstock: the result is too large to print; add -o FILE.npy to save all of it\n")
    return status.OK


def _summary(ps: Any, arguments: argparse.Namespace, result: Any, target: str, seconds: float) -> None:
    from penstock.cli import values

    stats = ps.stats()
    if arguments.json:
        fields = {"expression": arguments.expression, "output": target, "dtype": str(result.dtype)}
        counts = {"bytes_read": stats["bytes_read"] + stats["bytes_mapped"], "bytes_written": stats["bytes_written"]}
        shape = {"shape": list(result.shape), "nbytes": result.nbytes}
        values.write_json({**fields, **shape, "seconds": seconds, **counts})
    elif not arguments.quiet:
        name = "standard output" if target == operands.STREAM else target
        text = status.printable(f"{name}: {values.describe(result)}, in {seconds:.2f} s")
        sys.stderr.write(f"penstock: {text}\n")
