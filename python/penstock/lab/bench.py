# SPDX-License-Identifier: Apache-2.0
"""Benchmarks of a try against its baseline: refused unless validation passed on exactly this code.

Each case is measured with both sides in fresh processes, in ABBA quadruples, ceilings of the machine among them. A
line a case goes to the results, and all cases are measured: none can be chosen.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from penstock.lab import code_hash, machine, results, validate
from penstock.lab.errors import LabError
from penstock.lab.estimate import Estimate, estimate
from penstock.lab.layout import Try
from penstock.lab.pairs import LEAST_QUADRUPLES, Times, measure_until
from penstock.lab.process import Process
from penstock.lab.project import Case, Settings, settings, start
from penstock.lab.sampled import Sampled
from penstock.lab.sides import Side
from penstock.lab.verdict import UNDECIDED, verdict

BASELINE, TRY = "baseline", "try"
Measure = Callable[..., Times]


@dataclass(frozen=True)
class Measured:
    """A case's times and what else was seen. `ratio` is time(try)/time(baseline)."""

    ratio: Estimate
    times: Times
    usage: Mapping[str, Any]
    set_up_seconds: Mapping[str, float]
    beside: Mapping[str, Any]
    shares: Mapping[str, float]


def bench(tried: Try, *, measure: Measure = measure_until, say: Callable[[str], None] = lambda _: None) -> list[Any]:
    """Measures every case and appends the lines, which it returns. Raises LabError where validation does not count."""
    record = validate.require(tried)
    found = settings(tried.project)
    lines = []
    on = machine.record(tried.project.base)
    for case in found.cases:
        measured = measure_case(tried, case, found, record, measure=measure)
        lines.append(_line(tried, case, found, record, measured, on))
        say(f"{case.name}: {ratio_text(measured.ratio)}")
    results.append(tried.project.root, lines)
    return lines


def measure_case(
    tried: Try,
    case: Case,
    found: Settings,
    record: Mapping[str, Any],
    *,
    measure: Measure = measure_until,
    decided: Callable[[Estimate], bool] | None = None,
) -> Measured:
    """One case, both sides in fresh processes. More quadruples are bought until `decided`, or the time is used up."""
    content = decided or (lambda ratio: verdict(ratio) != UNDECIDED)

    def enough(times: Times) -> bool:
        return times.quadruples >= found.speed.quadruples and content(_ratio(times))

    with ExitStack() as stack:
        processes = {
            BASELINE: stack.enter_context(start(tried.project, None, found.speed.time_limit)),
            TRY: stack.enter_context(start(tried.project, tried, found.speed.time_limit)),
        }
        set_up = {}
        for name, process in processes.items():
            answer = process.ask("prepare", arguments=case.arguments, seeds=list(found.seeds))
            set_up[name] = float(answer["set_up_seconds"])
        check_code(tried, processes[TRY], record)
        sides = {name: Sampled(process, found.seeds) for name, process in processes.items()}
        before = machine.now()
        times = measure(
            sides, enough, found.speed.most_seconds, least=found.speed.least_seconds, warm_up=2, ceilings=ceilings()
        )
        beside = machine.beside(before, machine.now())
        check_code(tried, processes[TRY], record)
    if times.quadruples < LEAST_QUADRUPLES:
        raise LabError(
            f"{tried.project.name}, {tried.name}, case {case.name}: {times.quadruples} quadruples in "
            f"{found.speed.most_seconds:g} s, expected at least {LEAST_QUADRUPLES}\n"
            "  raise most_seconds in speed.toml, or make the case smaller"
        )
    usage = {name: _usage(tried, name, case, found) for name in (BASELINE, TRY)}
    return Measured(_ratio(times), times, usage, set_up, beside, _shares(times))


def check_code(tried: Try, process: Process, record: Mapping[str, Any]) -> None:
    """Refuses a process that has loaded other code than what was validated."""
    if changed := code_hash.changes(record["code"], process.code(base := tried.project.base), base):
        raise LabError(
            f"{record['project']}, {record['try']}: not measured, because the code is no longer what was validated: "
            f"{'; '.join(changed)}\n  penstock lab validate {record['project']} {record['try']} comes first",
            2,
        )


def ratio_text(ratio: Estimate) -> str:
    """The speed-up in words, with its interval; `ratio` is time(try)/time(baseline)."""
    return f"{1 / ratio.value:.3g}x [{1 / ratio.high:.3g}, {1 / ratio.low:.3g}], n = {ratio.n}, {verdict(ratio)}"


def ceilings() -> Mapping[str, Side]:
    """What the machine can do at that moment, for the same quadruples."""
    return {}


def _ratio(times: Times) -> Estimate:
    return estimate(times.log_ratios(BASELINE, [TRY])).exp()


def _shares(times: Times) -> dict[str, float]:
    """The try's samples in units of each ceiling kernel's: how many such kernels would run in its time."""
    found = {}
    for name in times.ceilings:
        if logs := times.log_shares(TRY, name):
            found[name] = 1 / estimate(logs).exp().value
    return found


def _usage(tried: Try, side: str, case: Case, found: Settings) -> dict[str, Any]:
    """What one run uses, in a process in which nothing else ran."""
    with start(tried.project, tried if side == TRY else None, found.speed.time_limit) as process:
        return process.ask("usage", arguments=case.arguments, seed=found.seeds[0])


def _line(
    tried: Try, case: Case, found: Settings, record: Mapping[str, Any], measured: Measured, on: Mapping[str, Any]
) -> dict[str, Any]:
    ratio = measured.ratio
    return {
        "kind": "try",
        "row": f"{tried.project.name}/{tried.name}/{case.name}",
        "project": tried.project.name,
        "try": tried.name,
        "case": case.name,
        "case_hash": case.hash,
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "hashes": record["hashes"],
        "seeds": list(found.seeds),
        "n": ratio.n,
        "median": {name: measured.times.median(name) for name in (BASELINE, TRY)},
        "ratio": ratio.value,
        "interval": [ratio.low, ratio.high],
        "spread": ratio.spread,
        "verdict": verdict(ratio),
        "ceilings": dict(measured.shares),
        "usage": dict(measured.usage),
        "set_up_seconds": dict(measured.set_up_seconds),
        "beside": dict(measured.beside),
        "noisy": bool(measured.beside.get("noisy")),
        "identity": machine.identity(on),
        "target": on["target"],
        "compiler": on["compiler"],
        "commit": on["commit"],
        "on": dict(on),
        "load": os.getloadavg()[0],
    }
