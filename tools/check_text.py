#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks the text of the tracked files: an SPDX line heads each source, nothing is left undone, lines fit.

Standard library only. Without arguments it reads what git tracks; with arguments it reads those files.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SPDX = "SPDX-License-Identifier: Apache-2.0"
HEADED_SUFFIXES = {".h", ".cc", ".def", ".py", ".pyi", ".sh", ".cmake", ".in"}
HEADED_NAMES = {"CMakeLists.txt", "Makefile", "run"}
# Split so that this file does not find itself.
UNDONE = re.compile(r"\b(" + "|".join(["TO" + "DO", "FIX" + "ME", "XX" + "X", "HA" + "CK"]) + r")\b")
MAX_COLUMNS = 120
MAX_LINES = 1000


def faults_of(name: str, text: str) -> list[str]:
    """What is wrong with one file's text, as 'name:line: what'."""
    path = Path(name)
    lines = text.splitlines()
    source = path.suffix in HEADED_SUFFIXES or path.name in HEADED_NAMES
    faults: list[str] = []
    if source and not any(SPDX in line for line in lines[:3]):
        faults.append(f"{name}:1: no '{SPDX}' in the first three lines; add it as a comment")
    if source and len(lines) > MAX_LINES:
        faults.append(f"{name}: {len(lines)} lines, at most {MAX_LINES}; split the file")
    for number, line in enumerate(lines, 1):
        if match := UNDONE.search(line):
            faults.append(f"{name}:{number}: {match[0]}: do it now or describe the limit in plain words")
        if source and len(line) > MAX_COLUMNS:
            faults.append(f"{name}:{number}: {len(line)} columns, at most {MAX_COLUMNS}")
        if line != line.rstrip():
            faults.append(f"{name}:{number}: white space at the end of the line")
    if text and not text.endswith("\n"):
        faults.append(f"{name}:{len(lines)}: no newline at the end of the file")
    return faults


def tracked() -> list[str]:
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    output = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return [name for name in output.split("\0") if name and (ROOT / name).is_file()]


def main() -> int:
    faults: list[str] = []
    for name in sys.argv[1:] or tracked():
        data = (ROOT / name).read_bytes()
        if b"\0" in data or Path(name).parts[:2] == ("fuzz", "corpus"):
            continue
        try:
            faults += faults_of(name, data.decode("utf-8"))
        except UnicodeDecodeError as error:
            faults.append(f"{name}: not UTF-8 at byte {error.start}")
    for fault in faults:
        print(fault)
    print(f"text: {len(faults)} faults" if faults else "text: in order")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
