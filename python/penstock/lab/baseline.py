# SPDX-License-Identifier: Apache-2.0
"""Freezing a baseline: its outputs, code and cost, on record before anything is compared with it."""

from __future__ import annotations

import json
import shutil
import statistics
import tempfile
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from penstock.lab import code_hash, counters, results
from penstock.lab.arrays import Outputs, apart
from penstock.lab.errors import LabError
from penstock.lab.layout import Project
from penstock.lab.process import Process
from penstock.lab.project import LEAST_QUADRUPLES, Case, Settings, code, settings, start

RECORD = "record.json"
ARRAYS = "outputs.npz"
OTHER_SHAPE = "has another shape or is missing"


def freeze(project: Project, *, again: bool = False, machine: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Runs every case and seed in two fresh processes, compares them, measures one, and writes a freeze.

    An earlier freeze stays; a further one needs `again`. Raises LabError for a baseline that gives NaNs, differs from
    run to run, or changes its inputs.
    """
    if project.freezes and not again:
        raise LabError(
            f"{project.name} was frozen already: {project.freezes[-1]}\n"
            "  --again freezes anew and keeps the earlier freeze; tries are then validated against the new one",
            2,
        )
    found = settings(project)
    with tempfile.TemporaryDirectory() as scratch:
        first = _collect(project, found, Path(scratch, "first"))
        second = _collect(project, found, Path(scratch, "second"))
        _check_repeats(project.name, first, second)
        before = counters.gpus()
        measured = _measure(project, found)
        after = counters.gpus()
        record = {
            "project": project.name,
            "at": datetime.now(UTC).isoformat(timespec="seconds"),
            "code": first["code"],
            "code_hash": code_hash.digest(first["code"]),
            "hashes": {**found.hashes, "baseline": code_hash.file_hash(project.baseline)},
            "seeds": list(found.seeds),
            "cases": {each.name: {"arguments": each.arguments, "hash": each.hash} for each in found.cases},
            "outputs": first["shapes"],
            "invariants": first["invariants"],
            "invariants_exceeded": first["exceeded"],
            "measured": measured,
            "gpu": counters.gpu_text(before, after),
            "gpus": {"before": before, "after": after},
            "machine": dict(machine or {}),
        }
        return _write(project, record, first["arrays"])


def latest(project: Project) -> tuple[Path, dict[str, Any]]:
    """The freeze that counts. Raises LabError where there is none."""
    if not project.freezes:
        raise LabError(f"{project.name} has no frozen baseline\n  penstock lab baseline {project.name} freezes one", 2)
    place = project.freezes[-1]
    return place, read(place)


def read(place: Path) -> dict[str, Any]:
    """A freeze's record."""
    record: dict[str, Any] = json.loads((place / RECORD).read_text(encoding="utf-8"))
    return record


def check_unchanged(project: Project, found: Settings) -> tuple[Path, dict[str, Any]]:
    """The latest freeze, if the baseline, its cases and its physics are still what was frozen. Raises LabError."""
    place, record = latest(project)
    changed = [each for each in ("cases", "physics") if record["hashes"][each] != found.hashes[each]]
    words = [f"{each}.toml has changed" for each in changed] + code_hash.changed_files(record["code"], project.base)
    if words:
        raise LabError(
            f"{project.name} is no longer what {place} froze: {'; '.join(words)}\n"
            f"  undo it, or freeze anew: penstock lab baseline {project.name} --again"
        )
    return place, record


def key(case: str, seed: int, output: str) -> str:
    """An output's name in outputs.npz."""
    return f"{case}/{seed}/{output}"


def arrays_of(place: Path) -> Outputs:
    """Every frozen output, by key()."""
    if not (place / ARRAYS).is_file():
        raise LabError(f"{place / ARRAYS} is missing\n  penstock lab baseline NAME --again freezes the outputs anew")
    with np.load(place / ARRAYS, allow_pickle=False) as stored:
        return {name: stored[name] for name in stored.files}


def run_case(process: Process, case: Case, seed: int, found: Settings, scratch: Path) -> tuple[dict[str, Any], Outputs]:
    """One case and seed in a side's process: the child's answer, and the outputs."""
    scratch.mkdir(parents=True, exist_ok=True)
    file = scratch / "outputs.npz"
    functions = [each.function for each in found.physics.invariants]
    answer = process.ask("outputs", arguments=case.arguments, seed=seed, file=str(file), invariants=functions)
    with np.load(file, allow_pickle=False) as stored:
        return answer, {name: stored[name] for name in stored.files}


def _collect(project: Project, found: Settings, scratch: Path) -> dict[str, Any]:
    """All outputs of one fresh process."""
    arrays: Outputs = {}
    shapes: dict[str, Any] = {}
    values: dict[str, float] = {}
    exceeded: list[str] = []
    with start(project, None, found.speed.time_limit) as process:
        for case in found.cases:
            for seed in found.seeds:
                answer, outputs = run_case(process, case, seed, found, scratch)
                where = f"{project.name}, case {case.name}, seed {seed}"
                _check_nan(where, answer["outputs"], found)
                if answer["again"]:
                    gaps = {name: gap["text"] if gap else OTHER_SHAPE for name, gap in answer["again"].items()}
                    raise LabError(_unstable(where, gaps, "a second run on the same inputs"))
                arrays |= {key(case.name, seed, name): each for name, each in outputs.items()}
                shapes |= {key(case.name, seed, name): each for name, each in answer["outputs"].items()}
                for each in found.physics.invariants:
                    value = answer["invariants"][each.function]
                    values[f"{case.name}/{seed}/{each.name}"] = value
                    if not abs(value) <= each.at_most:
                        exceeded.append(f"{where}: {each.name} is {value:.3g}, at most {each.at_most:g}")
        loaded = code(process, project)
    return {"arrays": arrays, "shapes": shapes, "invariants": values, "exceeded": exceeded, "code": loaded}


def _check_nan(where: str, shapes: Mapping[str, Any], found: Settings) -> None:
    for name, each in shapes.items():
        if each["nan"] and not found.physics.of(name).allow_nan:
            raise LabError(
                f"{where}: output '{name}' holds {each['nan']} NaN\n"
                "  mend the baseline, or say allow_nan = true in physics.toml where NaN is a right answer"
            )


def _check_repeats(name: str, first: Mapping[str, Any], second: Mapping[str, Any]) -> None:
    """Two fresh processes must agree to the bit."""
    gaps = {}
    for where, array in first["arrays"].items():
        other = second["arrays"].get(where)
        if other is None or other.shape != array.shape:
            gaps[where] = OTHER_SHAPE
        elif (gap := apart(array, other)).differing:
            gaps[where] = gap.text()
    if gaps:
        raise LabError(_unstable(name, gaps, "a second run in a fresh process"))


def _unstable(where: str, gaps: Mapping[str, str], what: str) -> str:
    lines = [f"{where}: the baseline is not deterministic: {what} gives other outputs"]
    lines += [f"  {output}: {gap}" for output, gap in list(gaps.items())[:5]]
    if "same inputs" in what:
        lines.append(
            "  run() changes its inputs or draws numbers without the seed: copy the former, make the latter in inputs()"
        )
    else:
        lines.append("  pass the seed on to every source of random numbers; fix the order of sums and of sets")
    return "\n".join(lines)


def _measure(project: Project, found: Settings) -> dict[str, Any]:
    """Of each case: seconds of ten runs and what one run uses. It is a record, not a comparison."""
    measured = {}
    for case in found.cases:
        with start(project, None, found.speed.time_limit) as process:
            process.ask("prepare", arguments=case.arguments, seeds=list(found.seeds))
            seeds = [found.seeds[each % len(found.seeds)] for each in range(LEAST_QUADRUPLES)]
            seconds = [float(process.ask("time", seed=seed, calls=1)["seconds"]) for seed in seeds]
            used = process.ask("usage", arguments=case.arguments, seed=found.seeds[0])
        measured[case.name] = {
            "n": len(seconds),
            "median_seconds": statistics.median(seconds),
            "mean_seconds": statistics.fmean(seconds),
            "deviation_seconds": statistics.stdev(seconds),
            "usage": used,
        }
    return measured


def _write(project: Project, record: dict[str, Any], arrays: Outputs) -> dict[str, Any]:
    """Writes into a folder of the next number; the record comes last and makes the freeze count."""
    folder = project.folder / "frozen"
    used = [int(each.name) for each in folder.glob("[0-9][0-9][0-9][0-9]")] if folder.is_dir() else []
    place = folder / f"{max(used, default=0) + 1:04}"
    place.mkdir(parents=True)
    np.savez(place / ARRAYS, **arrays)  # type: ignore[arg-type]  # every keyword is an array
    for each in (project.baseline, project.cases, project.physics, project.speed):
        shutil.copy2(each, place / each.name)
    record = {**record, "freeze": place.name, "outputs_hash": code_hash.file_hash(place / ARRAYS)}
    results.write_record(place / RECORD, record)
    return record
