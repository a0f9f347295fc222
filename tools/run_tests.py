#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the C++ tests of a build folder, then the Python tests, and closes with one line: N passed, N failed.

Standard library only. Exit status: 0 when every test passed, 1 otherwise.
"""

from __future__ import annotations

import argparse
import signal
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


@dataclass
class Tally:
    """What a runner reported. `broken` says that it stopped without a report or found no test."""

    name: str
    passed: int = 0
    failed: int = 0
    skipped: int = 0
    seconds: float = 0.0
    broken: str = ""


def read_report(tally: Tally, report: Path, status: int) -> Tally:
    """Adds up a JUnit report; a runner that failed without a failed test counts as broken."""
    try:
        suites = list(ElementTree.parse(report).getroot().iter("testsuite"))
    except (OSError, ElementTree.ParseError) as error:
        tally.broken = f"no report (exit status {status}): {error}"
        return tally
    for case in (case for suite in suites for case in suite.iter("testcase")):
        if case.find("failure") is not None or case.find("error") is not None:
            tally.failed += 1
        elif case.find("skipped") is not None:
            tally.skipped += 1
        else:
            tally.passed += 1
    if tally.passed + tally.failed == 0:
        tally.broken = "it ran no test"
    elif status != 0 and tally.failed == 0:
        tally.broken = f"exit status {status} without a failed test"
    return tally


def run(name: str, command: list[str], report: Path) -> Tally:
    report.parent.mkdir(parents=True, exist_ok=True)
    report.unlink(missing_ok=True)
    start = time.monotonic()
    status = subprocess.run(command, cwd=ROOT, check=False).returncode
    return read_report(Tally(name, seconds=time.monotonic() - start), report, status)


def summary(tallies: list[Tally]) -> tuple[list[str], bool]:
    """Lines to print, the closing one last, and whether all is well."""
    lines = [
        f"{tally.name}: {tally.passed} passed, {tally.failed} failed, {tally.skipped} skipped in {tally.seconds:.0f} s"
        + (f"; {tally.broken}" if tally.broken else "")
        for tally in tallies
    ]
    # A runner that broke counts as one failure, so that the closing line never looks good when the status is not.
    failed = sum(tally.failed + bool(tally.broken) for tally in tallies)
    lines.append(f"{sum(tally.passed for tally in tallies)} passed, {failed} failed")
    return lines, failed == 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("build", type=Path, help="the build folder, such as build/release")
    parser.add_argument("--no-python", action="store_true", help="C++ tests only")
    parser.add_argument("--preset", help="CMake test preset, for its environment")
    parser.add_argument("--label", default="C++", help="name of the C++ line")
    arguments = parser.parse_args()
    # A shell's background job ignores Ctrl-C and so would the programs that tests interrupt.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    folder: Path = arguments.build.resolve()
    report = folder / "report-ctest.xml"
    where = ["--preset", arguments.preset] if arguments.preset else ["--test-dir", str(folder)]
    ctest = ["ctest", *where, "--output-on-failure", "--no-tests=error", "--progress", "--output-junit", str(report)]
    tallies = [run(arguments.label, ctest, report)]
    if not arguments.no_python:
        report = folder / "report-pytest.xml"
        tallies.append(run("Python", [sys.executable, "-m", "pytest", "-q", f"--junitxml={report}"], report))
    lines, well = summary(tallies)
    print("\n".join(lines))
    return 0 if well else 1


if __name__ == "__main__":
    sys.exit(main())
