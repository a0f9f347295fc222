# SPDX-License-Identifier: Apache-2.0
"""Instructions of one run, counted by callgrind: a second gate that no noise reaches, where valgrind is installed.

Two runs are counted, one with a call more than the other: what start-up takes drops out. Penstock's kernels run for
AVX2, the widest that valgrind knows. Counts hold for one build of everything, which `platform` names.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from penstock.lab.layout import Try
from penstock.lab.process import PROJECT
from penstock.lab.project import Case

LIMIT = 600.0
_TOTAL = re.compile(r"^(?:summary|totals): (\d+)", re.MULTILINE)


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
    valgrind = shutil.which("valgrind")
    if valgrind is None:
        return Counted(None, "not available (valgrind is not installed)")
    try:
        one, two = (_run(valgrind, tried, case, seed, calls, limit) for calls in (1, 2))
    except subprocess.TimeoutExpired:
        return Counted(None, f"not available (callgrind did not end within {limit:g} s)")
    except (OSError, subprocess.CalledProcessError, ValueError) as error:
        return Counted(None, f"not available (callgrind: {str(error).splitlines()[0][:100]})")
    return Counted(two - one)


def _run(valgrind: str, tried: Try, case: Case, seed: int, calls: int, limit: float) -> int:
    """All instructions of a process that calls the try so often."""
    folders = [str(each) for each in (tried.folder, tried.project.folder, Path.cwd(), tried.project.base)]
    requests: list[dict[str, Any]] = [{"do": "load", "folders": folders, "module": "implementation"}]
    requests += [{"do": "prepare", "arguments": case.arguments, "seeds": [seed]}]
    requests += [{"do": "time", "seed": seed, "calls": calls}]
    text = "".join(json.dumps(each) + "\n" for each in requests)
    fixed = {"PENSTOCK_SIMD": "avx2", "PENSTOCK_THREADS": "1", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    fixed |= {"PYTHONHASHSEED": "0", "PYTHONDONTWRITEBYTECODE": "1"}
    with tempfile.TemporaryDirectory() as scratch:
        file = Path(scratch, "callgrind.out")
        command = [valgrind, "--tool=callgrind", f"--callgrind-out-file={file}", sys.executable]
        done = subprocess.run(
            [*command, "-m", PROJECT],
            input=text,
            env={**os.environ, **fixed},
            capture_output=True,
            text=True,
            timeout=limit,
            check=True,
        )
        for line in done.stdout.splitlines():
            if "error" in json.loads(line):
                raise ValueError(json.loads(line)["error"])
        found = _TOTAL.search(file.read_text(encoding="utf-8", errors="replace"))
    if found is None:
        raise ValueError("no total in its output")
    return int(found[1])
