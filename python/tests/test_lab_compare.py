# SPDX-License-Identifier: Apache-2.0
"""Comparisons of simulated sides: what is concluded from a drifting machine; and their JSON."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from lab_simulated import Machine, Simulated

from penstock.lab import compare as module
from penstock.lab import pairs
from penstock.lab.ceilings import Ceiling
from penstock.lab.compare import Comparison, compare
from penstock.lab.estimate import Estimate
from penstock.lab.sides import Timed
from penstock.lab.verdict import gate, gate_fails


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing runs beside what is simulated."""
    monkeypatch.setattr(module.machine, "now", lambda: module.machine.Moment(0, 0, 0, 0, {}))


def compared(seed: int, ratio: float, **settings: Any) -> Comparison:
    machine = Machine(seed, **settings.pop("machine", {}))
    return compare(Simulated(machine, 1.0), Simulated(machine, ratio), least=0.0, **settings)


@pytest.fixture
def simulated_time(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Comparison]:
    """A comparison of at most 300 simulated seconds that stops when it is decided."""

    def run(seed: int, ratio: float, jitter: float = 0.01) -> Comparison:
        machine = Machine(seed, jitter=jitter)
        real = pairs.measure_until
        with monkeypatch.context() as patch:
            patch.setattr(module, "measure_until", lambda *a, **k: real(*a, **{**k, "clock": machine.clock}))
            return compare(Simulated(machine, 1.0), Simulated(machine, ratio), least=0.0, seconds=300)

    return run


def test_equal_sides_on_a_drifting_machine_raise_no_alarm() -> None:
    """Unpaired means of the same machine, block after block, are far from 1; paired ones are not."""
    paired, unpaired, alarms = [], [], 0
    for seed in range(60):
        found = compared(seed, 1.0, quadruples=15)
        paired.append(abs(np.log(found.ratio)))
        alarms += gate_fails(found.estimate)
        machine = Machine(seed)
        blocks = [np.mean([machine.run(1.0) for _ in range(30)]) for _ in "ab"]
        unpaired.append(abs(np.log(blocks[1] / blocks[0])))
    assert alarms == 0
    assert np.quantile(paired, 0.95) < 0.02
    assert np.quantile(unpaired, 0.95) > 5 * np.quantile(paired, 0.95)
    assert np.mean(np.array(unpaired) > 0.05) > 0.3


def test_several_looks_find_no_more_than_one_would(simulated_time: Callable[..., Comparison]) -> None:
    wrong = sum(simulated_time(seed, 1.0, jitter=0.1).verdict in ("faster", "slower") for seed in range(40))
    assert wrong <= 4


def test_an_injected_slowdown_is_found_before_the_time_is_used_up(
    simulated_time: Callable[..., Comparison],
) -> None:
    found = [simulated_time(seed, 1.05) for seed in range(20)]
    assert [each.verdict for each in found] == ["slower"] * 20
    assert np.mean([each.n for each in found]) < 40
    for each in found:
        assert each.interval[0] < each.ratio < each.interval[1]
    assert simulated_time(1, 1 / 1.05).verdict == "faster"


def test_a_large_ratio_is_that_of_b_to_a() -> None:
    found = compared(1, 3.0, quadruples=12)
    assert found.ratio == pytest.approx(3.0, rel=0.05)
    assert found.verdict == "slower"
    assert found.n == 12


def test_few_quadruples_give_no_verdict() -> None:
    found = compared(1, 3.0, quadruples=4)
    assert found.verdict == "undecided"
    assert "n = 4 is below 10" in found.notes[0]


def test_json_has_what_is_promised() -> None:
    fields = json.loads(json.dumps(compared(1, 1.0, quadruples=10, machine={"drift": 0.0}).to_dict()))
    assert {"verdict", "ratio", "interval", "n", "share_of_ceiling", "noisy", "spread", "beside"} <= set(fields)
    assert fields["interval"][0] <= fields["ratio"] <= fields["interval"][1]
    assert fields["verdict"] == "same"
    assert fields["share_of_ceiling"] is None
    assert fields["a"]["percentiles"]["p50"] == pytest.approx(1.0, rel=0.05)
    assert fields["a"]["percentiles"]["p99"] is None


def test_percentiles_are_of_single_calls_only() -> None:
    sides = Timed(lambda: None), Timed(lambda: None)
    found = compare(*sides, quadruples=10, least=0.001)
    assert found.a["calls"] > 1
    assert set(found.a["percentiles"].values()) == {None}


def test_the_share_of_a_ceiling() -> None:
    machine = Machine(3, drift=0.0, jitter=0.0)
    copy = Ceiling("memory copy", "bytes", 100.0, Simulated(machine, 0.5))
    found = compare(
        Simulated(machine, 2.0),
        Simulated(machine, 4.0),
        quadruples=10,
        least=0.0,
        ceilings={copy.name: copy},
        work={copy.name: 200.0},
    )
    assert found.ceilings == {"memory copy": pytest.approx(200.0)}
    assert found.share_of_ceiling == {"memory copy": {"a": pytest.approx(0.5), "b": pytest.approx(0.25)}}


@pytest.mark.parametrize(
    ("low", "value", "high", "expected"),
    [
        (1.02, 1.06, 1.10, "fails"),
        (0.99, 1.02, 1.05, "passes"),
        (1.01, 1.02, 1.04, "passes"),
        (0.99, 1.06, 1.12, "undecided"),
        (1.01, 1.04, 1.08, "undecided"),
    ],
)
def test_what_the_gate_wants_more_pairs_for(low: float, value: float, high: float, expected: str) -> None:
    assert gate(Estimate(value, low, high, 0.1, 10)) == expected
