# SPDX-License-Identifier: Apache-2.0
"""Whether a try gives the baseline's results: every case and seed, within physics.toml, on the record with hashes."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from penstock.lab import code_hash, results
from penstock.lab.arrays import Outputs, apart, nan_count, same_names
from penstock.lab.baseline import OTHER_SHAPE, arrays_of, check_unchanged, key, run_case
from penstock.lab.errors import LabError
from penstock.lab.layout import Try
from penstock.lab.project import Case, Settings, Tolerance, code, settings, start


def validate(tried: Try, *, write: bool = True) -> dict[str, Any]:
    """Runs the try in a fresh process against the latest freeze and writes validation.json, passed or not.

    Raises LabError only where it cannot be run: no freeze, a changed baseline, an import that fails.
    """
    project = tried.project
    found = settings(project)
    place, frozen = check_unchanged(project, found)
    reference = arrays_of(place)
    faults: list[str] = []
    worst: dict[str, dict[str, float]] = {}
    with tempfile.TemporaryDirectory() as scratch, start(project, tried, found.speed.time_limit) as process:
        for case in found.cases:
            for seed in found.seeds:
                try:
                    answer, outputs = run_case(process, case, seed, found, Path(scratch))
                except LabError as error:
                    faults.append(f"case {case.name}, seed {seed}: {error}")
                    if not process.alive:
                        break
                    continue
                wanted = _frozen(reference, case, seed)
                faults += [f"case {case.name}, seed {seed}: {each}" for each in _faults(wanted, outputs, found, worst)]
                faults += [f"case {case.name}, seed {seed}: {each}" for each in _own_faults(answer, found)]
            if not process.alive:
                break
        loaded = code(process, project) if process.alive else {"files": {}, "packages": {}}
    record = {
        "project": project.name,
        "try": tried.name,
        "passed": not faults,
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "faults": faults,
        "worst": worst,
        "cases": {each.name: each.hash for each in found.cases},
        "seeds": list(found.seeds),
        "freeze": frozen["freeze"],
        "code": loaded,
        "hashes": hashes(loaded, frozen, found),
    }
    if write:
        results.write_record(tried.validation, record)
    return record


def hashes(loaded: Mapping[str, Any], frozen: Mapping[str, Any], found: Settings) -> dict[str, str]:
    """What a validation, and each measurement after it, is of."""
    return {
        "implementation": code_hash.digest(loaded),
        "baseline": frozen["code_hash"],
        "outputs": frozen["outputs_hash"],
        **found.hashes,
    }


def read(tried: Try) -> dict[str, Any] | None:
    """The last validation; None where there is none."""
    try:
        record: dict[str, Any] = json.loads(tried.validation.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    return record


def standing(tried: Try) -> tuple[dict[str, Any] | None, str]:
    """The last validation and why it does not count now; an empty reason where it does."""
    record = read(tried)
    if record is None:
        return None, "it was never validated"
    if not record["passed"]:
        return record, f"its validation failed: {record['faults'][0]}"
    try:
        _, frozen = check_unchanged(tried.project, found := settings(tried.project))
    except LabError as error:
        return record, str(error).split("\n", 1)[0]
    now = {"baseline": frozen["code_hash"], "outputs": frozen["outputs_hash"], **found.hashes}
    changed = [f"{name} has another hash" for name, value in now.items() if record["hashes"][name] != value]
    changed += code_hash.changed_files(record["code"], tried.project.base)
    return record, "; ".join(changed) and f"the code is no longer what was validated: {'; '.join(changed)}"


def require(tried: Try) -> dict[str, Any]:
    """The validation that counts. Raises LabError where none does."""
    record, reason = standing(tried)
    if record is None or reason:
        raise LabError(
            f"{tried.project.name}, {tried.name}: not measured, because {reason}\n"
            f"  penstock lab validate {tried.project.name} {tried.name} comes first",
            2,
        )
    return record


def _frozen(reference: Outputs, case: Case, seed: int) -> Outputs:
    start_of = key(case.name, seed, "")
    return {name.removeprefix(start_of): each for name, each in reference.items() if name.startswith(start_of)}


def _faults(wanted: Outputs, got: Outputs, found: Settings, worst: dict[str, dict[str, float]]) -> list[str]:
    """What is wrong with a run's outputs; the greatest deviations are collected in `worst`."""
    faults = []
    if wrong := same_names(list(wanted), list(got)):
        faults.append(f"the set of outputs {wrong}")
    for name in (each for each in wanted if each in got):
        reference, array, allowed = wanted[name], got[name], found.physics.of(name)
        if reference.shape != array.shape or reference.dtype != array.dtype:
            faults.append(
                f"output '{name}' is {array.dtype} {array.shape}, expected {reference.dtype} {reference.shape}"
            )
            continue
        if (count := nan_count(array)) and not allowed.allow_nan:
            faults.append(f"output '{name}' holds {count} NaN")
            continue
        gap = apart(reference, array, allowed.rtol, allowed.atol)
        seen = worst.setdefault(name, {"absolute": 0.0, "relative": 0.0, "share": 0.0})
        for part in seen:
            seen[part] = max(seen[part], getattr(gap, part))
        if fault := _fault(gap.differing, gap.share, allowed):
            faults.append(f"output '{name}' {fault}: {gap.text()}")
    return faults


def _fault(differing: int, share: float, allowed: Tolerance) -> str:
    if allowed.bit_identical:
        return "is not bit-identical, as physics.toml promises" if differing else ""
    return f"is beyond rtol {allowed.rtol:g}, atol {allowed.atol:g}" if share > 1 else ""


def _own_faults(answer: Mapping[str, Any], found: Settings) -> list[str]:
    """Invariants, and a second run on the same inputs."""
    faults = []
    for name, gap in answer["again"].items():
        # Relative to the same output: what is within rtol, or within atol, of the first run is close enough.
        allowed = found.physics.of(name)
        near = gap and (gap["absolute"] <= allowed.atol or gap["relative"] <= allowed.rtol)
        if not near or allowed.bit_identical:
            what = gap["text"] if gap else OTHER_SHAPE
            faults.append(
                f"output '{name}' of a second run on the same inputs: {what}; run() may not change its inputs"
            )
    for each in found.physics.invariants:
        value = answer["invariants"][each.function]
        if not abs(value) <= each.at_most:
            faults.append(f"{each.name} is {value:.3g}, at most {each.at_most:g}")
    return faults
