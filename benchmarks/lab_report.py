# SPDX-License-Identifier: Apache-2.0
"""Makes the table of docs/explanation/measuring.md from the lab's results: python benchmarks/lab_report.py [--check]

The newest benchmarks/results/lab-<date>.jsonl counts, and of a bar measured again the last line. --check writes nothing
and fails when the page is not what the results give.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import report
from report_tables import Line, cell, commits, number

PAGE = report.HERE.parent / "docs" / "explanation" / "measuring.md"
# What each bar of lab_bars.py is, in the order in which it is read.
TITLES = {
    "aa": "95th percentile of the error in A/A experiments, of that of `compare.py` given no less time",
    "alarms": "A/A experiments in which the gate fails",
    "slower": "experiments in which an injected slowdown of 5 % is called slower within 60 s",
    "gate": "experiments in which the gate fails on an injected slowdown of 10 % within 60 s",
    "overhead": "time beside the commands of a paired run, for commands of half a second",
    "ceilings": "time of the ceilings, of that run",
    "usage": "listing, help or usage error, the slowest of them",
}


def newest() -> Path | None:
    """The newest full results."""
    found = sorted(report.RESULTS.glob("lab-[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9].jsonl"))
    return found[-1] if found else None


def read(file: Path | None) -> list[Line]:
    """The last line of each bar, in the order of `TITLES`."""
    if file is None:
        return []
    lines = [json.loads(text) for text in file.read_text(encoding="utf-8").splitlines()]
    latest = {line["bar"]: line for line in lines}
    return [latest[name] for name in TITLES if name in latest]


def body(lines: list[Line]) -> str:
    """What lies between the markers."""
    if not lines:
        return "There are no results yet: `python benchmarks/lab_bars.py` makes them in half an hour.\n"
    text = ["| what | result | 95 % interval | n | bar | verdict |", "|---|---|---|---|---|---|"]
    for line in lines:
        title = TITLES[line["bar"]] + (" \\*" if line["beside"]["noisy"] else "")
        if "refused" in line:
            text.append(f"| {title} | | | | | refused: {cell(line['refused'])} |")
            continue
        value, low, high, limit = (amount(line, line[key]) for key in ("value", "low", "high", "limit"))
        sign = "<=" if line["at_most"] else ">="
        text.append(f"| {title} | {value} | {low} to {high} | {line['n']} | {sign} {limit} | {line['verdict']} |")
    text += ["", *facts(lines), *origin(lines)]
    if any(line["beside"]["noisy"] for line in lines):
        text.append("\\* Measured while others used the machine.")
    return "\n".join(text) + "\n"


def amount(line: Line, value: float) -> str:
    """A share, or seconds in a unit that reads well."""
    return f"{value * 1e3:.0f} ms" if line["unit"] == "seconds" else f"{value:.1%}"


def facts(lines: list[Line]) -> list[str]:
    """What stands behind the table, in sentences."""
    by_bar = {line["bar"]: line.get("facts", {}) for line in lines}
    text = []
    if p95 := by_bar.get("aa", {}).get("p95"):
        ours, theirs = (f"{p95[name]:.2%}" for name in ("lab", "compare.py"))
        lasted = by_bar["aa"]["seconds"]
        took = f"a run took {number(lasted['lab'])} s and {number(lasted['compare.py'])} s"
        text.append(f"The errors behind the first line: {ours} here, {theirs} of `compare.py`; {took}.")
    if found := by_bar.get("slower", {}).get("median_seconds"):
        text.append(f"A slowdown of 5 % takes {number(found)} s to call (median).")
    return [*text, ""] if text else []


def origin(lines: list[Line]) -> list[str]:
    """The machine, and what the figures were measured with."""
    on = lines[-1]["on"]
    measured = commits(lines)
    days = sorted({line["when"][:10] for line in lines})
    return [f"{on['machine']}, {on['cpus']} CPUs. Commit {', '.join(measured)}; measured {' and '.join(days)}."]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing; fail when the page would change")
    settings = parser.parse_args()
    text = report.replaced(PAGE.read_text(encoding="utf-8"), "lab_report.py", body(read(newest())))
    return report.write({PAGE: text}, check=settings.check)


if __name__ == "__main__":
    sys.exit(main())
