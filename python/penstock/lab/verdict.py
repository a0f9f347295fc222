# SPDX-License-Identifier: Apache-2.0
"""What an interval says. A ratio is always time(B)/time(A): above 1 B is slower."""

from __future__ import annotations

from penstock.lab.estimate import Estimate

FASTER, SLOWER, SAME, UNDECIDED = "faster", "slower", "same", "undecided"
# How far from 1 the whole interval may lie for the sides to count as the same.
SAME_WITHIN = 0.02
# How much slower the centre must be before the gate fails.
THRESHOLD = 0.05


def verdict(ratio: Estimate, *, same_within: float = SAME_WITHIN) -> str:
    """What B is to A by the whole interval of time(B)/time(A).

    slower: it lies above 1; faster: below 1; same: within 2 % of 1, whether or not 1 is in it. A difference that is
    certain but below what counts is still named slower or faster. Else undecided.
    """
    if ratio.low > 1:
        return SLOWER
    if ratio.high < 1:
        return FASTER
    if ratio.low >= 1 - same_within and ratio.high <= 1 + same_within:
        return SAME
    return UNDECIDED


def gate_fails(ratio: Estimate, threshold: float = THRESHOLD) -> bool:
    """Whether time(new)/time(old) is a regression: certainly above 1, and by more than ``threshold`` at its centre."""
    return ratio.low > 1 and ratio.value > 1 + threshold


FAILS, PASSES = "fails", "passes"


def gate(ratio: Estimate, threshold: float = THRESHOLD) -> str:
    """fails: a regression; passes: the whole interval is below what would be one; else undecided: more pairs."""
    if gate_fails(ratio, threshold):
        return FAILS
    return PASSES if ratio.high <= 1 + threshold else UNDECIDED
