# SPDX-License-Identifier: Apache-2.0
"""The plan in words and as values: passes over the sources, and the steps that finish their results."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import penstock as ps
from penstock._plan import Plan


@pytest.fixture
def x(tmp_path: Path) -> ps.Array:
    np.save(tmp_path / "a.npy", np.arange(1e6).reshape(1000, 1000))
    return ps.open(tmp_path / "a.npy")


def kinds(plan: Plan) -> list[bool]:
    return [one["finishing"] for one in plan.to_dict()["passes"]]


def test_steps_over_results_are_no_passes_over_the_sources(x: ps.Array) -> None:
    plan = ps.plan(ps.std(x), ps.mean(x, axis=0))
    assert kinds(plan) == [False, True, True]
    text = str(plan)
    assert text.startswith("1 pass(es) over the sources and 2 finishing step(s), ")
    assert "\npass 1: " in text
    assert "\nfinishing step 2: " in text
    assert "\npass 2: " not in text


def test_a_pass_that_reads_the_source_again_counts(x: ps.Array) -> None:
    plan = ps.plan(x - ps.mean(x))
    assert kinds(plan) == [False, False]
    assert str(plan).startswith("2 pass(es) over the sources, ")


def test_memory_is_a_source() -> None:
    assert kinds(ps.plan(ps.sqrt(ps.asarray(np.ones(100_000))))) == [False]
    assert kinds(ps.plan(ps.sum(ps.arange(10**7) * 2.0))) == [False]


def test_a_plan_that_does_not_fit_names_the_way_out(x: ps.Array) -> None:
    before = ps.memory_budget()
    try:
        ps.memory_budget("4MiB")
        large = str(ps.plan(x * 2.0))
        assert 'save the result to a file instead (ps.save(x, "out.npy"), penstock eval -o out.npy), or raise' in large
        ps.memory_budget("1KiB")
        small = str(ps.plan(ps.sum(x)))
        assert "save the result" not in small
        assert "\nraise the budget (--memory, PENSTOCK_MEMORY, ps.memory_budget)\n" in small
        ps.memory_budget("1GiB")
        assert "raise the budget" not in str(ps.plan(x * 2.0))
    finally:
        ps.memory_budget(before)


def test_what_is_read_is_counted_once(x: ps.Array) -> None:
    row = 1000 * 8
    for reads, expected in (
        (ps.sum(x[0] + x), 1000 * row),
        (ps.sum(x + x[0]), 1000 * row),
        (ps.sum(x[:500] + x[250:750]), 750 * row),
        (ps.sum(x[0] + x[-1]), 2 * row),
        (ps.sum(x[::-1]), 1000 * row),
        (ps.std(x), 1000 * row),  # its finishing step reads a result
        (x - ps.mean(x), 2000 * row),
    ):
        assert ps.plan(reads).to_dict()["source_bytes"] == expected, str(ps.plan(reads))
