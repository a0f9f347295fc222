# SPDX-License-Identifier: Apache-2.0
"""A side in another Python environment: worker.py reads a JSON object a line and answers each with one.

{"do": "versions"}                                   -> {"numpy": "1.24.4", ...}
{"do": "prepare", "calculation": "chain", "n": 1000}  -> {"sha256": ...} or {"value": ...}
{"do": "time", "calls": 3}                           -> {"seconds": mean of one call}
Between requests it waits in a read and takes no time from the others.
"""

from __future__ import annotations

import gc
import json
import platform
import sys
from pathlib import Path
from typing import Any

import numpy as np

import kernels

# The environment of a peer has no Penstock installed; the timing is that of the source tree.
sys.path.append(str(Path(__file__).resolve().parent.parent / "python"))

from penstock.lab.sides import Timed


class Server:
    """Holds the operands of one calculation at a time."""

    def __init__(self) -> None:
        self._side: Timed | None = None

    def versions(self) -> dict[str, Any]:
        return {"python": platform.python_version(), "numpy": np.__version__}

    def prepare(self, calculation: str, n: int) -> dict[str, Any]:
        self._side = None
        function, _ = kernels.CALCULATIONS[calculation]
        operands = kernels.inputs(calculation, n)
        self._side = Timed(lambda: function(*operands))
        return kernels.digest(function(*operands))

    def time(self, calls: int) -> dict[str, Any]:
        if self._side is None:
            raise ValueError("nothing prepared")
        self._side.calls = calls
        return {"seconds": self._side()}


def main() -> None:
    gc.disable()
    server = Server()
    for line in sys.stdin:
        request = json.loads(line)
        try:
            answer = getattr(server, request.pop("do"))(**request)
        except Exception as error:
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
