# SPDX-License-Identifier: Apache-2.0
"""Two sides against each other: interleaved quadruples until a verdict is found or the time is used up."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from penstock.lab import machine
from penstock.lab.ceilings import Ceiling, rates, share
from penstock.lab.estimate import CONFIDENCE, Estimate, certain, estimate, percentile
from penstock.lab.pairs import LEAST_QUADRUPLES, Times, Watch, measure, measure_until
from penstock.lab.sides import Side
from penstock.lab.verdict import UNDECIDED, verdict

# What a look before the time is used up must be certain of. Several looks at 95 % would find a difference between
# equal sides far more often than in 5 % of the comparisons; several looks at 99.9 % add little to that.
EARLY = 0.999
QUANTILES = {"p50": 0.5, "p99": 0.99, "p999": 0.999}


@dataclass(frozen=True)
class Comparison:
    """What B is to A. ``ratio`` is time(B)/time(A), and ``n`` how many quadruples it comes from."""

    verdict: str
    ratio: float
    interval: tuple[float, float]
    confidence: float
    spread: float
    n: int
    a: dict[str, Any]
    b: dict[str, Any]
    share_of_ceiling: dict[str, dict[str, float]] | None
    ceilings: dict[str, float]
    ceiling_share: float
    seconds: float
    noisy: bool
    beside: dict[str, Any]
    notes: list[str] = field(default_factory=list)

    @property
    def estimate(self) -> Estimate:
        """The ratio with its interval, for the gate."""
        return Estimate(self.ratio, *self.interval, self.spread, self.n)

    def to_dict(self) -> dict[str, Any]:
        """As JSON can carry it."""
        return {**asdict(self), "interval": list(self.interval)}


def is_decided(ratio: Estimate) -> bool:
    """Whether there is a verdict."""
    return verdict(ratio) != UNDECIDED


def compare(
    a: Side,
    b: Side,
    *,
    seconds: float = 60.0,
    quadruples: int | None = None,
    decided: Callable[[Estimate], bool] = is_decided,
    least: float = 0.05,
    ceilings: Mapping[str, Ceiling] | None = None,
    work: Mapping[str, float] | None = None,
    watch: Watch | None = None,
) -> Comparison:
    """Runs A B B A until ``decided`` is sure of time(B)/time(A), at most ``seconds``; or exactly ``quadruples``.

    A sample lasts at least ``least`` seconds; with 0 the sides stay as calibrated. ``ceilings`` run in the middle of
    the quadruples; ``work`` says how much of a ceiling's unit one call of each side does, by the ceiling's name, which
    makes a share of it. Fewer than 10 quadruples give no verdict but undecided.
    """
    sides, kernels = {"a": a, "b": b}, ceilings or {}
    running = {name: ceiling.side for name, ceiling in kernels.items()}
    start, started = machine.now(), time.monotonic()
    if quadruples is not None:
        times = measure(sides, quadruples, warm_up=1, least=least, ceilings=running, watch=watch)
    else:
        times = measure_until(
            sides,
            lambda seen: early(seen.log_ratios("a", ["b"]), decided),
            seconds,
            least=least,
            ceilings=running,
            watch=watch,
        )
    lasted = time.monotonic() - started
    beside = machine.beside(start, machine.now())
    return summary(times, sides, kernels, work or {}, lasted, beside)


def early(log_ratios: Sequence[float], decided: Callable[[Estimate], bool]) -> bool:
    """Whether a look before the time is used up decides."""
    found = certain(log_ratios, EARLY)
    return found is not None and decided(found.exp())


def ratio_of(times: Times) -> Estimate:
    """time(B)/time(A) of the quadruples so far."""
    return estimate(times.log_ratios("a", ["b"])).exp()


def summary(
    times: Times,
    sides: Mapping[str, Side],
    ceilings: Mapping[str, Ceiling],
    work: Mapping[str, float],
    seconds: float,
    beside: dict[str, Any],
) -> Comparison:
    """The comparison that some times give."""
    ratio, notes = ratio_of(times), []
    found = verdict(ratio)
    if ratio.n < LEAST_QUADRUPLES:
        found = UNDECIDED
        needed = seconds / ratio.n * (LEAST_QUADRUPLES + 2)
        notes.append(f"n = {ratio.n} is below {LEAST_QUADRUPLES}: some {needed:.0f} seconds are needed")
    return Comparison(
        verdict=found,
        ratio=ratio.value,
        interval=(ratio.low, ratio.high),
        confidence=CONFIDENCE,
        spread=ratio.spread,
        n=ratio.n,
        a=times_of(times, "a", sides["a"]),
        b=times_of(times, "b", sides["b"]),
        share_of_ceiling=shares(times, sides, ceilings, work) or None,
        ceilings=rates(times, ceilings),
        ceiling_share=times.ceiling_share,
        seconds=seconds,
        noisy=bool(beside["noisy"]),
        beside=beside,
        notes=notes,
    )


def shares(
    times: Times, sides: Mapping[str, Side], ceilings: Mapping[str, Ceiling], work: Mapping[str, float]
) -> dict[str, dict[str, float]]:
    """Of each ceiling for which the work is known, the share that each side reached."""
    found: dict[str, dict[str, float]] = {}
    for name, amount in work.items():
        for side in sides:
            reached = share(times, side, ceilings[name], amount)
            if reached is not None:
                found.setdefault(name, {})[side] = reached.value
    return found


def times_of(times: Times, name: str, side: Side) -> dict[str, Any]:
    """One side: seconds of a call, also by rank; a rank is None without enough samples of single calls."""
    samples = times.seconds(name) if side.calls == 1 else []
    return {
        "median_seconds": times.median(name),
        "calls": side.calls,
        "percentiles": {each: percentile(samples, q) for each, q in QUANTILES.items()},
    }
