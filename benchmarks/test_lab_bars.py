# SPDX-License-Identifier: Apache-2.0
"""What measures the lab: its arithmetic, and that its quickest part runs."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import lab_add
import lab_bars
from bench import Refused

HERE = Path(__file__).resolve().parent


def test_the_interval_of_a_share() -> None:
    assert lab_add.wilson(0, 60) == pytest.approx((0, 0.060), abs=1e-3)
    assert lab_add.wilson(30, 30) == pytest.approx((0.886, 1), abs=1e-3)
    low, high = lab_add.wilson(5, 10)
    assert low + high == pytest.approx(1)


def test_the_ratio_of_two_instruments_errors() -> None:
    rng = np.random.default_rng(1)
    theirs = np.abs(rng.normal(0, 0.1, 60))
    low, value, high = lab_bars.ratio_of_quantiles(list(theirs / 8), list(rng.permutation(theirs)))
    assert value == pytest.approx(1 / 8)
    assert low < value < high < 0.3


def test_a_slower_side_does_more_of_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    try:
        addition = lab_add.Addition(tmp_path, 1 << 16)
    except Refused as reason:
        pytest.skip(str(reason))
    calls: list[int] = []
    monkeypatch.setattr(addition, "_add", lambda *operands: calls.append(operands[-1]))
    addition.side(0.25)()
    assert calls == [(1 << 16) + (1 << 14)]
    assert addition.google(0.1) > 0


def test_lines_are_added_and_none_is_changed(tmp_path: Path) -> None:
    file = tmp_path / "lab.jsonl"
    file.write_text("{}\n", encoding="utf-8")
    line = [sys.executable, str(HERE / "lab_bars.py"), "--quick", "--only", "usage", "--results", str(file)]
    done = subprocess.run(line, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    first, second = map(json.loads, file.read_text(encoding="utf-8").splitlines())
    assert first == {}
    assert (second["bar"], second["n"], second["limit"]) == ("usage", 3, 0.3)
    assert second["low"] <= second["value"] <= second["high"]
