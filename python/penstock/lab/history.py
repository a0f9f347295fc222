# SPDX-License-Identifier: Apache-2.0
"""The history of each row of the results on one machine, and where it changed."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from penstock.lab.change_points import LEAST, Change, change_points
from penstock.lab.results import Line, identity_of, of_machine

# A ratio and the ends of its interval.
Ratio = tuple[float, float, float]


@dataclass(frozen=True)
class Series:
    """A row's ratios over time, where lower is faster. `lows` and `highs` are their intervals, and each has a time and
    a commit."""

    row: str
    what: str
    case: str  # its hash; empty for rows that have none
    values: list[float]
    lows: list[float]
    highs: list[float]
    whens: list[str]
    commits: list[str]
    changes: list[Change]

    def text(self) -> str:
        """The row and its changes in words."""
        return f"{self.row}, {self.what}: {self.changes_text()}"

    def changes_text(self) -> str:
        count = f"{len(self.values)} result{'s' * (len(self.values) != 1)}"
        if len(self.values) < 2 * LEAST:
            return f"{count}, too few to see a change ({2 * LEAST} are needed)"
        if not self.changes:
            return f"{count}, no change"
        words = []
        for each in self.changes:
            moved = 100 * (math.exp(each.after - each.before) - 1)
            words.append(f"{moved:+.1f} % at {self.whens[each.at]}, commit {self.commits[each.at]} (p = {each.p:.3f})")
        return f"{count}; {'; '.join(words)}"


def history(lines: Iterable[Line], identity: str) -> tuple[list[Series], dict[str, int]]:
    """The series of this machine by row, and how many lines of other machines were left out, by identity."""
    mine, others = of_machine(lines, identity)
    # A case that has changed is another one.
    table: dict[tuple[str, str, str], list[tuple[str, str, Ratio]]] = {}
    for line in mine:
        for what, ratio in _ratios(line):
            when = str(line.get("at") or line.get("when", ""))
            commit = str(line.get("commit") or line.get("on", {}).get("commit", "unknown"))
            table.setdefault((str(line["row"]), what, str(line.get("case_hash", ""))), []).append((when, commit, ratio))
    found = []
    for (row, what, case), points in sorted(table.items()):
        points.sort(key=lambda each: each[0])
        whens, commits = [each[0] for each in points], [each[1] for each in points]
        values, lows, highs = ([each[2][part] for each in points] for part in range(3))
        changes = change_points([math.log(each) for each in values])
        found.append(Series(row, what, case, values, lows, highs, whens, commits, changes))
    left: dict[str, int] = {}
    for line in others:
        name = identity_of(line)
        left[name] = left.get(name, 0) + 1
    return found, left


def _ratios(line: Line) -> list[tuple[str, Ratio]]:
    """What of a line can be followed: ratios of paired runs, of which the time of one side alone is none."""
    if line.get("kind") in ("try", "check"):
        ratio = float(line["ratio"])
        low, high = line.get("interval", (ratio, ratio))
        return [("time(try)/time(baseline)", (ratio, float(low), float(high)))]
    found = []
    for each in line.get("comparisons", ()) if "row" in line else ():
        value = each.get("value")
        if value is not None and each.get("unit") == "x" and value > 0:
            # A benchmark row says how many times as fast as its peer it is.
            low, high = each.get("low") or value, each.get("high") or value
            found.append((f"time/time({each['peer']})", (1 / float(value), 1 / float(high), 1 / float(low))))
    return found
