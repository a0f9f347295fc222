#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes the table of docs/reference/accuracy.md from what the tests of the mathematical functions found.

    tools/accuracy.py build/release     runs them, keeps what they found in benchmarks/results/accuracy.json, and writes
    tools/accuracy.py                   writes the table from what is kept

PENSTOCK_TEST_POINTS sets the points of each function and dtype, a million by default. Standard library only.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "benchmarks" / "results" / "accuracy.json"
PAGE = ROOT / "docs" / "reference" / "accuracy.md"
FUNCTIONS = ROOT / "penstock" / "simd" / "maths.def"
BEGIN, END = "<!-- table: begin (tools/accuracy.py) -->", "<!-- table: end -->"
DTYPES = ("float32", "float64")


def bounds() -> dict[str, dict[str, float]]:
    """What maths.def states for each function and dtype."""
    rows = re.findall(r"^PENSTOCK_MATHS\((\w+), \d, ([\d.]+), ([\d.]+)\)", FUNCTIONS.read_text(), re.MULTILINE)
    return {name: dict(zip(DTYPES, map(float, stated), strict=True)) for name, *stated in rows}


def found(report: Path) -> dict[str, dict[str, dict[str, float]]]:
    """The greatest error of each function, dtype and target in a report of the tests."""
    errors: dict[str, dict[str, dict[str, float]]] = {}
    for case in ElementTree.parse(report).getroot().iter("testcase"):
        name = case.get("name", "").partition("/")[2]
        dtype = case.get("name", "").partition("Within")[0].lower()
        each = {str(one.get("name")): round(float(str(one.get("value"))), 3) for one in case.iter("property")}
        if dtype in DTYPES and each:
            errors.setdefault(name, {})[dtype] = each
    return errors


def measure(build: Path, points: int) -> dict[str, Any]:
    """Runs the tests with so many random points."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        command = [str(build / "kernel_test"), "--gtest_filter=*Maths.Float*WithinBound*"]
        command.append(f"--gtest_output=xml:{report}")
        subprocess.run(command, check=True, env={**os.environ, "PENSTOCK_TEST_POINTS": str(points)})
        return {"points": points, "errors": found(report)}


def table(results: dict[str, Any]) -> str:
    """The table, and what it stands for."""
    errors = results["errors"]
    targets = sorted({target for name in errors for dtype in DTYPES for target in errors[name][dtype]})
    intro = f"The greatest error among {results['points']:,} random arguments of each function and dtype"
    text = [
        f"{intro}, on the targets {', '.join(targets)}:",
        "",
        "| function | float32, found | bound | float64, found | bound |",
        "|---|---|---|---|---|",
    ]
    for name, stated in bounds().items():
        cells = [f"{max(errors[name][dtype].values()):.2f} | {stated[dtype]:g}" for dtype in DTYPES]
        text.append(f"| `{name}` | {' | '.join(cells)} |")
    return "\n".join(text)


def page(text: str, results: dict[str, Any]) -> str:
    """The page's text with the table of these results."""
    before, after = text.partition(BEGIN)[0], text.partition(END)[2]
    return f"{before}{BEGIN}\n\n{table(results)}\n\n{END}{after}"


def main(arguments: list[str]) -> None:
    if arguments:
        results = measure(Path(arguments[0]), int(os.environ.get("PENSTOCK_TEST_POINTS", "1000000")))
        RESULTS.write_text(json.dumps(results, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8"), json.loads(RESULTS.read_text())), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
