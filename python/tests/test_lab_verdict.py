# SPDX-License-Identifier: Apache-2.0
"""The whole interval decides, at the edges too."""

from __future__ import annotations

import pytest

from penstock.lab.estimate import Estimate
from penstock.lab.verdict import gate_fails, verdict


def ratio(low: float, value: float, high: float) -> Estimate:
    return Estimate(value, low, high, 0.1, 10)


@pytest.mark.parametrize(
    ("low", "value", "high", "expected"),
    [
        (1.01, 1.05, 1.10, "slower"),
        (1.001, 1.002, 1.003, "slower"),
        (0.80, 0.90, 0.99, "faster"),
        (0.99, 1.00, 1.01, "same"),
        (0.98, 1.00, 1.02, "same"),
        (1.00, 1.01, 1.02, "same"),
        (0.97, 1.00, 1.01, "undecided"),
        (0.99, 1.00, 1.03, "undecided"),
        (1.00, 1.30, 1.90, "undecided"),
    ],
)
def test_the_interval_decides(low: float, value: float, high: float, expected: str) -> None:
    assert verdict(ratio(low, value, high)) == expected


@pytest.mark.parametrize(
    ("low", "value", "high", "fails"),
    [
        (1.01, 1.06, 1.10, True),
        (1.01, 1.05, 1.10, False),
        (1.00, 1.30, 1.90, False),
        (0.50, 0.60, 0.70, False),
    ],
)
def test_the_gate_wants_certainty_and_size(low: float, value: float, high: float, fails: bool) -> None:
    assert gate_fails(ratio(low, value, high)) is fails


def test_the_gate_at_another_threshold() -> None:
    assert gate_fails(ratio(1.05, 1.08, 1.10), 0.07)
    assert not gate_fails(ratio(1.05, 1.08, 1.10), 0.10)
