# SPDX-License-Identifier: Apache-2.0
"""The data files of the benchmarks: made on demand in benchmarks/data, kept for the next run, removed by --clean."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import kernels

FOLDER = Path(__file__).resolve().parent / "data"
CHUNK = 1 << 22  # elements
COLUMNS = 1 << 18
MARGIN = 1 << 30
OUTPUT = "output.npy"


class NoRoomError(Exception):
    """The disk has no room for the data."""


@dataclass(frozen=True)
class File:
    """A .npy file of float32 in one dimension, and what is known about it without the engine."""

    path: Path
    count: int
    total: float
    column_total: float

    @property
    def bytes(self) -> int:
        return self.count * 4


def need_room(folder: Path, bytes_wanted: int) -> None:
    """Raises NoRoomError unless `bytes_wanted` and a margin are free."""
    folder.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(folder).free
    if free < bytes_wanted + MARGIN:
        raise NoRoomError(
            f"{folder} needs {(bytes_wanted + MARGIN) / 2**30:.1f} GiB, {free / 2**30:.1f} GiB are free; "
            "free some space, choose another --data folder, or a smaller --scale"
        )


def block(number: int) -> Any:
    """The elements of one chunk: the same values in another order, so that no chunk repeats another's sums."""
    shift = number * 4099 % CHUNK
    base = _base()
    return np.concatenate([base[shift:], base[:shift]]) if shift else base


_kept: list[Any] = []


def _base() -> Any:
    if not _kept:
        _kept.append(kernels.values(CHUNK))
    return _kept[0]


def file(folder: Path, count: int) -> File:
    """The file of `count` elements, a multiple of CHUNK; made when it is not there. Its sums are kept beside it."""
    if count % CHUNK != 0:
        raise ValueError(f"{count} elements are no multiple of {CHUNK}")
    path = folder / f"float32-{count}.npy"
    note = path.with_suffix(".json")
    if path.is_file() and note.is_file():
        facts = json.loads(note.read_text(encoding="utf-8"))
        return File(path, count, facts["total"], facts["column_total"])
    need_room(folder, count * 4)
    facts = _write(path, count)
    note.write_text(json.dumps(facts), encoding="utf-8")
    return File(path, count, facts["total"], facts["column_total"])


def _write(path: Path, count: int) -> dict[str, float]:
    partial = path.with_suffix(".writing")
    total = column_total = 0.0
    try:
        with partial.open("wb") as out:
            header = {"descr": "<f4", "fortran_order": False, "shape": (count,)}
            np.lib.format.write_array_header_1_0(out, header)
            for number in range(count // CHUNK):
                part = block(number)
                total += float(part.sum(dtype=np.float64))
                column_total += float(part[::COLUMNS].sum(dtype=np.float64))
                out.write(part.data)
            out.flush()
            os.fsync(out.fileno())
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
    return {"total": total, "column_total": column_total}


def clean(folder: Path) -> int:
    """Removes the data, and the folder if nothing else is in it; the bytes that came free."""
    if not folder.is_dir():
        return 0
    made = [*folder.glob("float32-*"), *folder.glob(OUTPUT), *folder.glob(f".{OUTPUT}.penstock-*.partial")]
    freed = sum(each.stat().st_size for each in made)
    for each in made:
        each.unlink()
    with contextlib.suppress(OSError):
        folder.rmdir()
    return freed
