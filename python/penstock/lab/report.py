# SPDX-License-Identifier: Apache-2.0
"""The report of a project: what was tried, whether it is right, how fast it is, and what did not work.

No speed-up appears unless validation passed on exactly the code that was measured; fewer than ten quadruples are
refused; every run since the first one is shown, whichever way it went, and so is each case that was dropped.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from penstock.lab import baseline, blocks, report_tables, results, scaffold, validate
from penstock.lab.blocks import Block, Heading, Items, Table, Text
from penstock.lab.code_hash import value_hash
from penstock.lab.errors import LabError
from penstock.lab.layout import Project, Try
from penstock.lab.project import LEAST_QUADRUPLES, read_physics

Line = results.Line


def report(project: Project) -> list[Path]:
    """Writes report.md and report.html of the project and of each try; returns the project's two."""
    _, frozen = baseline.latest(project)
    lines = [each for each in results.read(project.root) if each.get("project") == project.name]
    check(lines)
    document = head_blocks(project, frozen)
    summary: list[Block] = []
    details: list[Block] = []
    for tried in project.tries:
        own = results.of_try(lines, project.name, tried.name)
        found = try_blocks(tried, own, latest_profile(project))
        blocks.write(tried.folder, "report", f"{project.name}, {tried.name}", [Heading(1, tried.name), *found])
        details += [Heading(2, f"Try: {tried.name}"), *found]
    counted = {tried.name: counting(tried, results.of_try(lines, project.name, tried.name)) for tried in project.tries}
    summary += [Heading(2, "Summary"), *report_tables.summary(project, counted)]
    document += [*summary, *details, *negative_blocks(project, counted), *honesty_blocks(project, lines)]
    return blocks.write(project.folder, "report", f"Report of {project.name}", document)


def check(lines: Sequence[Line]) -> None:
    """Refuses lines from which nothing can be concluded. Raises LabError."""
    for each in lines:
        if each.get("kind") == "try" and each["n"] < LEAST_QUADRUPLES:
            raise LabError(
                f"results of {each['at']}, {each['row']}: n is {each['n']}, expected at least {LEAST_QUADRUPLES}\n"
                "  no report is made from so few; penstock lab bench measures enough"
            )


def counting(tried: Try, lines: Sequence[Line]) -> list[Line]:
    """The lines whose code is what passed validation, earliest first."""
    record, reason = validate.standing(tried)
    if record is None or reason:
        return []
    return [each for each in lines if each["hashes"] == record["hashes"]]


def head_blocks(project: Project, frozen: Mapping[str, Any]) -> list[Block]:
    """Title, machine and baseline."""
    when = f"Baseline {frozen['freeze']} of {frozen['at']}, code `{frozen['code_hash'][:12]}`."
    found: list[Block] = [Heading(1, f"Report of {project.name}"), Text(when)]
    found += [Heading(2, "Machine"), report_tables.machine(frozen)]
    found += [Heading(2, "Baseline"), report_tables.cost(frozen), Text(report_tables.COST)]
    if profile := latest_profile(project):
        found += [Heading(2, "Where the baseline's time goes"), report_tables.hot(profile)]
    return found


def try_blocks(tried: Try, lines: Sequence[Line], profile: Mapping[str, Any] | None) -> list[Block]:
    """One try: strategy, validation, performance, memory, trade-offs, next steps."""
    notes = sections(tried.notes)
    record, reason = validate.standing(tried)
    found: list[Block] = [Heading(3, "Strategy"), *_prose(notes, "Strategy")]
    found += [Heading(3, "Validation"), *report_tables.validation(record, reason), Heading(3, "Performance")]
    counted = counting(tried, lines)
    if reason:
        found.append(Text(f"No figure counts: {reason}."))
    elif not counted:
        found.append(Text("Not measured on this code; `penstock lab bench` does."))
    else:
        found += report_tables.performance(tried, counted)
        found += [Heading(3, "Percentiles"), *report_tables.percentiles(counted)]
        found += amdahl(notes, profile, counted)
        found += [Heading(3, "Memory"), report_tables.memory(counted)]
    if left := len(lines) - len(counted):
        found.append(Text(f"Earlier results of other code, kept in the results but not shown as figures: {left}."))
    found += [Heading(3, "Trade-offs"), *_prose(notes, "Trade-offs")]
    return [*found, Heading(3, "Next steps"), *_prose(notes, "Next steps")]


def negative_blocks(project: Project, counted: Mapping[str, Sequence[Line]]) -> list[Block]:
    """What did not work, which is kept."""
    texts = []
    for tried in project.tries:
        record, reason = validate.standing(tried)
        if record is not None and not record["passed"]:
            texts.append(f"{tried.name}: {reason}")
        for each in latest_of_each_case(counted[tried.name]):
            if each["verdict"] != "faster":
                texts.append(f"{tried.name}, case {each['case']}: {report_tables.speed_up_text(each)}")
    return [Heading(2, "Negative results"), Items(texts) if texts else Text("None so far.")]


def honesty_blocks(project: Project, lines: Sequence[Line]) -> list[Block]:
    """Cases that were dropped or changed since the first run, and thresholds that moved."""
    now = baseline.latest(project)[1]["cases"]
    before = {name: each for place in reversed(project.freezes) for name, each in baseline.read(place)["cases"].items()}
    seen = {name: each["hash"] for name, each in before.items()}
    for each in reversed([each for each in lines if each.get("kind") == "try"]):
        seen.setdefault(each["case"], each["case_hash"])
    texts = [f"case {name} was dropped" for name in seen if name not in now]
    texts += [f"case {name} was changed" for name in seen if name in now and now[name]["hash"] != seen[name]]
    first, last = (read_physics(project.freezes[place] / "physics.toml") for place in (0, -1))
    if first != last:
        texts.append(f"physics.toml was changed: {first} became {last}")
    nothing = "No case was dropped or changed, and no threshold of physics.toml."
    return [Heading(2, "Since the first run"), Items(texts) if texts else Text(nothing)]


def latest_of_each_case(lines: Sequence[Line]) -> list[Line]:
    """The last line of each case on each machine: the last one, not the best one."""
    return list({(results.identity_of(each), each["case"]): each for each in lines}.values())


def amdahl(notes: Mapping[str, str], profile: Mapping[str, Any] | None, lines: Sequence[Line]) -> list[Block]:
    """What the profile's share of the replaced functions allows, beside what was measured."""
    named = [each.strip().strip("`") for each in notes.get("Replaces", "").split(",") if each.strip()]
    if profile is None:
        return []
    if not named:
        return [Text("Amdahl: notes.md names nothing after `Replaces:`, so that the profile predicts no gain.")]
    # Of one name the function that takes most: what calls it may have the same name, and the time is the same time.
    rows = profile["functions"]
    totals = [max((each["total"] for each in rows if each["function"] == name), default=0.0) for name in named]
    share = min(1.0, sum(totals))
    if share <= 0:
        return [Text(f"Amdahl: the profile knows no function {', '.join(named)}.")]
    limit = 1 / (1 - share) if share < 0.999 else float("inf")
    allows = f"without it at most {limit:.3g}x can be had" if limit < float("inf") else "it sets no limit"
    measured = [1 / each["ratio"] for each in latest_of_each_case(lines)]
    text = f"Amdahl: {', '.join(named)} took {100 * share:.0f} % of the profile, so that {allows} (predicted); "
    text += f"measured: {', '.join(f'{each:.3g}x' for each in measured)}."
    if any(each > limit * 1.05 for each in measured):
        text += (
            " More than that was gained, so that the try changes more than it says, or the profile is of other work."
        )
    return [Text(text)]


def sections(path: Path) -> dict[str, str]:
    """The `## Title` sections of a try's notes.md, and its line "Replaces: function, ..." under that name."""
    found: dict[str, list[str]] = {}
    title = ""
    for line in path.read_text(encoding="utf-8").splitlines() if path.is_file() else ():
        if line.startswith("## "):
            title = line.removeprefix("## ").strip()
        elif line.startswith("Replaces:"):
            if named := line.removeprefix("Replaces:").strip():
                found["Replaces"] = [named]
        else:
            found.setdefault(title, []).append(line)
    texts = {name: "\n".join(each).strip() for name, each in found.items()}
    # What `penstock lab try` has written is a question and no answer.
    return {name: "" if f"## {name}\n\n{text}\n" in scaffold.NOTES else text for name, text in texts.items()}


def latest_profile(project: Project) -> dict[str, Any] | None:
    """The project's last profile, or None."""
    files = sorted((project.folder / "profile").glob("*/profile.json"))
    if not files:
        return None
    found: dict[str, Any] = json.loads(files[-1].read_text(encoding="utf-8"))
    return found


def digest(line: Line) -> str:
    """Short name of the code of a line."""
    return value_hash(line["hashes"])[:8]


def _prose(notes: Mapping[str, str], title: str) -> list[Block]:
    paragraphs = [each for each in notes.get(title, "").split("\n\n") if each.strip()]
    return [Text(" ".join(each.split("\n"))) for each in paragraphs] or [Text("Nothing is written in notes.md.")]


__all__ = ["Table", "amdahl", "check", "counting", "report", "sections"]
