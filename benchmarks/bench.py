# SPDX-License-Identifier: Apache-2.0
"""What a row is made of: its sides, its bars, and the outcome that becomes a line of the results."""

from __future__ import annotations

import importlib
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

import env
from peers import PEERS
from penstock.lab import pairs
from penstock.lab.estimate import Estimate, estimate
from penstock.lab.sides import Side

GiB = 1 << 30
MiB = 1 << 20


class Refused(Exception):
    """A row cannot be measured here, or its sides disagree; the reason is its result."""


@dataclass(frozen=True)
class Bar:
    """A claim that is held against a peer: at least this many times as fast; `at_most` turns it round.

    `kind`: "speed", or "time" (the share of the peer's time), "share" (of a ceiling's bytes a second), or
    "ulp" (the greatest error).
    """

    peer: str
    limit: float | None = None
    at_most: bool = False
    kind: str = "speed"


def within(peer: str, limit: float) -> Bar:
    """At most this share of the peer's time."""
    return Bar(peer, limit, at_most=True, kind="time")


@dataclass(frozen=True)
class Comparison:
    """One number of a row with its interval and what became of its bar."""

    peer: str
    unit: str
    value: float | None
    low: float | None = None
    high: float | None = None
    spread: float | None = None
    bar: float | None = None
    at_most: bool = False
    verdict: str = ""
    note: str = ""


def verdict(low: float, high: float, bar: float | None, at_most: bool = False) -> str:
    """Whether the whole interval is on the right side of the bar: met, missed, undecided, or nothing without a bar."""
    if bar is None:
        return ""
    if at_most:
        low, high, bar = -high, -low, -bar
    if low >= bar:
        return "met"
    return "missed" if high < bar else "undecided"


def compared(bar: Bar, unit: str, found: Estimate, note: str = "") -> Comparison:
    """A comparison of what was found with its bar."""
    met = verdict(found.low, found.high, bar.limit, bar.at_most)
    return Comparison(
        bar.peer, unit, found.value, found.low, found.high, found.spread, bar.limit, bar.at_most, met, note
    )


def absent(bar: Bar, unit: str, why: str) -> Comparison:
    """A comparison that cannot be made, and why."""
    return Comparison(bar.peer, unit, None, bar=bar.limit, at_most=bar.at_most, verdict="refused", note=why)


@dataclass
class Outcome:
    """What a row found. `medians` are seconds of one call, which moves `bytes` at least and does `operations`.

    `peaks` are bytes by which a call raises its process's memory; `parts` is what a row of many has of each.
    """

    comparisons: list[Comparison]
    n: int
    setup: str = ""
    medians: dict[str, float] = field(default_factory=dict)
    calls: dict[str, int] = field(default_factory=dict)
    share_of_ceiling: float | None = None
    ceiling: str = ""
    checked: str = ""
    peaks: dict[str, int] = field(default_factory=dict)
    parts: list[dict[str, Any]] = field(default_factory=list)
    bytes: int = 0
    operations: int = 0

    def facts(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class Row:
    """One row of the table: what is measured, under which bars, and the function that does it."""

    name: str
    group: str
    title: str
    run: Callable[[Bench, Row], Outcome]
    bars: tuple[Bar, ...] = ()
    quadruples: int = 12
    telling: bool = False  # one of those that a short run has, at full size


@dataclass(frozen=True)
class Ceiling:
    """What the machine could do at that moment: a side, and the bytes that it and our side move in one call."""

    side: str
    moved: int
    ours: int


class Bench:
    """The settings of a run and what its rows share."""

    def __init__(self, *, scale: float, quick: bool, folder: Path, threads: int, quadruples: int | None) -> None:
        self.scale = scale
        self.quick = quick
        self.folder = folder
        self.threads = threads
        self.ps: Any = importlib.import_module("penstock")
        self._quadruples = quadruples
        self._workers: dict[tuple[str, int], env.Worker] = {}

    def __enter__(self) -> Bench:
        self.ps.threads(self.threads)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for worker in self._workers.values():
            worker.close()

    def quadruples(self, row: Row) -> int:
        """How many quadruples the row takes in this run."""
        return self._quadruples or (3 if self.quick else row.quadruples)

    def count(self, n: float) -> int:
        """So many elements at full scale; 1e6 is small at any scale, and stays."""
        return int(n) if n <= 1e6 else max(1_000_000, int(n * self.scale))

    @property
    def chains(self) -> int:
        """How many random chains a run has."""
        return 4 if self.quick else 50

    @property
    def file_count(self) -> int:
        """Elements of the large file: 2**30 at full scale, whole chunks at any."""
        return max(8, round(256 * self.scale)) << 22

    @property
    def budget(self) -> int:
        """The budget of runs over the large file: an eighth of it, and not below what the engine streams well in."""
        return max(64 * MiB, self.file_count * 4 // 8)

    def worker(self, peer: str, threads: int | None = None) -> env.Worker | None:
        """The worker of another environment, started once for each number of threads; None where that was not made.

        One that ended in an earlier row is started again.
        """
        key = peer, threads or self.threads
        if key in self._workers and self._workers[key].ended:
            self._workers.pop(key).close()
        if key not in self._workers:
            python = env.python_of(PEERS[peer].environment)
            if python is None:
                return None
            self._workers[key] = env.Worker(python, *key)
        return self._workers[key]

    def versions(self) -> dict[str, str]:
        """Versions of the peers in other environments that were used."""
        return {peer: worker.versions[PEERS[peer].package] for (peer, _), worker in self._workers.items()}


def ratios(
    bench: Bench,
    row: Row,
    sides: Mapping[str, Side],
    comparisons: Mapping[str, tuple[str, Sequence[str]]],
    *,
    missing: Mapping[str, str] | None = None,
    ceiling: Ceiling | None = None,
    least: float = 0.02,
    warm_up: int = 2,
) -> Outcome:
    """Measures `sides` together. `comparisons` gives for a bar's peer our side and the sides it is held against.

    The fastest of several counts, quadruple by quadruple. `missing` says why a peer has no side.
    """
    times = pairs.measure(
        sides, bench.quadruples(row), warm_up=min(warm_up, 1) if bench.quick else warm_up, least=least
    )
    speed = None
    if ceiling is not None:
        logs = times.log_ratios("penstock", [ceiling.side])
        speed = estimate([log + math.log(ceiling.ours / ceiling.moved) for log in logs]).exp()
    found = []
    for bar in row.bars:
        if bar.kind == "share":
            why = "this size lies in the caches, or there is no C++ compiler"
            unit = "of the ceiling"
            found.append(compared(bar, unit, speed) if speed is not None else absent(bar, unit, why))
        elif bar.peer in comparisons:
            ours, peers = comparisons[bar.peer]
            logs = times.log_ratios(ours, peers)
            if bar.kind == "time":
                found.append(compared(bar, "of its time", estimate([-log for log in logs]).exp()))
            else:
                found.append(compared(bar, "x", estimate(logs).exp()))
        else:
            found.append(absent(bar, "x", (missing or {}).get(bar.peer, "no such side")))
    return Outcome(
        found,
        times.quadruples,
        medians={name: times.median(name) for name in sides},
        calls={name: side.calls for name, side in sides.items()},
        share_of_ceiling=speed.value if speed is not None else None,
        ceiling=ceiling.side if ceiling is not None else "",
    )
