# SPDX-License-Identifier: Apache-2.0
"""A process that answers requests: it reads a JSON object a line and answers each with one.

{"do": NAME, ...} calls the server's method of that name; an answer may be {"error": "..."} instead. Between requests
the process waits in a read and takes no time from the others. What its functions print goes nowhere.
"""

from __future__ import annotations

import gc
import json
import os
from collections.abc import Callable
from typing import Any

from penstock.lab.sides import Timed
from penstock.lab.target import Wrong, told


def serve(server: object) -> None:
    """Answers until the requests end."""
    requests, answers = os.fdopen(os.dup(0), "r", encoding="utf-8"), os.fdopen(os.dup(1), "w", encoding="utf-8")
    with open(os.devnull, "r+b") as nothing:
        os.dup2(nothing.fileno(), 0)
        os.dup2(nothing.fileno(), 1)
    for line in requests:
        request = json.loads(line)
        try:
            answer = getattr(server, request.pop("do"))(**request)
        except Wrong as error:
            answer = {"error": str(error)}
        except (Exception, SystemExit) as error:
            answer = {"error": f"raised {told(error)}"}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


def settled() -> None:
    """After the imports: what is there by now stays, so that collecting between samples looks at new objects only."""
    gc.collect()
    gc.freeze()


def timed(call: Callable[[], object], calls: int) -> dict[str, Any]:
    """Mean seconds of a call, the cycle collector off."""
    side = Timed(call)
    side.calls = calls
    gc.collect()
    gc.disable()
    try:
        return {"seconds": side()}
    finally:
        gc.enable()
