# SPDX-License-Identifier: Apache-2.0
"""The tables and pictures of a project's report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from penstock.lab.blocks import Block, Items, Picture, Table, Text
from penstock.lab.layout import Project, Try
from penstock.lab.results import Line, identity_of
from penstock.lab.svg import Axis, Chart, number_text
from penstock.lab.svg_bars import Bar, bars
from penstock.progress import size_text

COST = "These are one machine's figures at one time, for the record. Speed-ups come from paired runs alone."


def machine(frozen: Mapping[str, Any]) -> Block:
    """What the baseline was frozen on."""
    on = frozen["machine"]
    if not on:
        return Text("No machine is on record.")
    versions = ", ".join(f"{name} {each}" for name, each in on["versions"].items())
    rows = [
        ("machine", on["machine"]),
        ("CPUs", str(on["cpus"])),
        ("memory", size_text(on["memory"])),
        ("caches", ", ".join(size_text(each) for each in on["caches"])),
        ("governor, huge pages", f"{on.get('governor', 'unknown')}, {on['huge_pages']}"),
        ("GPU", frozen["gpu"]),
        ("CPU target", on["target"]),
        ("compiler", on["compiler"]),
        ("commit", on["commit"] + (" with changes" if on["changed"] else "")),
        ("versions", versions),
    ]
    return Table(("what", "value"), rows)


def cost(frozen: Mapping[str, Any]) -> Block:
    """Time, CPU, memory, page faults and I/O of each case of the baseline."""
    rows = []
    for name, each in frozen["measured"].items():
        used = each["usage"]
        faults = f"{used['minor_faults']} minor, {used['major_faults']} major"
        io = "not available"
        if used["io"] is not None:
            io = f"{size_text(used['io']['rchar'])} read, {size_text(used['io']['wchar'])} written"
        time = f"{number_text(each['median_seconds'], 's')} (n = {each['n']})"
        cpus = f"{used['cpus_used']:.2f}"
        rows.append((name, time, cpus, _size(used["memory_peak"]), _size(used["memory_average"]), faults, io))
    return Table(("case", "median time", "CPUs used", "peak memory", "average memory", "page faults", "I/O"), rows)


def hot(profile: Mapping[str, Any]) -> Block:
    """The lines that take more than a tenth of the time."""
    rows = [
        (
            f"{each['file']}:{each['line']}",
            f"`{each['code']}`",
            f"{100 * each['own']:.0f} %",
            f"{100 * each['total']:.0f} %",
        )
        for each in profile["lines"]
        if each["hot"]
    ]
    return Table(("line", "source", "own", "total"), rows) if rows else Text("No line takes more than a tenth.")


def validation(record: Mapping[str, Any] | None, reason: str) -> list[Block]:
    """Whether the results are right, and how near."""
    if record is None:
        return [Text("Not validated.")]
    where = f"{scope(record)}, against freeze {record['freeze']}"
    if not record["passed"]:
        return [Text(f"**Failed** ({where}):"), Items(record["faults"][:10])]
    word = "Passed, but no longer of this code" if reason else "Passed"
    rows = [
        (name, f"{each['absolute']:.3g}", f"{each['relative']:.3g}", f"{100 * each['share']:.3g} %")
        for name, each in record["worst"].items()
    ]
    head = ("output", "greatest difference", "relative", "of what is allowed")
    return [Text(f"{word}: {where}, code `{record['hashes']['implementation'][:12]}`."), Table(head, rows)]


def scope(record: Mapping[str, Any]) -> str:
    """How many cases and seeds a validation has run."""
    counts = {"case": len(record["cases"]), "seed": len(record["seeds"])}
    return ", ".join(f"{n} {word}{'s' * (n != 1)}" for word, n in counts.items())


def summary(project: Project, counted: Mapping[str, Sequence[Line]]) -> list[Block]:
    """Every try and case in one table and one picture."""
    rows, drawn = [], []
    for name, lines in counted.items():
        latest = list({(identity_of(each), each["case"]): each for each in lines}.values())
        for each in latest:
            rows.append((name, each["case"], speed_up_text(each), each["verdict"], "yes" if each["noisy"] else "no"))
            low, high = 1 / each["interval"][1], 1 / each["interval"][0]
            drawn.append(Bar(f"{name}, {each['case']}", 1 / each["ratio"], low, high, text=f"{1 / each['ratio']:.3g}x"))
        if not latest:
            rows.append((name, "", "no figure that counts", "", ""))
    if not rows:
        return [Text(f"Nothing has been tried yet; `penstock lab try {project.name} NAME` begins.")]
    head = ("try", "case", "speed-up with 95 % interval", "verdict", "busy machine")
    found: list[Block] = [Table(head, rows)]
    if drawn:
        axis = Axis("times as fast as the baseline", log=True)
        found.append(Picture("speed-ups", "speed-ups with their intervals", bars("Speed-up of each try", drawn, axis)))
    return found


def performance(tried: Try, lines: Sequence[Line]) -> list[Block]:
    """Every run of this code, in order; none is left out."""
    rows = []
    for each in lines:
        times = " / ".join(number_text(each["median"][side], "s") for side in ("baseline", "try"))
        share = ", ".join(f"{value:.3g} x {name}" for name, value in each["in_ceilings"].items())
        spread = f"{100 * each['spread']:.2g} %"
        where = f"{identity_of(each)}{', busy' if each['noisy'] else ''}"
        rows.append((each["at"], each["case"], speed_up_text(each), spread, times, share, where, each["verdict"]))
    head = ("when", "case", "speed-up", "spread", "baseline / try", "time in ceilings", "machine", "verdict")
    set_up = max(each["set_up_seconds"]["try"] for each in lines)
    text = f"Set-up off the clock: {number_text(set_up, 's')} (once for all calls). Ratios are of paired ABBA runs."
    return [Table(head, rows), Text(text), Picture(f"{tried.name}-runs", "speed-ups run by run", _chart(tried, lines))]


def percentiles(lines: Sequence[Line]) -> list[Block]:
    """Of the last measurement of each case, both sides' samples by rank."""
    rows = []
    for each in {each["case"]: each for each in lines if "percentiles" in each}.values():
        for side, found in each["percentiles"].items():
            calls = each["calls"].get(side, 1)
            of = f"{each['samples'][side]}, each {'one call' if calls == 1 else f'the mean of {calls} calls'}"
            shown = ["not enough" if value is None else number_text(value, "s") for value in found.values()]
            rows.append((each["case"], side, of, *shown))
    if not rows:
        return [Text("Not recorded.")]
    words = (
        "By rank, not estimated: P99 needs 100 samples and P999 needs 1000. A mean of calls hides the slowest of them."
    )
    return [Table(("case", "side", "samples", "P50", "P99", "P999"), rows), Text(words)]


def memory(lines: Sequence[Line]) -> Block:
    """Peak memory of the baseline's process and of the try's, in one run of the last measurement."""
    rows = []
    for each in {each["case"]: each for each in lines}.values():
        before, after = (each["usage"][side]["memory_peak"] for side in ("baseline", "try"))
        change = "not available"
        if before and after:
            change = f"{100 * (after - before) / before:+.1f} %"
        rows.append((each["case"], _size(before), _size(after), change))
    return Table(("case", "baseline, peak", "try, peak", "change"), rows)


def speed_up_text(line: Line) -> str:
    """1.52x [1.49, 1.55], n = 15."""
    low, high = line["interval"]
    return f"{1 / line['ratio']:.3g}x [{1 / high:.3g}, {1 / low:.3g}], n = {line['n']}"


def _chart(tried: Try, lines: Sequence[Line]) -> str:
    cases = dict.fromkeys(each["case"] for each in lines)
    most = max(sum(each["case"] == case for each in lines) for case in cases)
    runs = Axis("run", low=0.0, high=most + 1.0, whole=True)
    chart = Chart(f"{tried.name}: every run of this code", runs, Axis("times as fast as the baseline"))
    for case in cases:
        own = [each for each in lines if each["case"] == case]
        places = [float(place + 1) for place in range(len(own))]
        low, high = [1 / each["interval"][1] for each in own], [1 / each["interval"][0] for each in own]
        chart.points(places, [1 / each["ratio"] for each in own], low, high, case)
    return chart.horizontal(1.0, "baseline").svg()


def _size(value: int | None) -> str:
    return "not available" if value is None else size_text(value)
