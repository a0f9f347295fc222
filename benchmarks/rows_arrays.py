# SPDX-License-Identifier: Apache-2.0
"""Rows of the array API beyond arithmetic: sorting and counting, and the product of matrices that lie in files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

import data
import disk
import kernels
from bench import Bar, Bench, MiB, Outcome, Refused, Row, ratios
from penstock.lab.sides import Side, Timed
from rows_calculations import row

SIDE = 12_288
BUDGET = 256 * MiB

SORTING = [
    row(
        f"{name}-1e7",
        "Sorting and counting",
        f"`{text}`, 1e7 elements",
        name,
        1e7,
        Bar("numpy", 1.5),
    )
    for name, text in (
        ("sort", "sort(a)"),
        ("cumulative_sum", "cumulative_sum(a)"),
        ("median", "median(a)"),
        ("histogram", "histogram(a, 128, range=(0, 1))"),
        ("unique_values", "unique_values(a)"),
    )
]


def check_product(path: Path, in_memory: Any) -> None:
    """Looks at 64 rows of the product in the file."""
    found = np.load(path, mmap_mode="r")
    for number in np.linspace(0, len(found) - 1, 64).astype(np.int64):
        if not np.allclose(found[number], in_memory[number], rtol=0, atol=1e-4 * np.abs(in_memory[number]).max()):
            raise Refused(f"{path.name} differs from NumPy's product in row {number}")


def matrix_file(folder: Path, side: int, seed: int) -> tuple[Path, Any]:
    """A square matrix of values in [-0.5, 0.5), in a file and in memory."""
    path, matrix = folder / f"float32-{side}x{side}-{seed}.npy", kernels.values(side * side, seed).reshape(side, side)
    matrix -= np.float32(0.5)
    np.save(path, matrix)
    return path, matrix


def matmul_files(bench: Bench, row: Row) -> Outcome:
    """The product of two files into a third within a small budget, against NumPy's BLAS with all three in memory."""
    ps, side = bench.ps, max(1024, round(SIDE * bench.scale ** (1 / 3)) // 1024 * 1024)
    data.need_room(bench.folder, 3 * side * side * 4)
    (a_path, a), (b_path, b) = (matrix_file(bench.folder, side, seed) for seed in range(2))
    product, path = np.empty_like(a), bench.folder / data.OUTPUT

    def warm() -> None:
        disk.warm(a_path)
        disk.warm(b_path)

    def ours() -> None:
        ps.save(ps.matmul(ps.open(str(a_path)), ps.open(str(b_path))), str(path))

    standing = ps.memory_budget()
    ps.trim()
    ps.memory_budget(BUDGET)
    try:
        ours()
        check_product(path, np.matmul(a, b, out=product))
        sides: dict[str, Side] = {
            "penstock": Timed(ours, before=warm),
            "numpy": Timed(lambda: np.matmul(a, b, out=product)),
        }
        outcome = ratios(bench, row, sides, {"numpy in memory": ("penstock", ("numpy",))}, least=0.0, warm_up=0)
    finally:
        ps.memory_budget(standing)
        for made in (path, a_path, b_path):
            disk.remove(made)
    outcome.setup = (
        f"{side}x{side} float32, files in the page cache, budget {BUDGET >> 20} MiB, {bench.threads} threads"
    )
    outcome.checked = "64 rows of the product"
    return outcome


FILES = Row(
    "matmul-files",
    "Files",
    f"`matmul(a, b)` of files into a file, {SIDE}x{SIDE}",
    matmul_files,
    (Bar("numpy in memory", 1.15, at_most=True, kind="time"),),
    5,
)
ROWS = [*SORTING, FILES]
