# SPDX-License-Identifier: Apache-2.0
"""Instructions of one run, counted by callgrind: a second gate that no noise reaches, where valgrind is installed.

Two runs are counted, one with a call more than the other: what start-up takes drops out. Penstock's kernels run for
AVX2, the widest that valgrind knows. Counts hold for one build of everything, which `platform` names.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from penstock.lab.layout import Try
from penstock.lab.process import PROJECT, environment
from penstock.lab.project import Case

LIMIT = 600.0
_EVENTS = re.compile(r"^events: (.+)$", re.MULTILINE)
_TOTAL = re.compile(r"^(?:summary|totals): ([\d ]+)$", re.MULTILINE)
Request = dict[str, Any]


@dataclass(frozen=True)
class Counted:
    """Instructions of one call, or why they are not available."""

    value: int | None
    why: str = ""


def platform() -> str:
    """What a count holds for: Python, NumPy, Penstock's extension."""
    import platform as of_python

    import numpy as np

    from penstock.lab import machine

    python = f"{of_python.python_implementation()} {of_python.python_version()}"
    return f"{python}, NumPy {np.__version__}, {machine.compiler()}"


def count(tried: Try, case: Case, seed: int, *, limit: float = LIMIT) -> Counted:
    """Instructions of one call of a try on one case and seed, made and set up outside of the count."""
    folders = [str(each) for each in (tried.folder, tried.project.folder, Path.cwd(), tried.project.base)]
    found = of_one_call(PROJECT, of_project(folders, "implementation", case.arguments, seed), limit=limit)
    return Counted(found.get("Ir"), str(found.get("missing", "")))


def of_project(folders: Sequence[str], module: str, arguments: Mapping[str, Any], seed: int) -> list[Request]:
    """The requests after which a project's side can be timed."""
    load: Request = {"do": "load", "folders": list(folders), "module": module}
    return [load, {"do": "prepare", "arguments": dict(arguments), "seeds": [seed]}]


def of_one_call(
    server: str, before: Sequence[Request], *, cache: bool = False, folder: str | None = None, limit: float = LIMIT
) -> dict[str, Any]:
    """callgrind's events of one call, by its names: Ir and, with ``cache``, reads, writes and misses of a simulated
    cache. ``before`` are the requests that prepare the server. ``missing`` instead: why there are none."""
    valgrind = shutil.which("valgrind")
    if valgrind is None:
        return {"missing": "not available: install valgrind"}
    command = [valgrind, "--tool=callgrind", *(["--cache-sim=yes"] if cache else [])]
    try:
        one, two = (_run(command, server, before, calls, folder, limit) for calls in (1, 2))
    except subprocess.TimeoutExpired:
        return {"missing": f"not available: callgrind did not end within {limit:g} s"}
    except (OSError, subprocess.CalledProcessError, ValueError) as error:
        return {"missing": f"not available: callgrind: {str(error).splitlines()[0][:100]}"}
    return {name: two[name] - value for name, value in one.items()}


def _run(
    command: Sequence[str], server: str, before: Sequence[Request], calls: int, folder: str | None, limit: float
) -> dict[str, int]:
    """All events of a process that makes so many calls."""
    text = "".join(json.dumps(each) + "\n" for each in (*before, {"do": "time", "calls": calls}))
    fixed = {"PENSTOCK_SIMD": "avx2", "PENSTOCK_THREADS": "1", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    fixed |= {"PYTHONHASHSEED": "0", "PYTHONDONTWRITEBYTECODE": "1"}
    with tempfile.TemporaryDirectory() as scratch:
        file = Path(scratch, "callgrind.out")
        done = subprocess.run(
            [*command, f"--callgrind-out-file={file}", sys.executable, "-m", server],
            input=text,
            env={**environment(), **fixed},
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=limit,
            check=True,
            process_group=0,
        )
        for line in done.stdout.splitlines():
            if "error" in json.loads(line):
                raise ValueError(json.loads(line)["error"])
        return totals(file.read_text(encoding="utf-8", errors="replace"))


def totals(text: str) -> dict[str, int]:
    """The events of a callgrind file by name. Raises ValueError where it has none."""
    names, values = _EVENTS.search(text), _TOTAL.search(text)
    if names is None or values is None:
        raise ValueError("no total in its output")
    counts = [int(each) for each in values[1].split()]
    return dict(zip(names[1].split(), counts + [0] * len(names[1].split()), strict=False))
