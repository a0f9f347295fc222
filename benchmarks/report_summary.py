# SPDX-License-Identifier: Apache-2.0
"""What the results come to: the claims, what was missed and why, rows slower than NumPy, the whole table by size."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any

from claims import CLAIMS, LEAST_OF_NUMPY, NO_ROW_BELOW, Claim, of_row
from report_tables import Line, bar_text, cell, interval_text, number, value_text
from rows import ROWS
from rows_sweep import AT, LARGEST, SIZES

WHOLE = "All sizes and dtypes"
# What bars were set with; the verdict is the newest's.
BESIDE = "numpy-1.24"
ORDER = ("missed", "refused", "undecided", "not measured", "met")
NO_REASON = "not looked into yet"


def comparisons(lines: Iterable[Line]) -> Iterator[tuple[Line, Line]]:
    """Each comparison with its row."""
    for line in lines:
        for each in line.get("comparisons", []):
            yield line, each


def summary(lines: list[Line], why: Mapping[str, str]) -> list[str]:
    """The claims, the bars that were missed, and the rows below NumPy."""
    return [*claims(lines), "", *missed(lines, why), *below_numpy(lines, why)]


def facts(lines: list[Line]) -> Line:
    """The claims and the rows below NumPy of one machine's lines, as a line of the results."""
    verdicts = [(claim, *judged(claim, lines)) for claim in CLAIMS]
    slow = [f"{line['row']}{at(each)}" for line, each in below(lines)]
    return {
        "kind": "summary",
        "claims": [
            {"work": one.work, "bar": one.bar, "verdict": what, "not met": short} for one, what, short in verdicts
        ],
        "no row below": {
            "of NumPy's speed": LEAST_OF_NUMPY,
            "comparisons": sum(against_numpy(each) for _, each in comparisons(lines)),
            "below": slow,
        },
    }


def claims(lines: list[Line]) -> list[str]:
    """Each claim in its own words, what became of it, and which of its comparisons decided that."""
    text = ["### Claims", "", "| work | bar | verdict | not met |", "|---|---|---|---|"]
    for claim in CLAIMS:
        verdict, short = judged(claim, lines)
        text.append(f"| {claim.work} | {claim.bar} | {verdict} | {cell('; '.join(short)) or '-'} |")
    slow, all_ = below(lines), [each for _, each in comparisons(lines) if against_numpy(each)]
    verdict = ("missed" if slow else "met") if all_ else "not measured"
    text.append(f"| {' | '.join(NO_ROW_BELOW)} | {verdict} | {len(slow)} of {len(all_)} comparisons |")
    return text


def judged(claim: Claim, lines: list[Line]) -> tuple[str, list[str]]:
    """The worst verdict of a claim's comparisons, and those that are not met.

    Lines that were measured under other words do not count.
    """
    inside = [line for line in lines if claim.covers(line["row"]) and line.get("claim") == of_row(line["row"])]
    lacking = [row.name for row in ROWS if claim.covers(row.name) and row.name not in {line["row"] for line in inside}]
    refused = [f"{line['title']}: {line['refused']}" for line in inside if line.get("refused")]
    held = [(line, each) for line, each in comparisons(inside) if each["bar"] is not None and each["peer"] != BESIDE]
    verdicts = {each["verdict"] for _, each in held} | ({"refused"} if refused else set())
    verdicts |= {"not measured"} if lacking else set()
    worst = next((each for each in ORDER if each in verdicts), "not measured")
    short = [
        f"{line['title']} / {each['peer']} {value_text(each)} ({bar_text(each)}, {each['verdict']})"
        for line, each in held
        if each["verdict"] != "met"
    ]
    return worst, [*refused, *short, *([f"not measured: {', '.join(lacking)}"] if lacking else [])]


def missed(lines: list[Line], why: Mapping[str, str]) -> list[str]:
    """The bars that the whole interval misses: by how much, and why."""
    found = [
        (line, each) for line, each in comparisons(lines) if each["verdict"] == "missed" and each["peer"] != BESIDE
    ]
    if not found:
        return []
    text = ["### Missed bars", "", "| what | against | result | bar | short by | why |", "|---|---|---|---|---|---|"]
    for line, each in found:
        cells = [line["title"], each["peer"], value_text(each), bar_text(each), short_by(each)]
        text.append(f"| {' | '.join([*cells, reason(line['row'], why)])} |")
    return [*text, ""]


def reason(row: str, why: Mapping[str, str]) -> str:
    """What is said about a row: the text of its name, or of the first pattern that it matches."""
    found = why.get(row) or next((text for pattern, text in why.items() if fnmatchcase(row, pattern)), NO_REASON)
    return cell(found)


def short_by(each: Line) -> str:
    """How far a result is from its bar, as a share of the bar."""
    return f"{abs(each['value'] / each['bar'] - 1):.0%}"


def against_numpy(each: Line) -> bool:
    """Whether a comparison of times is with the newest NumPy."""
    return each["unit"] in ("x", "of its time") and each["value"] is not None and each["peer"].split(AT)[0] == "numpy"


def speed_bounds(each: Line) -> tuple[float, float, float]:
    """(low, value, high) of how many times as fast, whether told as speed or as a share of the time."""
    if each["unit"] == "x":
        return each["low"], each["value"], each["high"]
    return 1 / each["high"], 1 / each["value"], 1 / each["low"]


def is_below(each: Line) -> bool:
    """Whether the whole interval lies below what the claim allows."""
    return against_numpy(each) and speed_bounds(each)[2] < LEAST_OF_NUMPY


def below(lines: Iterable[Line]) -> list[tuple[Line, Line]]:
    return [(line, each) for line, each in comparisons(lines) if is_below(each)]


def below_numpy(lines: list[Line], why: Mapping[str, str]) -> list[str]:
    """The comparisons in which NumPy is faster for sure; of a row over sizes, its sizes together."""
    rows: dict[str, list[tuple[Line, Line]]] = {}
    for line, each in below(lines):
        rows.setdefault(line["row"], []).append((line, each))
    if not rows:
        return []
    text = ["### Slower than NumPy", "", "| what | times as fast as NumPy | why |", "|---|---|---|"]
    last = ""
    for row, found in rows.items():
        speeds = "; ".join(f"{number(speed_bounds(each)[1])}x{at(each)}" for _, each in found)
        because = reason(row, why)
        text.append(f"| {found[0][0]['title']} | {speeds} | {'as above' if because == last else because} |")
        last = because
    return [*text, ""]


def at(each: Line) -> str:
    size = each["peer"].partition(AT)[2]
    return f" at {size}" if size else ""


def whole_table(lines: list[Line]) -> list[str]:
    """How many times as fast as NumPy at each size; in bold where NumPy is faster for sure."""
    columns = (*SIZES, LARGEST)
    text = [f"| what | {' | '.join(columns)} |", f"|---|{'---|' * len(columns)}"]
    for line in lines:
        if line.get("refused"):
            text.append(f"| {line['title']} | refused: {cell(line['refused'])} |{' |' * (len(columns) - 1)}")
            continue
        found = {each["peer"].partition(AT)[2]: each for each in line["comparisons"]}
        text.append(f"| {line['title']} | {' | '.join(ratio_cell(found.get(size)) for size in columns)} |")
    setup = next((line for line in lines if not line.get("refused")), None)
    note = f" {setup['setup']}, n = {setup['n']}." if setup else ""
    return [*text, "", f"Times as fast as NumPy; bold: slower, the whole interval below {LEAST_OF_NUMPY:g}.{note}"]


def ratio_cell(each: Line | None) -> str:
    if each is None:
        return ""
    if each["value"] is None:
        return "-"
    shown = f"{number(each['value'])}x"
    return f"**{shown}**" if is_below(each) else shown


def parts(line: Line) -> list[str]:
    """What a row of many has of each, folded away."""
    shown: list[dict[str, Any]] = [each for each in line.get("parts", []) if "what" in each]
    if not shown:
        return []
    text = ["<details>", f"<summary>{line['title']}: each of them</summary>", ""]
    text += ["| steps | ratio | 95 % interval |", "|---|---|---|"]
    for each in sorted(shown, key=lambda each: float(each["value"])):
        steps = cell(each["what"].replace(" | ", ", "))
        text.append(f"| `{steps}` | {number(each['value'])}x | {interval_text({**each, 'unit': 'x'})} |")
    return [*text, "", "</details>", ""]
