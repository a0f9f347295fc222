# SPDX-License-Identifier: Apache-2.0
"""A process whose memory is watched: memory_child.py WORKLOAD FILE BUDGET THREADS OUTPUT

Imports, evaluates something small, prints "ready", waits for a line, runs the workload, prints its findings as JSON.
"""

from __future__ import annotations

import importlib
import json
import sys
from typing import Any

import numpy as np

from data import COLUMNS

# Each workload and the short name of its row.
WORKLOADS = {"sum": "sum", "mean(axis=0)": "mean-axis-0", "to a file": "to-file", "several reductions": "several"}


def run(ps: Any, workload: str, path: str, output: str) -> dict[str, float]:
    x = ps.open(path)
    if workload == "sum":
        return {"sum": float(ps.sum(x))}
    if workload == "mean(axis=0)":
        means = np.asarray(ps.mean(ps.reshape(x, (-1, COLUMNS)), axis=0))
        return {"first": float(means[0]), "mean": float(means.mean(dtype=np.float64)), "size": means.size}
    if workload == "to a file":
        ps.save(ps.sqrt(x) * 2 + 1, output)
        return {}
    wanted = {name: getattr(ps, name)(x) for name in ("sum", "mean", "std", "min", "max")}
    ps.evaluate(*wanted.values())
    return {name: float(each) for name, each in wanted.items()}


def main() -> None:
    workload, path, budget, threads, output = sys.argv[1:6]
    ps: Any = importlib.import_module("penstock")
    ps.threads(int(threads))
    ps.memory_budget(int(budget))
    float(ps.mean(ps.asarray(np.ones(1 << 20, np.float32))))
    print("ready", flush=True)
    sys.stdin.readline()
    print(json.dumps(run(ps, workload, path, output)), flush=True)


if __name__ == "__main__":
    main()
