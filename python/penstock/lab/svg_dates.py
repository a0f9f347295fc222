# SPDX-License-Identifier: Apache-2.0
"""Ticks of an axis of time: seconds since 1970, UTC, at round minutes, hours or days."""

from __future__ import annotations

import math
from datetime import UTC, datetime

MINUTE, HOUR, DAY = 60.0, 3600.0, 86400.0
_STEPS = (
    *(each * MINUTE for each in (1, 5, 15, 30)),
    *(each * HOUR for each in (1, 2, 6, 12)),
    *(each * DAY for each in (1, 2, 7, 14, 30, 91, 182, 365, 730, 1825)),
)
MOST = 6


def step(low: float, high: float) -> float:
    """Seconds between ticks: the shortest round time that gives at most MOST of them."""
    return next((each for each in _STEPS if (high - low) / each <= MOST), _STEPS[-1])


def ticks(low: float, high: float) -> list[float]:
    """The round moments inside."""
    apart = step(low, high)
    return [n * apart for n in range(math.ceil(low / apart), math.floor(high / apart) + 1)]


def text(moment: float, apart: float) -> str:
    """A date; with the time of day where ticks are less than a day apart."""
    return f"{datetime.fromtimestamp(moment, UTC):{'%Y-%m-%d' if apart >= DAY else '%m-%d %H:%M'}}"


def seconds(iso: str) -> float:
    """A moment as results hold it, such as 2026-03-04T05:06:07+00:00."""
    return datetime.fromisoformat(iso).timestamp()
