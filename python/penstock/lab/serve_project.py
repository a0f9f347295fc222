# SPDX-License-Identifier: Apache-2.0
"""One side of a project in a process of its own: ``python -m penstock.lab.serve_project``.

{"do": "describe", "folders": [...], "target": "sim:run"}       -> the target's parameters
{"do": "load", "folders": [...], "module": "implementation"}    -> {"set_up": whether it has one}
{"do": "outputs", "arguments": {...}, "seed": 42, "file": F}    -> names, shapes, NaNs, invariants; arrays go to F
{"do": "prepare", "arguments": {...}, "seeds": [42, 43]}        -> seconds of set-up off the clock
{"do": "time", "seed": 43, "calls": 3}                          -> mean seconds of one call; no seed: the first prepared
{"do": "usage", "arguments": {...}, "seed": 42}                 -> wall, CPU, memory, page faults, I/O of one call
{"do": "code"}                                                  -> what has been loaded so far

Inputs always come from the baseline, so that both sides work on the same; what an implementation does to them before
the clock starts is its `set_up`, whose seconds are told.
"""

from __future__ import annotations

import importlib
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from penstock.lab import code_hash
from penstock.lab.arrays import Outputs, apart, named, shapes
from penstock.lab.serve import serve, settled, timed
from penstock.lab.sides import calls_for
from penstock.lab.target import Wrong, found
from penstock.lab.usage import Usage

# Seconds of runs that CPU time is counted over: a short one lies below the clock's steps.
LEAST_SEEN = 0.1


class Server:
    """Holds the side's module and the inputs that it is timed on."""

    def __init__(self) -> None:
        self._baseline: Any = None
        self._side: Any = None
        self._inputs: dict[int, Any] = {}

    def describe(self, folders: Sequence[str], target: str) -> dict[str, Any]:
        """The parameters of a target."""
        import inspect

        _look_in(folders)
        function = found(target)
        try:
            parameters = inspect.signature(function).parameters.values()
        except ValueError:  # a function of an extension may not tell
            return {"parameters": [], "required": []}
        free = [each for each in parameters if each.kind not in (each.VAR_POSITIONAL, each.VAR_KEYWORD)]
        required = [each.name for each in free if each.default is each.empty]
        return {"parameters": [each.name for each in free], "required": required}

    def load(self, folders: Sequence[str], module: str) -> dict[str, Any]:
        """Imports the baseline and, where it is another, the side's own module."""
        _look_in(folders)
        self._baseline = importlib.import_module("baseline")
        self._side = importlib.import_module(module)
        settled()
        for owner, name in ((self._baseline, "inputs"), (self._side, "run")):
            if not callable(getattr(owner, name, None)):
                raise Wrong(f"cannot be run: {owner.__file__} has no function '{name}'")
        return {"set_up": hasattr(self._side, "set_up")}

    def outputs(
        self, arguments: dict[str, Any], seed: int, file: str, invariants: Sequence[str] = ()
    ) -> dict[str, Any]:
        """The outputs of a run on fresh inputs, written to `file`, and how far a second run on them is from it."""
        given = self._baseline.inputs(arguments, seed)
        taken = self._set_up(given)
        first = {name: each.copy() for name, each in self._run(taken).items()}
        np.savez(file, **first)  # type: ignore[arg-type]  # every keyword is an array
        again = _gaps(first, self._run(taken))
        fresh = self._baseline.inputs(arguments, seed) if invariants else None
        values = {name: float(getattr(self._baseline, name)(fresh, first)) for name in invariants}
        return {"outputs": shapes(first), "again": again, "invariants": values}

    def prepare(self, arguments: dict[str, Any], seeds: Sequence[int]) -> dict[str, Any]:
        """Makes the inputs of each seed, and runs each once: what a run loads late is loaded then."""
        self._inputs = {}
        seconds = 0.0
        for seed in seeds:
            given = self._baseline.inputs(arguments, seed)
            started = time.perf_counter()
            self._inputs[seed] = self._set_up(given)
            seconds += time.perf_counter() - started
            self._run(self._inputs[seed])
        return {"set_up_seconds": seconds / len(seeds)}

    def time(self, calls: int, seed: int | None = None) -> dict[str, Any]:
        taken = self._inputs[next(iter(self._inputs)) if seed is None else seed]
        return timed(lambda: self._run(taken), calls)

    def usage(self, arguments: dict[str, Any], seed: int) -> dict[str, Any]:
        """Of one run; CPU time over as many as the clock needs to see them."""
        taken = self._set_up(self._baseline.inputs(arguments, seed))
        self._run(taken)
        with Usage() as used:
            kept = self._run(taken)
        del kept
        facts = used.facts()
        if (calls := calls_for(LEAST_SEEN, facts["wall_seconds"])) > 1:
            with Usage() as many:
                for _ in range(calls):
                    self._run(taken)
            over = many.facts()
            facts |= {"cpus_used": over["cpus_used"]}
            facts |= {name: over[name] / calls for name in ("wall_seconds", "cpu_seconds")}
        return facts

    def code(self) -> dict[str, Any]:
        return code_hash.loaded()

    def _set_up(self, given: Any) -> Any:
        prepared: Callable[[Any], Any] | None = getattr(self._side, "set_up", None)
        return given if prepared is None else prepared(given)

    def _run(self, taken: Any) -> Outputs:
        """Outputs are NumPy arrays before the clock stops: a lazy result is computed on the clock."""
        return named(self._side.run(taken))


def _look_in(folders: Sequence[str]) -> None:
    sys.path[:0] = [each for each in folders if each not in sys.path]


def _gaps(first: Outputs, second: Outputs) -> dict[str, Any]:
    """The outputs that differ between two runs, and by how much; None for other shapes or names."""
    gaps: dict[str, Any] = {}
    for name in {**first, **second}:
        if name not in first or name not in second or first[name].shape != second[name].shape:
            gaps[name] = None
        elif (gap := apart(first[name], second[name])).differing:
            gaps[name] = {"absolute": gap.absolute, "relative": gap.relative, "text": gap.text()}
    return gaps


if __name__ == "__main__":
    serve(Server())
