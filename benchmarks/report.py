# SPDX-License-Identifier: Apache-2.0
"""Makes docs/reference/performance.md and its pictures from the results: python benchmarks/report.py [RESULTS]

Without RESULTS: the newest benchmarks/results/<date>.jsonl. Only what lies between the page's markers is replaced;
benchmarks/reasons.toml says why a bar was missed. --check writes nothing and fails when the page or a picture is not
what the results give.
"""

from __future__ import annotations

import argparse
import json
import sys
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pictures import of_roofline, over_size, ratios
from report_summary import WHOLE, parts, summary, whole_table
from report_tables import disturbances, origin, setups, table
from rows import ROWS

HERE = Path(__file__).resolve().parent
RESULTS = HERE / "results"
PAGE = HERE.parent / "docs" / "reference" / "performance.md"
PICTURES = HERE.parent / "docs" / "pictures"
UNDRAWN = (WHOLE, "Method", "Start")  # too many rows, or hardly any
REASONS = HERE / "reasons.toml"
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


def body(lines: list[Line], why: Mapping[str, str] | None = None) -> str:
    """What lies between the markers: machine by machine, for figures of two are not compared.

    The machine measured last has the claims, what was missed with the reasons, and the pictures.
    """
    if not lines:
        return "There are no results yet: `make bench` makes them.\n"
    text = []
    for number, own in enumerate(by_machine(lines)):
        if number == 0:
            text += [*origin(own), *summary(own, reasons() if why is None else why), *overviews(own)]
        else:
            text += ["### On another machine", "", *origin(own)]
        for group in dict.fromkeys(line["group"] for line in own):
            inside = [line for line in own if line["group"] == group]
            text += [f"{'####' if number else '###'} {group}", "", *of_group(inside, drawn=number == 0)]
        text += disturbances(own)
    return "\n".join(text).rstrip() + "\n"


def of_group(lines: list[Line], *, drawn: bool) -> list[str]:
    """A group's picture, table and notes."""
    if lines[0]["group"] == WHOLE:
        return [*whole_table(lines), ""]
    group = lines[0]["group"]
    drawn = drawn and group not in UNDRAWN and bool(ratios(group, lines))
    picture = [f"![{group}: ratios with intervals and bars]({link(group)})", ""] if drawn else []
    return [*picture, *table(lines), "", *setups(lines), "", *(part for line in lines for part in parts(line))]


def overviews(lines: list[Line]) -> list[str]:
    """The pictures of all rows together."""
    shown = {"sizes": ("throughput over size", over_size(lines)), "roofline": ("roofline", of_roofline(lines))}
    found = [f"![{text}]({link(name)})" for name, (text, picture) in shown.items() if picture]
    return [each for line in found for each in (line, "")]


def pictures(lines: list[Line]) -> dict[Path, str]:
    """The pictures' files and texts, of the machine measured last."""
    own = by_machine(lines)[0] if lines else []
    groups = dict.fromkeys(line["group"] for line in own if line["group"] not in UNDRAWN)
    drawn = {group: ratios(group, [line for line in own if line["group"] == group]) for group in groups}
    drawn |= {"sizes": over_size(own), "roofline": of_roofline(own)}
    return {picture_file(name): text for name, text in drawn.items() if text}


def picture_file(name: str) -> Path:
    return PICTURES / f"performance-{name.lower().replace(' ', '-')}.svg"


def link(name: str) -> str:
    return f"../pictures/{picture_file(name).name}"


def reasons() -> dict[str, str]:
    """Why rows missed their bars, by row."""
    return dict(tomllib.loads(REASONS.read_text(encoding="utf-8")))


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
    texts = pictures(lines)
    stale = [file for file in PICTURES.glob("performance-*.svg") if file not in texts]
    if not settings.check:
        for file in stale:
            file.unlink()
    return write({PAGE: page(PAGE.read_text(encoding="utf-8"), lines), **texts}, check=settings.check)


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
