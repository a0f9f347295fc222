# SPDX-License-Identifier: Apache-2.0
"""The demo's calculation, with Penstock and with NumPy: demo_sides.py SIDE PICTURES RESULT.npz BUDGET

Luminance is that of BT.601, in float32. Writes the results to RESULT.npz and {seconds, before, passes} as JSON to
standard output; ``before`` is the anonymous memory before the calculation starts.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

RED, GREEN, BLUE = 0.299, 0.587, 0.114
BLOCK = 64


def with_penstock(pictures: str, budget: int) -> tuple[dict[str, Any], int]:
    """Says what is wanted; one call evaluates everything together."""
    import penstock as ps

    ps.memory_budget(budget)
    crops = ps.open(pictures)
    colours = ps.astype(crops, ps.float32)
    luminance = colours[..., 0] * RED + colours[..., 1] * GREEN + colours[..., 2] * BLUE
    counts, _ = ps.histogram(luminance, bins=256, range=(0, 256))
    results = {
        "mean_picture": ps.mean(crops, axis=0),
        "channel_mean": ps.mean(crops, axis=(0, 1, 2)),
        "channel_std": ps.std(crops, axis=(0, 1, 2)),
        "luminance_mean": ps.mean(luminance, axis=(1, 2)),
        "luminance_contrast": ps.std(luminance, axis=(1, 2)),
        "luminance_histogram": counts,
    }
    passes = sum(not each["finishing"] for each in ps.plan(*results.values()).to_dict()["passes"])
    ps.evaluate(*results.values())
    return {name: np.asarray(each) for name, each in results.items()}, passes


def with_numpy(pictures: str) -> tuple[dict[str, Any], int]:
    """Block by block over a memory map, in the cheapest exact types, each block read once."""
    crops = np.load(pictures, mmap_mode="r")
    total = np.zeros(crops.shape[1:], np.uint64)
    squares = np.zeros(crops.shape[1:], np.uint64)
    counts = np.zeros(256, np.int64)
    means, contrasts = [], []
    for start in range(0, len(crops), BLOCK):
        block = np.asarray(crops[start : start + BLOCK])
        total += block.sum(axis=0, dtype=np.uint32)
        squares += np.square(block, dtype=np.uint16).sum(axis=0, dtype=np.uint32)
        luminance = block[..., 0] * np.float32(RED)
        luminance += block[..., 1] * np.float32(GREEN)
        luminance += block[..., 2] * np.float32(BLUE)
        means.append(luminance.mean(axis=(1, 2)))
        contrasts.append(luminance.std(axis=(1, 2)))
        counts += np.bincount(luminance.astype(np.uint8).ravel(), minlength=256)
    number = len(crops) * crops.shape[1] * crops.shape[2]
    mean = total.sum(axis=(0, 1)) / number
    return {
        "mean_picture": total / len(crops),
        "channel_mean": mean,
        "channel_std": np.sqrt(squares.sum(axis=(0, 1)) / number - mean * mean),
        "luminance_mean": np.concatenate(means),
        "luminance_contrast": np.concatenate(contrasts),
        "luminance_histogram": counts,
    }, 1


def check(pictures: str) -> None:
    """The calculation is for colour pictures."""
    crops = np.load(pictures, mmap_mode="r")
    if crops.ndim != 4 or crops.shape[3] != 3 or crops.dtype != np.uint8 or crops.size == 0:
        sys.exit(f"demo: {pictures} holds {crops.dtype} {crops.shape}; pictures are uint8 (N, height, width, 3)")


def anonymous_memory() -> int:
    """RssAnon of this process, in bytes."""
    rows = Path("/proc/self/status").read_text(encoding="ascii", errors="replace").splitlines()
    return next((int(row.split()[1]) << 10 for row in rows if row.startswith("RssAnon:")), 0)


def warm_up() -> None:
    """Threads and kernels are there before the clock starts."""
    import penstock as ps

    float(ps.mean(ps.asarray(np.ones(1 << 20, np.float32))))


def main() -> None:
    side, pictures, result, budget = sys.argv[1:5]
    check(pictures)
    if side == "penstock":
        warm_up()
    before = anonymous_memory()
    started = time.perf_counter()
    try:
        results, passes = with_penstock(pictures, int(budget)) if side == "penstock" else with_numpy(pictures)
    except (OSError, ValueError, MemoryError) as error:
        sys.exit(f"demo: {error}")
    seconds = time.perf_counter() - started
    np.savez(result, **results)
    print(json.dumps({"seconds": seconds, "before": before, "passes": passes}))


if __name__ == "__main__":
    main()
