# SPDX-License-Identifier: Apache-2.0
"""The calculations say the same to every peer, their operands are what they claim, and wrong results are noticed."""

from __future__ import annotations

import ast
import inspect
from typing import Any

import numpy as np
import pytest

import density
import kernels
import peers
from calculations import CALCULATIONS, Operand, square


def test_the_density_of_sea_water_is_the_published_one() -> None:
    for place, expected in density.CHECKED.items():
        assert density.equation_of_state(*place) == pytest.approx(expected, abs=5e-6)


def test_the_operations_of_the_density_are_counted() -> None:
    tree = ast.walk(ast.parse(inspect.getsource(density.equation_of_state)))
    assert sum(isinstance(node, ast.BinOp | ast.Call) for node in tree) == density.OPERATIONS


@pytest.mark.parametrize("name", CALCULATIONS)
def test_penstock_calculates_what_numpy_calculates(name: str) -> None:
    pytest.importorskip("penstock._core", reason="needs the built package")
    made = CALCULATIONS[name]
    operands = made.arrays(2500)
    expected = kernels.digest(np.asarray(peers.numpy(made, [each.copy() for each in operands], 1)()))
    try:
        found = kernels.digest(peers.as_numpy(peers.penstock(made, operands, 2)()))
    except peers.CannotError as reason:
        pytest.skip(str(reason))
    assert kernels.difference(found, expected, made.relative) == ""


@pytest.mark.parametrize("layout", ["plain", "strided", "transposed"])
@pytest.mark.parametrize("dtype", ["float32", "float64", "int32", "uint8", "bool", "complex128"])
def test_operands_have_their_dtype_shape_and_layout(dtype: str, layout: str) -> None:
    array = Operand(dtype, square, layout, low=1, high=100).array(900, seed=1)
    assert (array.dtype, array.shape) == (np.dtype(dtype), (30, 30))
    assert array.flags.c_contiguous == (layout == "plain")
    assert array.flags.f_contiguous == (layout == "transposed")
    if dtype not in ("bool", "complex128"):
        assert 1 <= array.min() < 10
        assert 90 < array.max() <= 100


def test_values_beyond_a_block_are_its_values_in_another_order() -> None:
    values = kernels.values(2 * kernels.BLOCK + 10)
    first, second = values[: kernels.BLOCK], values[kernels.BLOCK : 2 * kernels.BLOCK]
    assert np.array_equal(second, np.roll(first, -4099))
    assert values[2 * kernels.BLOCK] == first[2 * 4099]


def test_names_that_a_module_lacks_are_said() -> None:
    with pytest.raises(peers.CannotError, match="math has no where"):
        peers.named(__import__("math"))["where"](1)


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        (lambda a: a[:-1], "shape"),
        (lambda a: a.astype(np.float64), "dtype float64, not float32"),
        (lambda a: a * np.float32(1 + 1e-3), "more such places"),
        (lambda a: np.where(np.arange(a.size) == 7, np.float32(np.nan), a), "nan instead of"),
    ],
)
def test_wrong_results_differ(changed: Any, says: str) -> None:
    right = kernels.values(1000)
    found = kernels.difference(kernels.digest(changed(right)), kernels.digest(right), 1e-5)
    assert says in found


def test_a_rounding_is_a_difference_only_where_bits_count() -> None:
    right = kernels.values(1000) + 1
    near = kernels.digest(right * (1 + np.float32(2e-7)))
    assert kernels.difference(near, kernels.digest(right), 1e-5) == ""
    assert kernels.difference(near, kernels.digest(right), 0) == "other bits"


def test_a_wrong_element_between_the_places_shows_in_the_total() -> None:
    right = kernels.values(100_000)
    wrong = right.copy()
    wrong[50_001] = 1e9
    assert "total" in kernels.difference(kernels.digest(wrong), kernels.digest(right), 1e-5)
