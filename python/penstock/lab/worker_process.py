# SPDX-License-Identifier: Apache-2.0
"""The process behind a `Worker`: reads a JSON object a line and answers each with one.

{"do": "load", "target": "sim:run", "arguments": {"seed": 1}}  -> {}
{"do": "time", "calls": 3}       -> {"seconds": mean of one call}
{"do": "digest"}                 -> {"sha256": of what one call returns}
{"do": "save", "path": "a.npz"}  -> {"names": of the arrays that one call returns}
{"do": "resources"}              -> seconds of CPU, peak memory in bytes, page faults, blocks read and written so far
An answer may be {"error": "raised ..."} instead. What the function prints goes nowhere.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import resource
import traceback
from collections.abc import Callable
from functools import partial
from typing import Any

from penstock.lab.sides import Timed


class Wrong(Exception):
    """Something about the target, in words that follow its name."""


def found(target: str) -> Callable[..., object]:
    """The function of MODULE:FUNCTION. Raises Wrong with the reason when there is none."""
    module_name, _, name = target.partition(":")
    try:
        module = importlib.import_module(module_name)
    except BaseException as error:
        raise Wrong(f"cannot be imported from {os.getcwd()}: {told(error)}") from None
    function = getattr(module, name, None)
    if function is None:
        import difflib

        close = difflib.get_close_matches(name, dir(module), n=1)
        hint = f"; did you mean '{module_name}:{close[0]}'?" if close else ""
        raise Wrong(f"does not exist: {module.__file__} has no '{name}'{hint}")
    if not callable(function):
        raise Wrong(f"is of type {type(function).__name__} and cannot be called")
    return function  # type: ignore[no-any-return]


def told(error: BaseException) -> str:
    """An exception, and the line of whose code raised it."""
    frames = [each for each in traceback.extract_tb(error.__traceback__) if "importlib" not in each.filename]
    where = f" ({frames[-1].filename}:{frames[-1].lineno})" if frames and frames[-1].filename != __file__ else ""
    return f"{type(error).__name__}: {error}{where}"


class Server:
    """Holds one function with its arguments; each method is a request."""

    def __init__(self) -> None:
        self._call: Callable[[], object] = lambda: None

    def load(self, target: str, arguments: dict[str, Any]) -> dict[str, Any]:
        self._call = partial(found(target), **arguments)
        # What is there by now stays: collecting between samples looks at the new objects only.
        gc.collect()
        gc.freeze()
        return {}

    def time(self, calls: int) -> dict[str, Any]:
        side = Timed(self._call)
        side.calls = calls
        gc.collect()
        gc.disable()
        try:
            return {"seconds": self._raising(side)}
        finally:
            gc.enable()

    def digest(self) -> dict[str, Any]:
        from penstock.lab import outputs

        return {"sha256": self._raising(lambda: outputs.digest(self._call()))}

    def save(self, path: str) -> dict[str, Any]:
        from penstock.lab import outputs

        return {"names": self._raising(lambda: outputs.save(self._call(), path))}

    def resources(self) -> dict[str, Any]:
        used = resource.getrusage(resource.RUSAGE_SELF)
        return {
            "cpu_seconds": used.ru_utime + used.ru_stime,
            "peak_memory": used.ru_maxrss << 10,
            "minor_faults": used.ru_minflt,
            "major_faults": used.ru_majflt,
            "blocks_read": used.ru_inblock,
            "blocks_written": used.ru_oublock,
        }

    @staticmethod
    def _raising(call: Callable[[], Any]) -> Any:
        try:
            return call()
        except Exception as error:
            raise Wrong(f"raised {told(error)}") from None


def main() -> None:
    requests, answers = os.fdopen(os.dup(0), "r"), os.fdopen(os.dup(1), "w")
    with open(os.devnull, "r+b") as nothing:
        os.dup2(nothing.fileno(), 0)
        os.dup2(nothing.fileno(), 1)
    server = Server()
    for line in requests:
        request = json.loads(line)
        try:
            answer = getattr(server, request.pop("do"))(**request)
        except Wrong as error:
            answer = {"error": str(error)}
        except Exception as error:
            answer = {"error": f"could not be asked: {told(error)}"}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
