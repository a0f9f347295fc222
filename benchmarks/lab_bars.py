# SPDX-License-Identifier: Apache-2.0
"""Measures the lab itself: python benchmarks/lab_bars.py [--quick] [--only NAME ...]

aa        error of the estimate of a 64 MiB addition against itself, over that of Google Benchmark's compare.py
alarms    how often the gate fails on an addition against itself
slower    how often an injected slowdown of 5 % is called slower
gate      how often the gate fails on an injected slowdown of 10 %
overhead  what a paired run takes beside the commands themselves and the ceilings, of commands of half a second
ceilings  what the ceilings take of such a run
usage     the slowest of the listing, the help and a usage error

Each is a line of benchmarks/results/lab-<date>.jsonl, and none changes an earlier one; a quick run, which shows that
they work and not how good the lab is, goes to lab-quick.jsonl. The full run takes half an hour and more;
`python benchmarks/lab_report.py` then makes the table of docs/explanation/measuring.md.
"""

from __future__ import annotations

import argparse
import datetime
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

import bench
import lab_add
import report
from bench import Refused
from penstock.lab import machine
from penstock.lab.ceilings import standard
from penstock.lab.compare import Comparison, compare, is_decided
from penstock.lab.estimate import SEED, Estimate, estimate
from penstock.lab.verdict import FAILS, SLOWER, UNDECIDED, gate

COMMAND = [sys.executable, "-m", "penstock", "lab"]
HALF_SECOND = "sleep 0.5"


@dataclass(frozen=True)
class Sizes:
    """How much of everything a run does."""

    elements: int = lab_add.FULL
    experiments: int = 60
    seconds: float = 10.0
    alarms: int = 150
    power: int = 40
    most_seconds: float = 60.0
    pairs: int = 10
    overheads: int = 10
    usages: int = 20


QUICK = Sizes(elements=1 << 20, experiments=4, seconds=0.6, alarms=3, power=3, most_seconds=2.0, overheads=1, usages=3)


@dataclass
class Found:
    """One bar: a value with its interval, held against its limit."""

    bar: str
    value: float
    low: float
    high: float
    limit: float
    at_most: bool
    unit: str
    n: int
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def verdict(self) -> str:
        return bench.verdict(self.low, self.high, self.limit, self.at_most)


def paired(
    addition: lab_add.Addition, slowdown: float, seconds: float, decided: Callable[[Estimate], bool]
) -> Comparison:
    """The addition against itself, or against one that is slower, with fresh arrays on each side."""
    return compare(
        addition.side(), addition.side(slowdown), seconds=seconds, decided=decided, least=0.02, ceilings=standard()
    )


def gate_is_decided(ratio: Estimate) -> bool:
    return gate(ratio) != UNDECIDED


def aa(sizes: Sizes, folder: Path) -> list[Found]:
    """Both instruments in turn, each with the same time, the first one alternating."""
    addition = lab_add.Addition(folder, sizes.elements)
    errors: dict[str, list[float]] = {"lab": [], "compare.py": []}
    walls: dict[str, list[float]] = {"lab": [], "compare.py": []}
    instruments: dict[str, Callable[[], float]] = {
        "lab": lambda: paired(addition, 0.0, sizes.seconds, lambda _: False).ratio,
        "compare.py": lambda: addition.google(sizes.seconds),
    }
    for experiment in range(sizes.experiments):
        for name in sorted(instruments, reverse=bool(experiment % 2)):
            started = time.monotonic()
            errors[name].append(abs(float(np.log(instruments[name]()))))
            walls[name].append(time.monotonic() - started)
    low, value, high = ratio_of_quantiles(errors["lab"], errors["compare.py"])
    facts = {
        "p95": {name: float(np.quantile(each, 0.95)) for name, each in errors.items()},
        "median": {name: float(np.median(each)) for name, each in errors.items()},
        "seconds": {name: float(np.mean(each)) for name, each in walls.items()},
        "errors": errors,
    }
    return [Found("aa", value, low, high, 0.2, True, "of compare.py's p95 error", sizes.experiments, facts)]


def ratio_of_quantiles(ours: Sequence[float], theirs: Sequence[float], q: float = 0.95) -> tuple[float, float, float]:
    """Low end, value and high end of quantile(ours)/quantile(theirs); whole experiments are drawn."""
    pairs = np.array([ours, theirs])
    places = np.random.default_rng(SEED).integers(0, pairs.shape[1], (10_000, pairs.shape[1]))
    quantiles = np.quantile(pairs[:, places], q, axis=2)
    value = np.quantile(pairs[0], q) / np.quantile(pairs[1], q)
    low, high = np.quantile(quantiles[0] / quantiles[1], [0.025, 0.975])
    return float(min(low, value)), float(value), float(max(high, value))


def share_of(bar: str, hits: Sequence[bool], limit: float, at_most: bool, **facts: Any) -> Found:
    low, high = lab_add.wilson(sum(hits), len(hits))
    return Found(bar, sum(hits) / len(hits), low, high, limit, at_most, "of the experiments", len(hits), facts)


def alarms(sizes: Sizes, folder: Path) -> list[Found]:
    addition = lab_add.Addition(folder, sizes.elements)
    found = [paired(addition, 0.0, sizes.most_seconds, gate_is_decided) for _ in range(sizes.alarms)]
    hits = [gate(each.estimate) == FAILS for each in found]
    return [share_of("alarms", hits, 0.05, True, **spent(found))]


def slower(sizes: Sizes, folder: Path) -> list[Found]:
    addition = lab_add.Addition(folder, sizes.elements)
    found = [paired(addition, 0.05, sizes.most_seconds, is_decided) for _ in range(sizes.power)]
    return [share_of("slower", [each.verdict == SLOWER for each in found], 0.9, False, **spent(found))]


def gate_power(sizes: Sizes, folder: Path) -> list[Found]:
    addition = lab_add.Addition(folder, sizes.elements)
    found = [paired(addition, 0.10, sizes.most_seconds, gate_is_decided) for _ in range(sizes.power)]
    return [share_of("gate", [gate(each.estimate) == FAILS for each in found], 0.9, False, **spent(found))]


def spent(found: Sequence[Comparison]) -> dict[str, Any]:
    """What the comparisons took and found."""
    return {
        "median_seconds": float(np.median([each.seconds for each in found])),
        "longest_seconds": max(each.seconds for each in found),
        "ratios": [each.ratio for each in found],
        "noisy": sum(each.noisy for each in found),
    }


def overhead(sizes: Sizes, _folder: Path) -> list[Found]:
    """Whole runs of the command against a shell loop over as many runs of what it compares."""
    # Two samples to calibrate, a quadruple to warm up.
    runs = 4 * sizes.pairs + 2 + 4
    loop = ["/bin/sh", "-c", f"for i in $(seq {runs}); do /bin/sh -c '{HALF_SECOND}'; done"]
    line = [*COMMAND, "compare", HALF_SECOND, HALF_SECOND, "--pairs", str(sizes.pairs), "--json"]
    shares, ceilings = [], []
    for _ in range(sizes.overheads):
        plain = wall(loop)
        started = time.monotonic()
        done = subprocess.run(line, capture_output=True, check=True)
        took = time.monotonic() - started
        ceilings.append(json.loads(done.stdout)["ceiling_share"])
        shares.append(took * (1 - ceilings[-1]) / plain - 1)
    return [held("overhead", shares, 0.02, "of the commands"), held("ceilings", ceilings, 0.10, "of the run")]


def usage(sizes: Sizes, _folder: Path) -> list[Found]:
    slowest = []
    lines: tuple[list[str], ...] = ([], ["--help"], ["compare", "--help"], ["compare"], ["no-such-command"])
    for arguments in lines:
        wall([*COMMAND, *arguments])
        slowest.append([wall([*COMMAND, *arguments]) for _ in range(sizes.usages)])
    return [held("usage", max(slowest, key=np.median), 0.3, "seconds")]


def wall(command: list[str]) -> float:
    started = time.monotonic()
    subprocess.run(command, capture_output=True, check=False)
    return time.monotonic() - started


def held(bar: str, values: Sequence[float], limit: float, unit: str) -> Found:
    found = estimate(values)
    return Found(bar, found.value, found.low, found.high, limit, True, unit, len(values), {"values": list(values)})


BARS: dict[str, Callable[[Sizes, Path], list[Found]]] = {
    "usage": usage,
    "overhead": overhead,
    "gate": gate_power,
    "slower": slower,
    "alarms": alarms,
    "aa": aa,
}


def run(name: str, sizes: Sizes) -> list[dict[str, Any]]:
    """The lines of one measurement."""
    start = machine.now()
    when = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    with tempfile.TemporaryDirectory() as folder:
        try:
            found = [{**asdict(each), "verdict": each.verdict} for each in BARS[name](sizes, Path(folder))]
        except Refused as reason:
            found = [{"bar": name, "refused": str(reason)}]
    end = machine.now()
    record = machine.record(report.HERE.parent)
    beside = {"beside": machine.beside(start, end), "seconds": round(end.at - start.at, 1)}
    about = {"when": when, "identity": machine.identity(record), "on": record, "sizes": asdict(sizes), **beside}
    return [{**each, **about} for each in found]


def show(line: dict[str, Any]) -> None:
    noisy = "  (disturbed)" if line["beside"]["noisy"] else ""
    if "refused" in line:
        print(f"{line['bar']:<9} refused: {line['refused']}{noisy}", flush=True)
        return
    value, low, high, limit = (f"{line[key]:.3g}" for key in ("value", "low", "high", "limit"))
    sign = "<=" if line["at_most"] else ">="
    text = f"{value} {line['unit']} ({low} to {high}), n = {line['n']}, bar {sign} {limit}: {line['verdict']}"
    print(f"{line['bar']:<9} {text}{noisy}", flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="small and few: shows that each works, in two minutes")
    parser.add_argument("--only", nargs="+", metavar="NAME", choices=list(BARS), help=f"of {', '.join(BARS)}")
    parser.add_argument("--results", type=Path, help="file that the lines are added to")
    for size, about in (("experiments", "A/A experiments"), ("power", "experiments of slower and of gate")):
        parser.add_argument(f"--{size}", type=int, help=f"number of {about}")
    settings = parser.parse_args()
    chosen = {size: getattr(settings, size) for size in ("experiments", "power") if getattr(settings, size)}
    sizes = Sizes(**{**asdict(QUICK if settings.quick else Sizes()), **chosen})
    day = "quick" if settings.quick else f"{datetime.datetime.now(datetime.UTC):%Y-%m-%d}"
    file = settings.results or report.RESULTS / f"lab-{day}.jsonl"
    for name in BARS:
        if settings.only and name not in settings.only:
            continue
        for line in run(name, sizes):
            with file.open("a", encoding="utf-8") as out:
                out.write(json.dumps(line) + "\n")
            show(line)
    return 0


if __name__ == "__main__":
    sys.exit(main())
