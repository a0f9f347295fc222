# SPDX-License-Identifier: Apache-2.0
"""A side in another Python environment: worker.py PEER THREADS reads a JSON object a line and answers each with one.

{"do": "versions"}                                   -> {"python": "3.11.7", "torch": "2.15.0", ...}
{"do": "prepare", "calculation": "chain", "n": 1000}  -> the digest of the result, and the bytes that the call needed
{"do": "time", "calls": 3}                           -> {"seconds": mean of one call}
{"do": "forget"}                                     -> {}
Between requests it waits in a read and takes no time from the others.
"""

from __future__ import annotations

import gc
import importlib.metadata
import json
import os
import platform
import sys
import types
from pathlib import Path
from typing import Any

# The environment of a peer has no Penstock installed; the timing is that of the source tree. The package itself is an
# empty one of that name: torch.compile looks at every module, and the real one would look for its extension then.
sys.modules["penstock"] = package = types.ModuleType("penstock")
package.__path__ = [str(Path(__file__).resolve().parent.parent / "python" / "penstock")]


def limit_threads(threads: int) -> None:
    """For libraries that ask the system how many threads to have: as many CPUs. Before they are imported."""
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"):
        os.environ[name] = str(threads)
    cpus = sorted(os.sched_getaffinity(0))
    if threads < len(cpus):
        os.sched_setaffinity(0, cpus[:threads])


class Server:
    """Holds one calculation and its operands at a time."""

    def __init__(self, peer: str, threads: int) -> None:
        limit_threads(threads)
        import peers

        self._as_numpy = peers.as_numpy
        self._peer = peers.PEERS[peer]
        self._threads = threads
        self._side: Any = None

    def versions(self) -> dict[str, Any]:
        package = self._peer.package
        return {"python": platform.python_version(), package: importlib.metadata.version(package)}

    def prepare(self, calculation: str, n: int) -> dict[str, Any]:
        import kernels
        from calculations import CALCULATIONS
        from timing import peak_of, side

        self.forget()
        made = CALCULATIONS[calculation]
        operands = made.arrays(n)
        call = self._peer.prepare(made, operands, self._threads)
        found = kernels.digest(self._as_numpy(call()))
        gc.collect()
        peak = peak_of(call)
        self._side = side(call, n)
        return found | {"peak": peak}

    def time(self, calls: int) -> dict[str, Any]:
        if self._side is None:
            raise ValueError("nothing prepared")
        self._side.calls = calls
        return {"seconds": self._side()}

    def forget(self) -> dict[str, Any]:
        self._side = None
        gc.collect()
        return {}


def main() -> None:
    peer, threads = sys.argv[1], int(sys.argv[2])
    gc.disable()
    server = Server(peer, threads)
    answers = sys.stdout
    sys.stdout = sys.stderr  # what libraries print is no answer
    for line in sys.stdin:
        request = json.loads(line)
        try:
            answer = getattr(server, request.pop("do"))(**request)
        except Exception as error:
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main()
