# SPDX-License-Identifier: Apache-2.0
"""Makes docs/reference/performance.md and its chart from the results: python benchmarks/report.py [RESULTS] [--check]

Without RESULTS: the newest benchmarks/results/<date>.jsonl. Only what lies between the page's markers is replaced.
--check writes nothing and fails when the page or the chart is not what the results give.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import chart
from rows import ROWS

HERE = Path(__file__).resolve().parent
RESULTS = HERE / "results"
PAGE = HERE.parent / "docs" / "reference" / "performance.md"
CHART = PAGE.with_suffix(".svg")
BEGIN, END = "<!-- results: begin (benchmarks/{}) -->", "<!-- results: end -->"
Line = dict[str, Any]


def newest() -> Path | None:
    """The newest full results: a file named by a date."""
    found = sorted(RESULTS.glob("[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9].jsonl"))
    return found[-1] if found else None


def read(file: Path | None) -> list[Line]:
    """The lines of a results file, those of the machine measured last first, each in the order of the table.

    Of a row run again on a machine the last one counts. No file: no lines.
    """
    if file is None or not file.is_file():
        return []
    latest: dict[tuple[str, str], Line] = {}
    for text in file.read_text(encoding="utf-8").splitlines():
        line = json.loads(text)
        if "row" not in line:  # what the lab's own commands found lies in the same folder
            continue
        latest.pop((machine_of(line), line["row"]), None)
        latest[machine_of(line), line["row"]] = line
    place = {row.name: number for number, row in enumerate(ROWS)}
    machines = list(dict.fromkeys(machine for machine, _ in reversed(latest)))
    return sorted(
        latest.values(), key=lambda line: (machines.index(machine_of(line)), place.get(line["row"], len(place)))
    )


def machine_of(line: Line) -> str:
    """What rows must share to stand in one table."""
    return str(line["on"]["machine"])


def by_machine(lines: Iterable[Line]) -> list[list[Line]]:
    """The lines of each machine by themselves, in the order in which the machines come."""
    table: dict[str, list[Line]] = {}
    for line in lines:
        table.setdefault(machine_of(line), []).append(line)
    return list(table.values())


def number(value: float) -> str:
    """Three significant figures, never as a power of ten."""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def value_text(each: Line) -> str:
    if each["value"] is None:
        return "-"
    return f"{figure(each, 'value')}{'' if each['unit'] == 'x' else ' '}{each['unit']}"


def figure(each: Line, key: str) -> str:
    """One of a comparison's numbers; counts are whole."""
    return f"{each[key]:g}" if each["unit"] == "distinct" else number(each[key])


def interval_text(each: Line) -> str:
    return "-" if each["low"] is None else f"{figure(each, 'low')} to {figure(each, 'high')}"


def bar_text(each: Line) -> str:
    return "-" if each["bar"] is None else f"{'<=' if each['at_most'] else '>='} {figure(each, 'bar')}"


def table(lines: Iterable[Line]) -> list[str]:
    """One group's table; a row of several comparisons takes several lines."""
    text = [
        "| what | against | result | 95 % interval | spread | bar | verdict |",
        "|---|---|---|---|---|---|---|",
    ]
    for line in lines:
        mark = " \\*" if line["beside"]["noisy"] else ""
        if line.get("refused"):
            text.append(f"| {line['title']}{mark} | | | | | | refused: {cell(line['refused'])} |")
            continue
        for each in line["comparisons"]:
            spread = "-" if each["spread"] is None else spread_text(each)
            tail = each["verdict"] + (f": {cell(each['note'])}" if each["note"] else "")
            cells = [line["title"] + mark, each["peer"], value_text(each), interval_text(each), spread, bar_text(each)]
            text.append(f"| {' | '.join([*cells, tail])} |")
    return text


def spread_text(each: Line) -> str:
    return f"{each['spread']:.1%}" if each["unit"] == "x" else figure(each, "spread")


def cell(text: str) -> str:
    """Text that cannot end a table's cell."""
    return text.replace("|", "/").replace("\n", " ")


def setups(lines: Iterable[Line]) -> list[str]:
    """What each row ran on, how often, and what share of the machine it reached."""
    text = []
    for line in lines:
        if line.get("refused"):
            continue
        parts = [f"{line['setup']}; n = {line['n']}"]
        if line["checked"]:
            parts.append(f"checked: {line['checked']}")
        if line["share_of_ceiling"] is not None:
            parts.append(
                f"{line['share_of_ceiling']:.0%} of the bytes a second of a {line['ceiling']} in the same quadruples"
            )
        text.append(f"* {line['title']}: {'; '.join(parts)}.")
    return text


def disturbances(lines: Iterable[Line]) -> list[str]:
    """The rows beside which something else ran."""
    noisy = [line for line in lines if line["beside"]["noisy"]]
    if not noisy:
        return ["Nothing else of weight ran beside any row.", ""]
    text = ["\\* Measured while others used the machine:", ""]
    for line in noisy:
        beside = line["beside"]
        names = f" ({cell(', '.join(beside['processes']))})" if beside["processes"] else ""
        text.append(
            f"* {line['title']}: others took {beside['others']:.2f} CPUs{names}, the host {beside['steal']:.2f}."
        )
    return [*text, ""]


def commits(lines: Iterable[Line]) -> list[str]:
    """What was measured, and whether its files were those of the commit."""
    return sorted({line["on"]["commit"] + (" with changes" if line["on"]["changed"] else "") for line in lines})


def origin(lines: list[Line]) -> list[str]:
    """The machine, the build and the versions."""
    on = lines[-1]["on"]
    versions = ", ".join(f"{name} {version}" for name, version in on["versions"].items())
    scales = sorted({line["scale"] for line in lines})
    days = sorted({line["when"][:10] for line in lines})
    text = [
        f"{on['machine']}, {on['cpus']} CPUs, {on['memory'] / 2**30:.0f} GiB, L3 {on['caches'][2] >> 20} MiB,",
        f"huge pages {on['huge_pages']}. CPU target {on['target']}, {lines[-1]['threads']} threads, {on['compiler']}.",
        f"{versions}. Commit {', '.join(commits(lines))}; measured {' and '.join(days)}.",
    ]
    if scales != [1]:
        text.append(f"Sizes are {', '.join(f'{scale:g}' for scale in scales)} of those named.")
    return [*text, ""]


def body(lines: list[Line]) -> str:
    """What lies between the markers: machine by machine, for figures of two are not compared."""
    if not lines:
        return "There are no results yet: `make bench` makes them.\n"
    text = []
    for number, own in enumerate(by_machine(lines)):
        head = [] if number == 0 else ["### On another machine", ""]
        chart_of = ["![ratios with their intervals and bars](performance.svg)", ""] if number == 0 else []
        text += [*head, *origin(own), *chart_of]
        for group in dict.fromkeys(line["group"] for line in own):
            inside = [line for line in own if line["group"] == group]
            text += [f"{'####' if number else '###'} {group}", "", *table(inside), "", *setups(inside), ""]
        text += disturbances(own)
    return "\n".join(text).rstrip() + "\n"


def picture(lines: list[Line]) -> str:
    """The chart, of the machine measured last."""
    return chart.draw(by_machine(lines)[0] if lines else [])


def page(text: str, lines: list[Line]) -> str:
    """The page with its results replaced."""
    return replaced(text, "report.py", body(lines))


def replaced(text: str, script: str, results: str) -> str:
    """A page with what lies between a script's markers replaced. Raises ValueError when a marker is missing."""
    marker = BEGIN.format(script)
    head, begin, rest = text.partition(marker)
    _, end, tail = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"the page lacks the lines {marker!r} and {END!r} around its results")
    return f"{head}{begin}\n\n{results}\n{END}{tail}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("results", nargs="?", type=Path, help="a file of results; default: the newest")
    parser.add_argument("--check", action="store_true", help="write nothing; fail when something would change")
    settings = parser.parse_args()
    if settings.results is not None and not settings.results.is_file():
        parser.error(f"no file {settings.results}")
    lines = read(settings.results or newest())
    return write({PAGE: page(PAGE.read_text(encoding="utf-8"), lines), CHART: picture(lines)}, check=settings.check)


def write(texts: Mapping[Path, str], *, check: bool) -> int:
    """Writes the files that differ from their texts and says which, or only says so: then the exit status is 1."""
    changed = [file for file, text in texts.items() if not file.is_file() or file.read_text(encoding="utf-8") != text]
    if changed:
        print(f"{'differ from the results' if check else 'written'}: {', '.join(each.name for each in changed)}")
    if check:
        return 1 if changed else 0
    for file in changed:
        file.write_text(texts[file], encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
