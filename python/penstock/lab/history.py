# SPDX-License-Identifier: Apache-2.0
"""The history of each row of the results on one machine, and where it changed."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from penstock.lab.change_points import Change, change_points
from penstock.lab.results import Line, identity_of, of_machine


@dataclass(frozen=True)
class Series:
    """A row's ratios over time, where lower is faster; `whens` and `commits` go with `values`."""

    row: str
    what: str
    values: list[float]
    whens: list[str]
    commits: list[str]
    changes: list[Change]

    def text(self) -> str:
        """The changes in words."""
        if not self.changes:
            return f"{self.row}, {self.what}: {len(self.values)} results, no change"
        words = []
        for each in self.changes:
            moved = 100 * (math.exp(each.after - each.before) - 1)
            words.append(f"{moved:+.1f} % at {self.whens[each.at]}, commit {self.commits[each.at]} (p = {each.p:.3f})")
        return f"{self.row}, {self.what}: {len(self.values)} results; {'; '.join(words)}"


def history(lines: Iterable[Line], identity: str) -> tuple[list[Series], dict[str, int]]:
    """The series of this machine by row, and how many lines of other machines were left out, by identity."""
    mine, others = of_machine(lines, identity)
    table: dict[tuple[str, str], list[tuple[str, str, float]]] = {}
    for line in mine:
        for what, value in _values(line):
            when = str(line.get("at") or line.get("when", ""))
            commit = str(line.get("commit") or line.get("on", {}).get("commit", "unknown"))
            table.setdefault((str(line["row"]), what), []).append((when, commit, value))
    found = []
    for (row, what), points in sorted(table.items()):
        points.sort(key=lambda each: each[0])
        logs = [math.log(each[2]) for each in points]
        whens, commits = [each[0] for each in points], [each[1] for each in points]
        found.append(Series(row, what, [each[2] for each in points], whens, commits, change_points(logs)))
    left: dict[str, int] = {}
    for line in others:
        name = identity_of(line)
        left[name] = left.get(name, 0) + 1
    return found, left


def _values(line: Line) -> list[tuple[str, float]]:
    """What of a line can be followed: ratios of paired runs, of which the time of one side alone is none."""
    if line.get("kind") == "try":
        return [("time(try)/time(baseline)", float(line["ratio"]))]
    found = []
    for each in line.get("comparisons", ()) if "row" in line else ():
        value = each.get("value")
        if value is not None and each.get("unit") == "x" and value > 0:
            # A benchmark row says how many times as fast as its peer it is.
            found.append((f"time/time({each['peer']})", 1 / float(value)))
    return found
