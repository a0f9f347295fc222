#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks that every C++ header compiles alone and without a warning, and is guarded against being included twice.

A header's flags are those of a source of its folder in BUILD/compile_commands.json, so that no list of warnings is kept
here. Only read, not compiled: seconds, where a build takes minutes. Files *-inl.h have no meaning alone, and come with
the sources that include them. Standard library only.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def flags_of_folders(commands: list[dict[str, str]], root: Path) -> dict[Path, list[str]]:
    """Folder under root -> the compiler and its flags, without input, output and launcher; tests count last."""
    found: dict[Path, list[str]] = {}
    for entry in sorted(commands, key=lambda entry: entry["file"].endswith("_test.cc")):
        path = Path(entry["file"])
        if not path.is_relative_to(root):
            continue
        words = shlex.split(entry["command"])
        if Path(words[0]).name == "ccache":
            words = words[1:]
        for option in ("-o", "-c"):
            at = words.index(option)
            del words[at : at + 2]
        found.setdefault(path.parent.relative_to(root), words)
    return found


def fault(header: Path, flags: list[str], root: Path) -> str:
    """What the compiler says of a source that includes the header twice and nothing else; "" when all is well."""
    source = f'#include "{header}"\n' * 2
    command = [*flags, "-Werror", "-fsyntax-only", "-x", "c++", "-"]
    done = subprocess.run(command, cwd=root, input=source, capture_output=True, text=True, check=False)
    return "" if done.returncode == 0 else f"{header}: does not compile alone; include what it uses\n{done.stderr}"


def check(root: Path, build: Path) -> tuple[int, list[str]]:
    """How many headers there are, and the faults."""
    flags = flags_of_folders(json.loads((build / "compile_commands.json").read_text()), root)
    usual = next(iter(flags.values()))
    headers = [path.relative_to(root) for path in sorted((root / "penstock").rglob("*.h")) if "-inl" not in path.name]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        faults = pool.map(lambda header: fault(header, flags.get(header.parent, usual), root), headers)
    return len(headers), [each for each in faults if each]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("build", type=Path, nargs="?", default=ROOT / "build/dev", help="a configured build folder")
    count, faults = check(ROOT, parser.parse_args().build)
    for each in faults:
        print(each, file=sys.stderr)
    print(f"headers: {count - len(faults)} of {count} compile alone")
    return 1 if faults or not count else 0


if __name__ == "__main__":
    sys.exit(main())
