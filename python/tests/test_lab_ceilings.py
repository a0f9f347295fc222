# SPDX-License-Identifier: Apache-2.0
"""Ceilings do the work that they say, and their shares follow from times."""

from __future__ import annotations

import math

import pytest

from penstock.lab import ceilings
from penstock.lab.pairs import Times


def test_a_copy_counts_the_bytes_read_and_written() -> None:
    copy = ceilings.memory_copy(1 << 20)
    assert (copy.unit, copy.amount) == ("bytes", 2 << 20)
    assert copy.side() > 0


def test_without_a_size_the_copy_is_larger_than_the_caches() -> None:
    assert 0 <= ceilings.last_level_cache() < 1 << 34
    assert ceilings.memory_copy().amount >= 2 * min(ceilings.last_level_cache(), ceilings.MOST_COPY)


def test_products_count_multiplications_and_additions() -> None:
    found = ceilings.fma()
    assert found.amount == 2 * 64**3 * ceilings.PRODUCTS
    assert found.amount / found.side() > 1e8


def test_rates_and_shares_of_times() -> None:
    copy = ceilings.memory_copy(1 << 20)
    times = Times({"a": [(1.0, 1.0), (2.0, 2.0), (4.0, 1.0)]}, {"memory copy": {0: 0.5, 2: 1.0}})
    assert ceilings.rates(times, {"memory copy": copy, "other": copy}) == {"memory copy": copy.amount / 0.75}
    found = ceilings.share(times, "a", copy, copy.amount / 2)
    assert found is not None
    assert (found.value, found.n) == (pytest.approx(0.25), 2)
    assert math.isclose(found.low, 0.25)
    assert ceilings.share(Times({"a": [(1.0, 1.0)]}), "a", copy, 1.0) is None
