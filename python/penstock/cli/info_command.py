# SPDX-License-Identifier: Apache-2.0
"""``penstock info``: what an array file holds; with ``--stats`` its least, greatest and mean value in one pass."""

from __future__ import annotations

import argparse
import os
import sys
from typing import Any

from penstock.cli import operands, parser, status
from penstock.progress import bar, size_text


def add_arguments(to: argparse.ArgumentParser) -> None:
    to.add_argument("file", metavar="FILE", help="a .npy file, or raw data as FILE:DTYPE:SHAPE; - is a pipe")
    to.add_argument("--stats", action="store_true", help="also min, max, mean and std, in one pass over the data")
    parser.add_engine_options(to)
    parser.add_json_option(to)
    to.add_argument("-q", "--quiet", action="store_true", help="no progress")


def run(arguments: argparse.Namespace) -> int:
    file = operands.file_array(arguments.file)
    ps = operands.engine(arguments)
    located = file.located()
    array = located.open()
    fields = {**describe(located, array), "path": file.path}
    if arguments.stats:
        with bar(not arguments.quiet):
            fields["stats"] = stats(ps, array)
    if arguments.json:
        from penstock.cli.values import write_json

        write_json(fields)
    else:
        sys.stdout.write(_as_text(fields))
    return status.OK


def describe(file: operands.FileArray, array: Any) -> dict[str, Any]:
    """Everything but the data."""
    layout = raw_layout(file) if file.dtype is not None else npy_layout(file.path)
    held = os.stat(file.path).st_size
    # The engine reads float16 as float32; what is told here is what the file holds.
    half = layout.pop("half") or file.dtype == "float16"
    nbytes = 2 * array.size if half else array.nbytes
    return {
        "path": file.path,
        **layout,
        "dtype": "float16" if half else str(array.dtype),
        "shape": list(array.shape),
        "size": array.size,
        "nbytes": nbytes,
        "file_bytes": held,
        "trailing_bytes": max(0, held - layout["data_offset"] - nbytes),
    }


def raw_layout(file: operands.FileArray) -> dict[str, Any]:
    """The layout of raw data: as it was said to be."""
    return {"format": "raw", "order": "C", "byte_order": sys.byteorder, "data_offset": file.offset, "half": False}


def npy_layout(path: str) -> dict[str, Any]:
    """Version, order and byte order of a .npy file whose header the engine has accepted."""
    with open(path, "rb") as file:
        start = file.read(12)
        two = start[6] == 1
        length = int.from_bytes(start[8 : 10 if two else 12], "little")
        offset = (10 if two else 12) + length
        file.seek(10 if two else 12)
        header = file.read(min(length, 1 << 16)).replace(b" ", b"").replace(b'"', b"'")
    return {
        "format": f"npy {start[6]}.{start[7]}",
        "order": "Fortran" if b"'fortran_order':True" in header else "C",
        "byte_order": "big" if b"'descr':'>" in header else "little",
        "data_offset": offset,
        "half": b"f2'" in header,
    }


def stats(ps: Any, array: Any) -> dict[str, Any]:
    """One pass: the values of all reductions are asked for together."""
    from penstock.cli.values import plain

    if array.size == 0:
        return {}
    wanted: dict[str, Any] = {}
    kind = str(array.dtype)
    if not kind.startswith("complex"):
        wanted |= {"min": ps.min(array), "max": ps.max(array)}
    numbers = ps.astype(array, ps.uint8) if kind == "bool" else array
    wanted |= {"mean": ps.mean(numbers)}
    if not kind.startswith("complex"):
        wanted |= {"std": ps.std(numbers)}
    if kind.startswith(("float", "complex")):
        wanted |= {"nan": ps.count_nonzero(ps.isnan(array))}
    ps.evaluate(*wanted.values())
    return {name: plain(value.tolist()) for name, value in wanted.items()}


def _as_text(fields: dict[str, Any]) -> str:
    shape = "(" + ", ".join(str(each) for each in fields["shape"]) + ("," if len(fields["shape"]) == 1 else "") + ")"
    rows = [
        ("file", status.printable(fields["path"])),
        ("format", f"{fields['format']}, {fields['order']} order, {fields['byte_order']}-endian"),
        ("dtype", fields["dtype"]),
        ("shape", f"{shape}, {fields['size']:,} elements"),
        ("size", f"{size_text(fields['nbytes'])} of data after {fields['data_offset']} bytes of header"),
    ]
    if fields["trailing_bytes"]:
        rows.append(("trailing", f"{fields['trailing_bytes']:,} bytes after the data that belong to no array"))
    rows += [(name, str(value)) for name, value in fields.get("stats", {}).items()]
    return "".join(f"{name:<9} {value}\n" for name, value in rows)
