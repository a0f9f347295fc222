# SPDX-License-Identifier: Apache-2.0
"""The gate: every promoted try is validated and measured again; a confirmed loss fails, an undecided one says so.

A gate fails when results are no longer right, when the speed-up is below its least for sure, or when the ratio to the
baseline has grown beyond the threshold since promotion: on the machine of the promotion only, because another's ratio
is no reference. Instructions, where they can be counted on the same platform, are the second gate.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from penstock.lab import instructions, machine, results, validate
from penstock.lab.bench import Measured, line_of, measure_case, ratio_text
from penstock.lab.errors import LabError
from penstock.lab.estimate import Estimate
from penstock.lab.layout import Try, existing_project, existing_try
from penstock.lab.project import Case, Settings, settings
from penstock.lab.promote import Gate
from penstock.lab.verdict import gate_fails

PASSED, FAILED, UNDECIDED = "passed", "FAILED", "undecided"
MeasureCase = Callable[..., Measured]


def worst(*statuses: str) -> str:
    """The status that counts."""
    return max(statuses, key=(PASSED, UNDECIDED, FAILED).index)


@dataclass
class Outcome:
    """What became of one gate, with words about each case."""

    gate: Gate
    status: str = PASSED
    texts: list[str] = field(default_factory=list)

    def add(self, status: str, text: str) -> None:
        """The worst status counts."""
        self.status = worst(self.status, status)
        self.texts.append(text)


def check(
    gate: Gate,
    root: Any,
    *,
    identity: str | None = None,
    measure: MeasureCase = measure_case,
    count: Callable[..., instructions.Counted] = instructions.count,
) -> Outcome:
    """Validates and measures one gate's try; what it measured goes to the results. Raises LabError where it cannot be
    run at all."""
    tried = existing_try(existing_project(gate.project, root), gate.tried)
    found = settings(tried.project)
    outcome = Outcome(gate)
    record = validate.validate(tried, write=False)
    if not record["passed"]:
        outcome.add(FAILED, f"its results are no longer right: {record['faults'][0]}")
        return outcome
    on = machine.record(tried.project.base)
    here = identity or machine.identity(on)
    for name in gate.ratios:
        case = next((each for each in found.cases if each.name == name), None)
        if case is None:
            outcome.add(FAILED, f"{name}: the case is gone from {tried.project.cases}")
            continue
        measured, status = _check_case(outcome, tried, case, found, record, here, measure)
        status = worst(status, _check_instructions(outcome, tried, case, found, count))
        line = line_of(tried, case, found, record, measured, on, "check")
        # At once: what a later case does takes nothing away from this one.
        results.append(tried.project.root, [{**line, "gate": gate.path.stem, "status": status.lower()}])
    return outcome


def _check_case(
    outcome: Outcome,
    tried: Try,
    case: Case,
    found: Settings,
    record: Mapping[str, Any],
    here: str,
    measure: MeasureCase,
) -> tuple[Measured, str]:
    gate = outcome.gate
    recorded = gate.ratios[case.name] if gate.identity == here else None

    def decided(ratio: Estimate) -> bool:
        return judged(ratio, recorded, gate)[0] != UNDECIDED

    measured = measure(tried, case, found, record, decided=decided)
    status, why = judged(measured.ratio, recorded, gate)
    noise = "; the machine was busy with other work" if measured.beside.get("noisy") else ""
    outcome.add(status, f"{case.name}: {ratio_text(measured.ratio)}: {why}{noise}")
    return measured, status


def judged(ratio: Estimate, recorded: Estimate | None, gate: Gate) -> tuple[str, str]:
    """What time(try)/time(baseline) means for a gate, and why. Without a record of this machine only the least
    speed-up counts."""
    limit = 1 / gate.min_speedup
    if ratio.low > limit:
        return FAILED, f"below {gate.min_speedup:g}x for sure"
    if recorded is not None and gate_fails(since := change(ratio, recorded), gate.threshold):
        slower = 100 * (since.value - 1)
        return FAILED, f"slower than when it was promoted by {slower:.1f} %, {1 / recorded.value:.3g}x then"
    if ratio.high > limit:
        return UNDECIDED, f"whether it is below {gate.min_speedup:g}x is undecided"
    if recorded is None:
        return PASSED, f"at least {gate.min_speedup:g}x; promoted on another machine, whose ratio is no reference here"
    if since.low <= 1 + gate.threshold < since.high:
        return UNDECIDED, f"at least {gate.min_speedup:g}x; a loss of {100 * gate.threshold:g} % is undecided"
    return PASSED, f"at least {gate.min_speedup:g}x, no loss since it was promoted"


def change(now: Estimate, then: Estimate) -> Estimate:
    """The ratio now over the ratio then; both intervals count, as independent ones."""
    centre = math.log(now.value / then.value)
    below = math.hypot(math.log(now.value / now.low), math.log(then.high / then.value))
    above = math.hypot(math.log(now.high / now.value), math.log(then.value / then.low))
    low, high = math.exp(centre - below), math.exp(centre + above)
    return Estimate(math.exp(centre), low, high, now.spread, now.n)


def _check_instructions(
    outcome: Outcome, tried: Try, case: Case, found: Settings, count: Callable[..., instructions.Counted]
) -> str:
    """The second gate: it fails beyond the threshold, and only says so where a count cannot be compared."""
    before = outcome.gate.instructions.get(case.name)
    if before is None:
        return PASSED
    if outcome.gate.platform != instructions.platform():
        outcome.texts.append(f"{case.name}: instructions not compared: counted under {outcome.gate.platform}")
        return PASSED
    now = count(tried, case, found.seeds[0])
    if now.value is None:
        outcome.texts.append(f"{case.name}: instructions {now.why}")
        return PASSED
    grown = now.value / before - 1
    status = FAILED if grown > outcome.gate.threshold else PASSED
    outcome.add(status, f"{case.name}: {now.value:,} instructions, {100 * grown:+.2f} % since it was promoted")
    return status


def require(outcome: Outcome) -> None:
    """Raises LabError with exit status 5 for a gate that failed."""
    if outcome.status == FAILED:
        lines = [f"{outcome.gate.project}, {outcome.gate.tried}: regression", *(f"  {each}" for each in outcome.texts)]
        raise LabError("\n".join(lines), 5)
