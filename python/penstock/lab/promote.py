# SPDX-License-Identifier: Apache-2.0
"""Promotion: a try whose recorded intervals support a least speed-up becomes a gate case, <root>/gates/NAME-TRY.toml.

`penstock lab check` measures it again, in pairs; pytest collects it with --lab.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from penstock.lab import instructions, machine, results, validate
from penstock.lab.errors import LabError
from penstock.lab.estimate import Estimate
from penstock.lab.layout import Try
from penstock.lab.project import settings

HEAD = """\
# A gate case of `penstock lab check`. ratio is time(try)/time(baseline) at promotion, on the machine `identity`.
"""


@dataclass(frozen=True)
class Gate:
    """What is guarded: at least `min_speedup` in every case, and no ratio worse than the recorded by `threshold`."""

    project: str
    tried: str
    min_speedup: float
    threshold: float
    identity: str
    ratios: Mapping[str, Estimate]
    instructions: Mapping[str, int]
    platform: str
    path: Path


def promote(
    tried: Try,
    min_speedup: float,
    *,
    identity: str | None = None,
    instructed: bool = False,
    count: Callable[..., instructions.Counted] = instructions.count,
) -> Path:
    """Writes the gate case. Raises LabError where the last recorded interval of a case, on this machine and of exactly
    this code, does not lie above `min_speedup`, or where the gate exists."""
    project = tried.project
    path = project.root / "gates" / f"{project.name}-{tried.name}.toml"
    if path.exists():
        raise LabError(f"{path} exists already\n  delete it to promote anew; nothing was changed", 2)
    if min_speedup <= 1:
        raise LabError(f"--min-speedup is {min_speedup:g}, expected more than 1: a gate guards a gain", 2)
    record = validate.require(tried)
    here = identity or machine.identity(machine.record(project.base))
    mine, _ = results.of_machine(results.of_try(results.read(project.root), project.name, tried.name), here)
    latest = {each["case"]: each for each in mine if each["hashes"] == record["hashes"]}
    found = settings(project)
    for case in found.cases:
        line = latest.get(case.name)
        if line is None:
            raise LabError(
                f"{project.name}, {tried.name}, case {case.name}: no result of this code on this machine\n"
                f"  penstock lab bench {project.name} {tried.name} measures it",
                2,
            )
        if not 1 / line["interval"][1] >= min_speedup:
            low, high = 1 / line["interval"][1], 1 / line["interval"][0]
            raise LabError(
                f"{project.name}, {tried.name}, case {case.name}: not promoted, because its speed-up was "
                f"{1 / line['ratio']:.3g}x [{low:.3g}, {high:.3g}] and the whole interval must lie above "
                f"{min_speedup:g}x\n  choose a --min-speedup of at most {low:.3g}, or make it faster"
            )
    unasked = instructions.Counted(None, "not asked for")
    counted = {case.name: count(tried, case, found.seeds[0]) if instructed else unasked for case in found.cases}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(_text(tried, min_speedup, found.speed.threshold, here, latest, counted), encoding="utf-8")
    return path


def _text(
    tried: Try,
    min_speedup: float,
    threshold: float,
    identity: str,
    latest: Mapping[str, results.Line],
    counted: Mapping[str, instructions.Counted],
) -> str:
    lines = [HEAD + f"project = {_quoted(tried.project.name)}", f"try = {_quoted(tried.name)}"]
    lines += [f"min_speedup = {min_speedup!r}", f"threshold = {threshold!r}", f"identity = {_quoted(identity)}"]
    lines += [f"platform = {_quoted(instructions.platform())}"]
    for name, counts in counted.items():
        line = latest[name]
        low, high = line["interval"]
        lines += ["", "[[case]]", f"name = {_quoted(name)}", f"ratio = {line['ratio']!r}"]
        lines += [f"interval = [{low!r}, {high!r}]", f"spread = {line['spread']!r}", f"n = {line['n']}"]
        # Absent where they could not be counted; the comment says why.
        lines.append(f"instructions = {counts.value}" if counts.value is not None else f"# instructions: {counts.why}")
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    """A TOML basic string; JSON's are the same for what names hold."""
    return json.dumps(text)


def gates(root: Path) -> list[Gate]:
    """Every gate case, by file name."""
    return [read(each) for each in sorted((root / "gates").glob("*.toml"))]


def read(path: Path) -> Gate:
    """A gate case. Raises LabError for a file that is none."""
    try:
        data: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
        return Gate(
            data["project"],
            data["try"],
            float(data["min_speedup"]),
            float(data["threshold"]),
            data["identity"],
            {each["name"]: _estimate(each) for each in data["case"]},
            {each["name"]: each["instructions"] for each in data["case"] if "instructions" in each},
            data["platform"],
            path,
        )
    except (tomllib.TOMLDecodeError, KeyError, TypeError, ValueError) as error:
        raise LabError(f"{path}: no gate case: {error!r}\n  penstock lab promote writes them") from None


def _estimate(case: Mapping[str, Any]) -> Estimate:
    low, high = case["interval"]
    return Estimate(case["ratio"], low, high, case["spread"], case["n"])
