#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks that every #include keeps the order of the floors and that each dependency has one door.

FLOORS names the floors, lowest first; a line names exactly the floors that its floor may include. Standard
library only, so that the check runs before anything is installed.
"""

from __future__ import annotations

import argparse
import fnmatch
import re
import sys
from pathlib import Path

INCLUDE = re.compile(r'^\s*#\s*include\s*[<"]([^>"]+)[>"]')
SUFFIXES = {".h", ".cc", ".def"}

# Dependency: (pattern of its headers, patterns of the files that may include them).
DOORS: dict[str, tuple[str, tuple[str, ...]]] = {
    "Highway": (r"^hwy/", ("penstock/simd/*", "penstock/kernel/*-inl.h", "penstock/kernel/*.cc")),
    "SLEEF": (r"^sleef", ("penstock/simd/*", "penstock/kernel/*-inl.h", "penstock/kernel/*.cc")),
    "Xbyak": (r"^xbyak/", ("penstock/kernel/generate_x86*",)),
    "NVTX": (r"^nvtx3/", ("penstock/measure/nvtx.cc",)),
    "nanobind": (r"^nanobind/", ("python/bind/*",)),
}
ROOTS = ("penstock", "python/bind", "fuzz", "benchmarks", "examples")


def read_floors(text: str) -> dict[str, set[str]]:
    """Floor -> the floors it may include. Raises ValueError for a floor that names one not yet listed."""
    floors: dict[str, set[str]] = {}
    for number, line in enumerate(text.splitlines(), 1):
        line = line.split("#", 1)[0].strip()
        if not line:
            continue
        name, colon, rest = line.partition(":")
        if not colon or not re.fullmatch(r"[a-z]+", name):
            raise ValueError(f"FLOORS:{number}: expected 'floor: floors it may include', got {line!r}")
        if name in floors:
            raise ValueError(f"FLOORS:{number}: floor {name!r} is listed twice; keep one line")
        sees = set(rest.split())
        if unknown := sorted(sees - floors.keys()):
            raise ValueError(
                f"FLOORS:{number}: {name!r} names {', '.join(unknown)}, not listed above it; "
                "a floor sees only lower floors, so move the line or drop the name"
            )
        floors[name] = sees
    return floors


def includes(path: Path) -> list[tuple[int, str]]:
    """(line number, header) of each #include of a file."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return [(n, match[1]) for n, line in enumerate(lines, 1) if (match := INCLUDE.match(line))]


def door_fault(header: str, name: str) -> str | None:
    """What is wrong with a file including a dependency's header, if anything."""
    for dependency, (pattern, may) in DOORS.items():
        if re.match(pattern, header) and not any(fnmatch.fnmatch(name, each) for each in may):
            return f"<{header}> is {dependency}, which only {', '.join(may)} may include"
    return None


def floor_fault(header: str, parts: tuple[str, ...], floors: dict[str, set[str]]) -> str | None:
    """What is wrong with penstock/<floor>/... including a Penstock header, if anything."""
    target = header.split("/")
    if target[0] != "penstock" or parts[0] != "penstock" or len(parts) < 3 or len(target) < 3:
        return None
    here, there = parts[1], target[1]
    if there not in floors:
        return f'"{header}": {there!r} is no floor; the floors are {", ".join(floors)}'
    if there != here and there not in floors[here]:
        sees = ", ".join(sorted(floors[here])) or "nothing"
        return f'"{header}": floor {here!r} may not include {there!r}; FLOORS lets it see {sees}'
    return None


def check(root: Path) -> list[str]:
    """Every fault under `root`, as 'path:line: what'."""
    floors = read_floors((root / "FLOORS").read_text(encoding="utf-8"))
    faults: list[str] = []
    for folder in sorted(path.name for path in (root / "penstock").iterdir() if path.is_dir()):
        if folder not in floors:
            faults.append(f"penstock/{folder}: not in FLOORS; add a line for it")
    for base in ROOTS:
        for path in sorted((root / base).rglob("*")):
            if path.suffix not in SUFFIXES or not path.is_file():
                continue
            relative = path.relative_to(root)
            if relative.parts[0] == "penstock" and len(relative.parts) > 2 and relative.parts[1] not in floors:
                continue
            for number, header in includes(path):
                for fault in (door_fault(header, relative.as_posix()), floor_fault(header, relative.parts, floors)):
                    if fault:
                        faults.append(f"{relative.as_posix()}:{number}: {fault}")
    return faults


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("root", nargs="?", type=Path, default=Path(__file__).resolve().parent.parent)
    root: Path = parser.parse_args().root
    try:
        faults = check(root)
    except ValueError as error:
        faults = [str(error)]
    for fault in faults:
        print(fault)
    print(f"floors: {len(faults)} faults" if faults else "floors: in order")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
