# SPDX-License-Identifier: Apache-2.0
"""Benchmarks of a try against its baseline: refused unless validation passed on exactly this code.

Each case is measured in ABBA quadruples, both sides in fresh processes for each, ceilings of the machine among them. A
line a case goes to the results, and all cases are measured: none can be chosen.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from penstock.lab import code_hash, machine, results, validate
from penstock.lab.ceilings import rates, standard
from penstock.lab.compare import QUANTILES, early, is_decided
from penstock.lab.errors import LabError
from penstock.lab.estimate import Estimate, estimate, percentile
from penstock.lab.layout import Try
from penstock.lab.pairs import LEAST_QUADRUPLES, Times, measure_until
from penstock.lab.process import Process
from penstock.lab.project import Case, Settings, code, settings, start
from penstock.lab.remote import Remote
from penstock.lab.verdict import verdict

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
    ceilings: Mapping[str, float]
    in_ceilings: Mapping[str, float]
    # Of each side, how many calls a sample is the mean of.
    calls: Mapping[str, int]


def bench(tried: Try, *, measure: Measure = measure_until, say: Callable[[str], None] = lambda _: None) -> list[Any]:
    """Measures every case and appends the lines, which it returns. Raises LabError where validation does not count."""
    record = validate.require(tried)
    found = settings(tried.project)
    lines = []
    on = machine.record(tried.project.base)
    for case in found.cases:
        measured = measure_case(tried, case, found, record, measure=measure)
        lines.append(line_of(tried, case, found, record, measured, on))
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
    decided: Callable[[Estimate], bool] = is_decided,
) -> Measured:
    """One case, both sides in fresh processes. More quadruples are bought until `decided`, or the time is used up."""
    kernels = standard()

    def enough(times: Times) -> bool:
        # A look before the time is used up must be surer than the verdict, or equal sides would differ too often.
        return times.quadruples >= found.speed.quadruples and early(times.log_ratios(BASELINE, [TRY]), decided)

    set_up: dict[str, float] = {}

    def beginning(name: str) -> Callable[[int], Process]:
        def begin(turn: int) -> Process:
            seed = found.seeds[turn % len(found.seeds)]
            process = start(tried.project, tried if name == TRY else None, found.speed.time_limit)
            try:
                answer = process.ask("prepare", arguments=case.arguments, seeds=[seed])
            except BaseException:
                process.close()
                raise
            set_up[name] = max(set_up.get(name, 0.0), float(answer["set_up_seconds"]))
            return process

        return begin

    with ExitStack() as stack:
        every = found.speed.quadruples_a_process
        sides = {name: stack.enter_context(Remote(beginning(name), every)) for name in (BASELINE, TRY)}
        check_code(tried, sides[TRY].process, record)
        before = machine.now()
        times = measure(
            sides,
            enough,
            found.speed.most_seconds,
            least=found.speed.least_seconds,
            ceilings={name: each.side for name, each in kernels.items()},
        )
        beside = machine.beside(before, machine.now())
        check_code(tried, sides[TRY].process, record)
    if times.quadruples < LEAST_QUADRUPLES:
        raise LabError(
            f"{tried.project.name}, {tried.name}, case {case.name}: {times.quadruples} quadruples in "
            f"{found.speed.most_seconds:g} s, expected at least {LEAST_QUADRUPLES}\n"
            "  raise most_seconds in speed.toml, or make the case smaller"
        )
    usage = {name: _usage(tried, name, case, found) for name in (BASELINE, TRY)}
    calls = {name: side.calls for name, side in sides.items()}
    return Measured(ratio_of(times), times, usage, set_up, beside, rates(times, kernels), _in_ceilings(times), calls)


def check_code(tried: Try, process: Process, record: Mapping[str, Any]) -> None:
    """Refuses a process that has loaded other code than what was validated."""
    if changed := code_hash.changes(record["code"], code(process, tried.project), tried.project.base):
        raise LabError(
            f"{record['project']}, {record['try']}: not measured, because the code is no longer what was validated: "
            f"{'; '.join(changed)}\n  penstock lab validate {record['project']} {record['try']} comes first",
            2,
        )


def ratio_text(ratio: Estimate) -> str:
    """The speed-up in words, with its interval; `ratio` is time(try)/time(baseline)."""
    return f"{1 / ratio.value:.3g}x [{1 / ratio.high:.3g}, {1 / ratio.low:.3g}], n = {ratio.n}, {verdict(ratio)}"


def percentiles(samples: Sequence[float]) -> dict[str, float | None]:
    """P50, P99 and P999 of a side's samples; None where they are not enough."""
    return {name: percentile(samples, q) for name, q in QUANTILES.items()}


def ratio_of(times: Times) -> Estimate:
    """time(try)/time(baseline) of the quadruples so far."""
    return estimate(times.log_ratios(BASELINE, [TRY])).exp()


def _in_ceilings(times: Times) -> dict[str, float]:
    """The try's time in units of each ceiling kernel's: how many such kernels would run in it."""
    found = {}
    for name in times.ceilings:
        if logs := times.log_shares(TRY, name):
            found[name] = 1 / estimate(logs).exp().value
    return found


def _usage(tried: Try, side: str, case: Case, found: Settings) -> dict[str, Any]:
    """What one run uses, in a process in which nothing else ran."""
    with start(tried.project, tried if side == TRY else None, found.speed.time_limit) as process:
        return process.ask("usage", arguments=case.arguments, seed=found.seeds[0])


def line_of(
    tried: Try,
    case: Case,
    found: Settings,
    record: Mapping[str, Any],
    measured: Measured,
    on: Mapping[str, Any],
    kind: str = "try",
) -> dict[str, Any]:
    """A line of the results; its kind is "try", or "check" for a gate's."""
    ratio = measured.ratio
    return {
        "kind": kind,
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
        "percentiles": {name: percentiles(measured.times.seconds(name)) for name in (BASELINE, TRY)},
        "samples": {name: len(measured.times.seconds(name)) for name in (BASELINE, TRY)},
        "calls": dict(measured.calls),
        "ratio": ratio.value,
        "interval": [ratio.low, ratio.high],
        "spread": ratio.spread,
        "verdict": verdict(ratio),
        "ceilings": dict(measured.ceilings),
        "in_ceilings": dict(measured.in_ceilings),
        "usage": dict(measured.usage),
        "set_up_seconds": {BASELINE: 0.0, TRY: 0.0, **measured.set_up_seconds},
        "beside": dict(measured.beside),
        "noisy": bool(measured.beside.get("noisy")),
        "identity": machine.identity(on),
        "target": on["target"],
        "compiler": on["compiler"],
        "commit": on["commit"],
        "on": dict(on),
    }
