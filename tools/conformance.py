#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the public conformance suite of the Python array API standard, and writes docs/reference/conformance.md.

    tools/conformance.py run        fetches the suite into build/conformance and runs it for both versions
    tools/conformance.py            writes the page from what was kept

`--keep` keeps the results in benchmarks/results/conformance.json and writes the page. `--checkout` names a checkout of
the suite, with its submodule, that is there already. Standard library only; the suite needs
requirements/conformance.txt.

Exit status: 0 when exactly those tests failed that tools/conformance_known.txt lists, 1 otherwise.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree
from collections import Counter
from importlib import metadata
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
KNOWN = ROOT / "tools" / "conformance_known.txt"
RESULTS = ROOT / "benchmarks" / "results" / "conformance.json"
PAGE = ROOT / "docs" / "reference" / "conformance.md"
BEGIN, END = "<!-- results: begin (tools/conformance.py) -->", "<!-- results: end -->"
SUITE = "https://github.com/data-apis/array-api-tests"
COMMIT = "55fcc60179efa2680ddd6cd926ddf17b83530e2b"
VERSIONS = ("2025.12", "2024.12")
# No version takes this long; a suite that hangs is ended.
LIMIT_S = 3 * 3600


def known(text: str, version: str) -> dict[str, str]:
    """The listed failures of a version with their reasons. Raises ValueError for a line without a reason."""
    listed = {}
    for line in text.splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        where, _, rest = line.partition(" ")
        test, separator, reason = rest.strip().rpartition(" -- ")
        if where not in (*VERSIONS, "all") or not separator or not reason.strip():
            raise ValueError(f"{KNOWN.name}: {line!r} is no 'VERSION TEST -- REASON'")
        if where in (version, "all"):
            listed[test] = reason.strip()
    return listed


def read_report(report: Path) -> dict[str, Any]:
    """Counts, failed tests and reasons of skipped ones of a JUnit report."""
    passed, failures, skips = 0, [], Counter[str]()
    for case in ElementTree.parse(report).getroot().iter("testcase"):
        name = f"{case.get('classname', '').rpartition('.')[2]}::{case.get('name')}"
        skipped = case.find("skipped")
        if case.find("failure") is not None or case.find("error") is not None:
            failures.append(name)
        elif skipped is not None:
            skips[f"{name}: {skipped.get('message')}"] += 1
        else:
            passed += 1
    return {"passed": passed, "failures": sorted(failures), "skips": dict(sorted(skips.items()))}


def disagreements(version: str, failures: list[str], listed: dict[str, str]) -> list[str]:
    """What the run and the list of known failures do not agree on."""
    new = [f"{version}: {test} failed and is not listed" for test in failures if test not in listed]
    return new + [f"{version}: {test} is listed and did not fail" for test in listed if test not in failures]


def fetch(folder: Path) -> Path:
    """A checkout of the suite and its submodule at the pinned commit."""
    if not (folder / "array-api" / "src").exists():
        folder.mkdir(parents=True, exist_ok=True)
        for command in (
            ["init", "--quiet"],
            ["fetch", "--quiet", "--depth", "1", SUITE, COMMIT],
            ["checkout", "--quiet", "--force", COMMIT],
            ["submodule", "--quiet", "update", "--init", "--depth", "1"],
        ):
            subprocess.run(["git", "-c", "advice.detachedHead=false", *command], cwd=folder, check=True)
    head = subprocess.run(["git", "rev-parse", "HEAD"], cwd=folder, check=True, capture_output=True, text=True)
    if head.stdout.strip() != COMMIT:
        raise SystemExit(f"{folder} is at {head.stdout.strip()}, not at {COMMIT}; delete it or check that commit out")
    return folder


def run_suite(checkout: Path, version: str, examples: int) -> dict[str, Any]:
    """The suite's outcome for a version of the standard. A crash or a hang is a SystemExit."""
    report = ROOT / "build" / "conformance" / f"report-{version}.xml"
    report.parent.mkdir(parents=True, exist_ok=True)
    report.unlink(missing_ok=True)
    environment = dict(os.environ, PYTHONFAULTHANDLER="1", PYTHONDONTWRITEBYTECODE="1")
    environment |= {"ARRAY_API_TESTS_MODULE": "penstock", "ARRAY_API_TESTS_VERSION": version}
    command = [sys.executable, "-m", "pytest", "array_api_tests", "-q", "--tb=short", "-p", "no:cacheprovider"]
    command += [f"--max-examples={examples}", "--derandomize", "--disable-deadline", f"--junitxml={report}"]
    start = time.monotonic()
    try:
        status = subprocess.run(command, cwd=checkout, env=environment, check=False, timeout=LIMIT_S).returncode
    except subprocess.TimeoutExpired:
        raise SystemExit(f"{version}: the suite did not end within {LIMIT_S} s") from None
    if status not in (0, 1) or not report.exists():
        raise SystemExit(f"{version}: the suite ended with status {status} and no report")
    outcome = read_report(report)
    counts = f"{outcome['passed']} passed, {len(outcome['failures'])} failed, {sum(outcome['skips'].values())} skipped"
    print(f"{version}: {counts} in {time.monotonic() - start:.0f} s", flush=True)
    return outcome


def table(results: dict[str, Any], listed: str) -> str:
    """The generated part of the page."""
    versions = ", ".join(f"{name} {results[name.lower()]}" for name in ("Python", "NumPy", "Hypothesis"))
    lines = [
        f"Suite at commit `{results['suite'][:12]}`, {results['examples']} examples a test, {versions}.",
        "",
        "| Standard | Tests | Passed | Failed | Skipped |",
        "| --- | --- | --- | --- | --- |",
    ]
    for version, outcome in results["versions"].items():
        failed, skipped = len(outcome["failures"]), sum(outcome["skips"].values())
        total = outcome["passed"] + failed + skipped
        lines.append(f"| {version} | {total} | {outcome['passed']} | {failed} | {skipped} |")
    for version, outcome in results["versions"].items():
        reasons = known(listed, version)
        lines += ["", f"Known failures of {version}: {len(outcome['failures']) or 'none'}."]
        lines += [f"* `{test}`: {reasons.get(test, 'not explained')}" for test in outcome["failures"]]
        lines += ["", f"Skipped by the suite for {version}: {sum(outcome['skips'].values()) or 'none'}."]
        lines += [f"* {' '.join(reason.split())}" for reason in outcome["skips"]]
    return "\n".join(lines)


def page(text: str, results: dict[str, Any], listed: str) -> str:
    """The page with its generated part made anew."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n\n{table(results, listed)}\n\n{END}{after}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("action", nargs="?", choices=("run", "page"), default="page")
    parser.add_argument("--examples", type=int, default=10, help="what Hypothesis tries a test (10)")
    parser.add_argument("--checkout", type=Path, help="a checkout of the suite instead of fetching one")
    parser.add_argument("--keep", action="store_true", help="keep the results and write the page")
    arguments = parser.parse_args()
    listed = KNOWN.read_text(encoding="utf-8")
    wrong: list[str] = []
    if arguments.action == "run":
        checkout = fetch(arguments.checkout or ROOT / "build" / "conformance" / "suite")
        outcomes = {version: run_suite(checkout, version, arguments.examples) for version in VERSIONS}
        for version, outcome in outcomes.items():
            wrong += disagreements(version, outcome["failures"], known(listed, version))
        if arguments.keep:
            kept = {"suite": COMMIT, "examples": arguments.examples, "python": platform.python_version()}
            kept |= {name: metadata.version(name) for name in ("numpy", "hypothesis")}
            RESULTS.write_text(json.dumps({**kept, "versions": outcomes}, indent=1) + "\n", encoding="utf-8")
    if arguments.keep or arguments.action == "page":
        results = json.loads(RESULTS.read_text(encoding="utf-8"))
        PAGE.write_text(page(PAGE.read_text(encoding="utf-8"), results, listed), encoding="utf-8")
    print("\n".join(wrong), end="\n" if wrong else "")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
