# SPDX-License-Identifier: Apache-2.0
"""What holds for every test."""

from __future__ import annotations

import os
import signal

import pytest
from lab_clock import Clock

# SciPy and scikit-learn look at it once, when they are imported: it lets them compute with arrays that are not NumPy's.
os.environ.setdefault("SCIPY_ARRAY_API", "1")

# A shell's background job ignores Ctrl-C, and so would the tests that interrupt themselves and what they start.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The process's clock, which stands still until it is told to move."""
    made = Clock()
    monkeypatch.setattr("time.perf_counter", made.perf_counter)
    return made
