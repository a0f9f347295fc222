# SPDX-License-Identifier: Apache-2.0
"""Runs the benchmarks: python benchmarks/run.py [--telling] [--quick] [--only NAME ...] [--resume]

Each row of benchmarks/rows.py becomes a line of benchmarks/results/<date>.jsonl, written when the row is done; --resume
goes on with the rows that the newest results lack of this machine and these sources. --only takes patterns too:
'sum-*'. A --telling run has a dozen rows at full size and few quadruples: what to expect within three minutes, and no
claim. A --quick run has small sizes: it shows that the rows work, not how fast anything is. The lines of both go to
results/quick.jsonl. The data files (4 GiB, and
as much again while outputs are measured) stay in benchmarks/data until --clean. `python benchmarks/report.py` makes the
page.
"""

from __future__ import annotations

import argparse
import collections
import datetime
import difflib
import fnmatch
import json
import subprocess
import sys
import time
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

import claims
import data
import report
import report_summary
from bench import Bench, Refused, Row
from penstock.lab import machine
from report_tables import bar_text, interval_text, value_text
from rows import BY_NAME, ROWS

RESULTS = report.RESULTS
QUICK_SCALE = 1 / 32
TELLING_QUADRUPLES = 4
# What makes another engine when it differs from the commit.
SOURCES = ("penstock", "python", "cmake", "CMakeLists.txt")


def read_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="small sizes, three quadruples a row: about three minutes")
    parser.add_argument("--telling", action="store_true", help="a dozen rows at full size, few quadruples")
    parser.add_argument("--only", nargs="+", metavar="NAME", help="these rows, by name or pattern; see --list")
    parser.add_argument("--resume", action="store_true", help="leave out the rows that the results have")
    parser.add_argument("--list", action="store_true", help="list the rows")
    parser.add_argument("--clean", action="store_true", help="remove the data files")
    parser.add_argument("--scale", type=float, help=f"share of the full sizes; default: 1, quick {QUICK_SCALE:g}")
    parser.add_argument("--quadruples", type=int, help="quadruples a row; default: each row's own, quick 3")
    parser.add_argument("--threads", type=int, default=2, help="threads of each side that has threads; default: 2")
    parser.add_argument("--data", type=Path, default=data.FOLDER, help="folder of the data files")
    parser.add_argument("--results", type=Path, help="file of the results")
    settings = parser.parse_args(arguments)
    for name in settings.only or ():
        if not fnmatch.filter(BY_NAME, name):
            near = difflib.get_close_matches(name, BY_NAME, 1)
            parser.error(f"no row is named {name}; {f'did you mean {near[0]}?' if near else 'see --list'}")
    if settings.scale is None:
        settings.scale = QUICK_SCALE if settings.quick else 1.0
    if not 0 < settings.scale <= 1:
        parser.error(f"--scale {settings.scale} is not above 0 and at most 1")
    for name in ("quadruples", "threads"):
        if getattr(settings, name) is not None and getattr(settings, name) < 1:
            parser.error(f"--{name} {getattr(settings, name)} is not positive")
    return settings


def results_file(settings: argparse.Namespace) -> Path:
    """Where the lines go: one file a day at full scale; what is smaller never mixes with it."""
    if settings.results is not None:
        return Path(settings.results)
    if settings.quick or settings.telling or settings.scale != 1:
        return RESULTS / "quick.jsonl"
    newest = report.newest() if settings.resume else None
    return newest or RESULTS / f"{datetime.datetime.now(datetime.UTC):%Y-%m-%d}.jsonl"


def wanted(settings: argparse.Namespace, file: Path) -> list[Row]:
    """The rows to run, in the table's order."""
    rows = [
        row for row in ROWS if not settings.only or any(fnmatch.fnmatchcase(row.name, one) for one in settings.only)
    ]
    if settings.telling:
        rows = [row for row in rows if row.telling]
    if not settings.resume:
        return rows
    here = facts_of_machine()
    lines = [line for line in report.read(file) if not line.get("refused") and line["scale"] == settings.scale]
    done = {line["row"] for line in lines if of_this(line["on"], here)}
    return [row for row in rows if row.name not in done]


def of_this(on: dict[str, Any], here: dict[str, Any]) -> bool:
    """Whether a line is of this machine and of the engine as it is here: commits of other files do not count."""
    if on["machine"] != here["machine"] or on["changed"] != here["changed"]:
        return False
    if on["commit"] == here["commit"]:
        return True
    return not here["changed"] and same_sources(on["commit"])


@cache
def same_sources(commit: str) -> bool:
    """Whether the engine's files are the same in a commit and here; no where git does not know the commit."""
    command = ["git", "diff", "--quiet", commit, "--", *SOURCES]
    return subprocess.run(command, cwd=report.HERE.parent, capture_output=True, check=False).returncode == 0


def facts_of_machine() -> dict[str, Any]:
    """The machine, the build and the versions; the same for all rows of a run."""
    return machine.record(report.HERE.parent, sources=SOURCES, packages=("numpy",))


def run_row(bench: Bench, row: Row, facts: dict[str, Any]) -> dict[str, Any]:
    """One row as a line of the results; a row that cannot be measured says why."""
    start = machine.now()
    line: dict[str, Any] = {
        "row": row.name,
        "group": row.group,
        "title": row.title,
        "claim": claims.of_row(row.name),
        "when": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "scale": bench.scale,
        "threads": bench.threads,
    }
    try:
        line |= row.run(bench, row).facts()
    except (Refused, data.NoRoomError) as reason:
        line["refused"] = str(reason)
    except Exception as error:  # the other rows are worth having
        line["refused"] = f"{type(error).__name__}: {error}"
    end = machine.now()
    line["seconds"] = round(end.at - start.at, 1)
    line["beside"] = machine.beside(start, end)
    return line | {"on": {**facts, "versions": {**facts["versions"], **bench.versions()}}}


def show(line: dict[str, Any]) -> None:
    """A row's lines of the table on the terminal."""
    noisy = "  (disturbed)" if line["beside"]["noisy"] else ""
    if line.get("refused"):
        print(f"{line['row']:<20} refused: {line['refused']}{noisy}", flush=True)
        return
    for each in line["comparisons"]:
        value, interval, bar = value_text(each), interval_text(each), bar_text(each)
        tail = each["verdict"] + (f": {each['note']}" if each["note"] else "") + noisy
        print(f"{line['row']:<20} {each['peer']:<14} {value:>20} {interval:>17} {bar:>8}  {tail}", flush=True)


def run(settings: argparse.Namespace) -> int:
    file = results_file(settings)
    rows = wanted(settings, file)
    file.parent.mkdir(parents=True, exist_ok=True)
    if (settings.quick or settings.telling) and not settings.resume:
        file.unlink(missing_ok=True)
    started, refused = time.monotonic(), 0
    with Bench(
        scale=settings.scale,
        quick=settings.quick,
        folder=settings.data,
        threads=settings.threads,
        quadruples=settings.quadruples or (TELLING_QUADRUPLES if settings.telling else None),
    ) as bench:
        facts = facts_of_machine()
        print(f"{facts['machine']}, {facts['target']}, {settings.threads} threads; {len(rows)} rows -> {file}")
        print(f"{'row':<20} {'against':<14} {'result':>20} {'95 % interval':>17} {'bar':>8}  verdict", flush=True)
        for row in rows:
            line = run_row(bench, row, facts)
            with file.open("a", encoding="utf-8") as out:
                out.write(json.dumps(line) + "\n")
            show(line)
            refused += bool(line.get("refused"))
    summarise(file, facts["machine"])
    if settings.quick or settings.telling:
        print("A short run: its figures show what to expect and are no claims.")
    print(f"{len(rows) - refused} rows measured, {refused} refused in {time.monotonic() - started:.0f} s")
    return 1 if refused else 0


def summarise(file: Path, here: str) -> None:
    """What the file's lines of this machine come to, as its last line and on the terminal."""
    lines = [line for line in report.read(file) if report.machine_of(line) == here]
    found = report_summary.facts(lines) | {"when": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")}
    with file.open("a", encoding="utf-8") as out:
        out.write(json.dumps(found | {"machine": here}) + "\n")
    verdicts = collections.Counter(each["verdict"] for each in found["claims"])
    least = found["no row below"]
    print(
        f"claims: {', '.join(f'{count} {verdict}' for verdict, count in verdicts.items())}; "
        f"{len(least['below'])} of {least['comparisons']} comparisons below {claims.LEAST_OF_NUMPY:g}x NumPy"
    )


def list_rows(rows: Iterable[Row]) -> None:
    for row in rows:
        bars = ", ".join(f"{bar.peer} {bar.limit:g}" if bar.limit else bar.peer for bar in row.bars)
        print(f"{row.name:<20} {row.title} [{bars}]")


def main() -> int:
    settings = read_arguments()
    if settings.list:
        list_rows(ROWS)
        return 0
    if settings.clean:
        print(f"removed {data.clean(settings.data) / 2**30:.2f} GiB")
        return 0
    return run(settings)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        print("\ninterrupted; --resume goes on with the rows that are not done", file=sys.stderr)
        sys.exit(130)
