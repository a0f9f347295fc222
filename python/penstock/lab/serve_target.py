# SPDX-License-Identifier: Apache-2.0
"""A Python function in a process of its own: ``python -m penstock.lab.serve_target``.

{"do": "load", "target": "sim:run", "arguments": {"seed": 1}}  -> {}
{"do": "time", "calls": 3}  -> {"seconds": mean of one call}
{"do": "digest"}            -> {"sha256": of what one call returns}
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from penstock.lab.serve import serve, settled, timed
from penstock.lab.target import found


class Server:
    """Holds one function with its arguments."""

    def __init__(self) -> None:
        self._call: Callable[[], object] = lambda: None

    def load(self, target: str, arguments: dict[str, Any]) -> dict[str, Any]:
        self._call = partial(found(target), **arguments)
        settled()
        return {}

    def time(self, calls: int) -> dict[str, Any]:
        return timed(self._call, calls)

    def digest(self) -> dict[str, Any]:
        from penstock.lab import outputs

        return {"sha256": outputs.digest(self._call())}


if __name__ == "__main__":
    serve(Server())
