# SPDX-License-Identifier: Apache-2.0
"""Random chains are the same in each run, long enough, and mean the same in each language."""

from __future__ import annotations

import numpy as np
import pytest

import kernels
import random_chains
from random_chains import Step


def test_the_same_key_draws_the_same_chains() -> None:
    chains = random_chains.draw(count=12)
    assert chains == random_chains.draw(count=12)
    assert chains != random_chains.draw(key=1, count=12)
    assert all(random_chains.SHORTEST <= len(chain) <= random_chains.LONGEST for chain in chains)


def test_every_other_chain_may_have_one_library_function() -> None:
    chains = random_chains.draw(count=20)
    counts = [sum(step.name in random_chains.LIBRARY for step in chain) for chain in chains]
    assert max(counts[::2]) == 0
    assert max(counts[1::2]) == 1


def test_every_spelling_is_a_row_of_the_table() -> None:
    assert set(random_chains.rows()) == set(random_chains.SPELLINGS)


def test_a_step_reads_the_same_in_each_language() -> None:
    step = Step("where", ("b", "1.5"))
    assert step.text("x") == "where(x > b, x, 1.5)"
    assert step.cpp() == "x > b ? x : 1.5f"
    assert Step("clip", ()).text("a") == "clip(a, 0.25, 0.75)"
    assert "x = x > b ? x : 1.5f;" in random_chains.source([(step,)])


@pytest.mark.parametrize("name", random_chains.SPELLINGS)
def test_a_chain_of_one_is_its_function(name: str) -> None:
    a, b, c = (kernels.values(1000, seed) for seed in range(3))
    others = ("b", "c")[
        : len({"y", "z"} & set(random_chains.SPELLINGS[name].replace("(", " ").replace(")", " ").split()))
    ]
    with np.errstate(all="ignore"):
        found = random_chains.function((Step(name, others if name != "clip" else ()),), np)(a, b, c)
    assert found.shape == a.shape
    assert found.dtype == np.float32


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (np.linspace(0.5, 2, 100), True),
        (np.full(100, 2.0), False),
        (np.append(np.linspace(0.5, 2, 99), np.inf), False),
        (np.linspace(0, 1e9, 100), False),
        (np.linspace(1e-9, 1, 100), False),
    ],
)
def test_values_that_say_little_are_drawn_again(value: np.ndarray, expected: bool) -> None:
    assert random_chains.usable(value) is expected
