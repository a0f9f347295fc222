# SPDX-License-Identifier: Apache-2.0
"""Latencies: how often each step happened, and how long it took."""

from __future__ import annotations

import re
import threading
import time
from pathlib import Path

import numpy as np
import pytest

import penstock as ps

STEPS = ["evaluate", "read", "write", "spill", "sync"]


def evaluate_once() -> None:
    ps.evaluate(ps.asarray(np.ones((500, 500), dtype=np.float32)).sum())


def test_every_step_has_a_count_and_percentiles_in_seconds() -> None:
    begun = time.perf_counter()
    before = ps.latencies()
    for _ in range(120):
        evaluate_once()
    elapsed = time.perf_counter() - begun
    found = ps.latencies() - before
    assert list(found) == STEPS
    assert len(found) == len(STEPS)
    figures = found["evaluate"]
    assert figures["n"] == 120
    assert isinstance(figures["p50"], float)
    assert isinstance(figures["p99"], float)
    assert 0 < figures["p50"] <= figures["p99"] < elapsed
    assert figures["p50"] * 60 < elapsed
    # One in a thousand of 120 there is not.
    assert figures["p999"] is None
    assert found["read"] == {"n": 0, "p50": None, "p99": None, "p999": None}


def test_what_needs_no_plan_has_no_latency() -> None:
    before, latencies = ps.stats()["evaluations"], ps.latencies()
    x = ps.asarray(np.arange(10.0))
    ps.evaluate(x + x)
    assert (ps.latencies() - latencies)["evaluate"]["n"] == 0
    assert ps.stats()["evaluations"] - before == 1


def test_evaluations_are_those_of_stats() -> None:
    before, latencies = ps.stats()["evaluations"], ps.latencies()
    evaluate_once()
    x = ps.asarray(np.arange(10.0))
    ps.evaluate(x)  # nothing to do
    assert (ps.latencies() - latencies)["evaluate"]["n"] == ps.stats()["evaluations"] - before > 0


def test_a_known_sleep_is_in_the_evaluation() -> None:
    polled = []

    def sleep(*_: object) -> None:
        polled.append(time.sleep(0.2))

    before = ps.latencies()
    ps.on_progress(sleep)
    try:
        for _ in range(2):
            # Long enough for the callback to be asked.
            x = ps.linspace(0, 1, 2_000_000)
            for _ in range(10):
                x = ps.sin(x)
            ps.evaluate(x)
    finally:
        ps.on_progress(None)
    assert len(polled) >= 2
    p50 = (ps.latencies() - before)["evaluate"]["p50"]
    assert p50 is not None
    assert p50 >= 0.99 * 0.2


def test_files_are_read_written_and_synced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    np.save(tmp_path / "x.npy", np.ones(100_000, dtype=np.float32))
    monkeypatch.setenv("PENSTOCK_IO", "direct")
    monkeypatch.setenv("PENSTOCK_DURABILITY", "power")
    before = ps.latencies()
    ps.save(ps.open(tmp_path / "x.npy") + 1, tmp_path / "out.npy")
    found = ps.latencies() - before
    assert {step: found[step]["n"] for step in STEPS} == {"evaluate": 1, "read": 1, "write": 1, "spill": 0, "sync": 2}


def test_threads_count_exactly() -> None:
    before = ps.latencies()
    threads = [threading.Thread(target=lambda: [evaluate_once() for _ in range(50)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (ps.latencies() - before)["evaluate"]["n"] == 200


def test_shown_as_a_table() -> None:
    evaluate_once()
    lines = repr(ps.latencies()).splitlines()
    assert lines[0].split() == ["step", "n", "p50", "(s)", "p99", "(s)", "p999", "(s)"]
    assert [line.split()[0] for line in lines[1:]] == STEPS
    empty = repr(ps.latencies() - ps.latencies()).splitlines()[1]
    assert re.fullmatch(r"evaluate +0 +- +- +-", empty)


def test_only_latencies_are_subtracted() -> None:
    with pytest.raises(TypeError):
        ps.latencies() - 1  # type: ignore[operator]
    with pytest.raises(KeyError):
        ps.latencies()["fetch"]
