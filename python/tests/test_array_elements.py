# SPDX-License-Identifier: Apache-2.0
"""Elements, arrays of no axes that indices name: values of their own, which calculate as arrays do."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sweep import assert_same_bits

import penstock as ps

DTYPES = ["bool", "int8", "uint64", "float32", "float64", "complex64", "complex128"]


@pytest.mark.parametrize("dtype", DTYPES)
def test_elements_are_values(dtype: str) -> None:
    a = np.arange(12).reshape(3, 4).astype(dtype)
    x = ps.asarray(a.copy())
    for key in ((1, 2), (-1, -4), (0, 0)):
        element, expected = x[key], np.asarray(a[key])
        assert (element.shape, element.ndim, element.size, element.nbytes) == ((), 0, 1, a.itemsize)
        assert str(element.dtype) == dtype
        assert element.evaluated
        assert_same_bits(np.asarray(element), expected)
        assert_same_bits(np.asarray(ps.evaluate(element)[0]), expected)
        assert_same_bits(np.asarray(ps.reshape(element, (1, 1))), expected.reshape(1, 1))
        assert_same_bits(np.asarray(ps.broadcast_to(element, (2, 3))), np.broadcast_to(expected, (2, 3)))
        assert_same_bits(np.asarray(element[...]), expected)
        assert_same_bits(np.asarray(ps.concat([element[None], x[0]])), np.concatenate([expected[None], a[0]]))
        assert element.item() == expected.item()
        with pytest.raises(ps.errors.OutOfRangeError):
            element[0]


@pytest.mark.parametrize("dtype", ["int8", "uint64", "float32", "float64", "complex128"])
def test_calculations_with_elements(dtype: str) -> None:
    a = np.arange(5).astype(dtype) + np.asarray(1).astype(dtype)
    x = ps.asarray(a)
    zero = np.asarray(a[1])  # of no dimension: promoted as an array, as the standard has it
    assert_same_bits(np.asarray(x[1] + x[3]), np.asarray(zero + np.asarray(a[3])))
    assert_same_bits(np.asarray(x[1] * 2), np.asarray(zero * 2))
    assert_same_bits(np.asarray(-x[1] if dtype != "uint64" else x[1]), np.asarray(-zero if dtype != "uint64" else zero))
    assert_same_bits(np.asarray(x * x[1]), a * zero)
    assert_same_bits(np.asarray(ps.where(x[1] == x[1], x[1], x)), np.where(zero == zero, zero, a))
    big = ps.asarray(np.ones(100_000, dtype))
    assert_same_bits(np.asarray(big + x[1]), np.ones(100_000, dtype) + zero)
    assert bool(x[1] == a[1])
    assert float(ps.sum(x[1]).real) == float(a[1].real)


def test_an_element_keeps_what_it_was() -> None:
    x = ps.asarray(np.arange(4.0))
    element = x[2]
    x[2] = 7
    element[...] = element + 0.5
    assert (float(element), float(x[2])) == (2.5, 7.0)
    element += 1
    assert float(element) == 3.5


def test_an_element_does_not_hold_the_array(tmp_path: Path) -> None:
    x = ps.asarray(np.ones(1 << 20)) + 1
    ps.evaluate(x)
    element = x[3]
    held = ps.stats()["live_bytes"]
    del x
    assert ps.stats()["live_bytes"] <= held - (8 << 20)
    ps.save(element, tmp_path / "element.npy")
    assert_same_bits(np.load(tmp_path / "element.npy"), np.asarray(2.0))
