# SPDX-License-Identifier: Apache-2.0
"""What becomes of a bar."""

from __future__ import annotations

import pytest

import bench


@pytest.mark.parametrize(
    ("low", "high", "bar", "at_most", "expected"),
    [
        (1.5, 1.8, 1.5, False, "met"),
        (1.4, 1.8, 1.5, False, "undecided"),
        (1.2, 1.4, 1.5, False, "missed"),
        (1.2, 1.4, None, False, ""),
        (90.0, 150.0, 150.0, True, "met"),
        (90.0, 151.0, 150.0, True, "undecided"),
        (151.0, 160.0, 150.0, True, "missed"),
    ],
)
def test_the_whole_interval_decides(low: float, high: float, bar: float | None, at_most: bool, expected: str) -> None:
    assert bench.verdict(low, high, bar, at_most) == expected
