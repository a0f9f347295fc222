# SPDX-License-Identifier: Apache-2.0
"""One test for each documented difference from NumPy: that Penstock does what docs/reference/differences.md says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sweep import assert_same_bits, differences

import penstock as ps


def got(array: Any) -> Any:
    """As nested lists of Python numbers."""
    return np.asarray(array).tolist()


def test_floor_divide_infinity() -> None:
    assert got(ps.floor_divide(ps.asarray([np.inf, -np.inf]), 2.0)) == [np.inf, -np.inf]
    quotients = np.asarray(ps.floor_divide(ps.asarray([1.0, -1.0]), ps.asarray([-np.inf, np.inf])))
    assert_same_bits(quotients, np.array([-0.0, -0.0]))
    with np.errstate(invalid="ignore"):
        assert np.isnan(np.floor_divide(np.inf, 2.0))
    assert np.floor_divide(1.0, -np.inf) == -1


def test_complex_zeros() -> None:
    z = np.array([complex(-0.0, 0.0), complex(np.inf, 2.0)])
    assert np.signbit(np.asarray(ps.expm1(z)).real[0]) == np.False_
    assert np.signbit(np.asarray(ps.tanh(z)).imag[1]) == np.False_
    assert np.signbit(np.expm1(z).real[0])
    assert np.signbit(np.tanh(z).imag[1])


def test_signed_zeros() -> None:
    a, b = np.array([-0.0, 0.0] * 40), np.array([0.0, -0.0] * 40)
    for name, negative in (("minimum", True), ("maximum", False)):
        assert np.signbit(np.asarray(getattr(ps, name)(a, b))).tolist() == [negative] * 80
    assert not np.signbit(np.asarray(ps.clip(a, 0.0, 1.0))).any()
    assert np.signbit(np.asarray(ps.min(a)))
    assert not np.signbit(np.asarray(ps.max(a)))


def test_negative_power() -> None:
    assert got(ps.pow(ps.asarray([2, 1, -1, 0]), -1)) == [0, 1, -1, 0]
    with pytest.raises(ValueError, match="negative"):
        np.power(np.array([2]), -1)


def test_negative_shift() -> None:
    assert got(ps.bitwise_right_shift(ps.asarray([-8, 8]), ps.asarray([-1, -1]))) == [0, 0]


def test_casts() -> None:
    assert got(ps.astype(ps.asarray([300.0, -5.0, np.nan, np.inf]), ps.uint8)) == [255, 0, 0, 255]
    assert got(ps.astype(ps.asarray([1e30, -np.inf]), ps.int64)) == [2**63 - 1, -(2**63)]


def test_one_nan() -> None:
    payload = np.array([0x7FF8000000000123], np.uint64).view(np.float64)
    assert np.isnan(np.asarray(ps.asarray(payload) + 1.0)).all()


def test_sum_order() -> None:
    a = np.random.default_rng(0).normal(size=(300, 40)).astype(np.float32)
    sums = {float(ps.sum(ps.asarray(each))) for each in (a, np.asfortranarray(a), np.repeat(a, 2, axis=1)[:, ::2])}
    assert len(sums) == 1


def test_product_order() -> None:
    a, b = np.random.default_rng(0).normal(size=(2, 60, 60)).astype(np.float32)
    layouts = (a, np.asfortranarray(a), np.repeat(a, 2, axis=1)[:, ::2])
    assert len({np.asarray(ps.matmul(each, b)).tobytes() for each in layouts}) == 1


def test_arange_step() -> None:
    step = 0.1
    assert got(ps.arange(0.0, 1.0, step)) == [0.0 + i * step for i in range(10)]


def test_histogram_edges() -> None:
    counts, edges = ps.histogram(ps.asarray(np.ones(3, np.float32)), bins=2, range=(0, 2))
    assert np.asarray(edges).dtype == np.float64
    assert got(counts) == [0, 3]


def test_quantile_places() -> None:
    x = np.arange(2**23, dtype=np.float32)
    assert float(ps.quantile(x, 0.43, method="lower")) == np.floor((x.size - 1) * 0.43)
    n = 2**24 + 3
    place = np.floor((n - 1) * 0.43)
    assert np.floor(np.float32(n - 1) * np.float32(0.43)) != place
    assert float(ps.quantile(np.arange(n, dtype=np.float32), 0.43, method="lower")) == place


def test_quantile_infinities() -> None:
    x = np.array([1, np.inf, np.inf])
    assert float(ps.quantile(x, 0.75)) == float(ps.median(x[1:])) == np.inf
    with np.errstate(invalid="ignore"):
        assert np.isnan(np.quantile(x, 0.75))


def test_long_convolutions() -> None:
    x, y = np.ones(3000), np.random.default_rng(0).normal(size=513)
    np.testing.assert_allclose(np.asarray(ps.convolve(x, y)), np.convolve(x, y), atol=1e-12)
    assert_same_bits(np.asarray(ps.convolve(x, y[:512])), np.convolve(x, y[:512]))


def test_random_stream() -> None:
    from penstock.random import default_rng

    assert float(default_rng(1).random()) != np.random.default_rng(1).random()


def test_integer_mean() -> None:
    large = np.full(1001, 2**53 + 1, np.int64)
    assert float(ps.mean(ps.asarray(large.astype(np.int32)))) == float(large.astype(np.int32)[0])
    assert np.asarray(ps.mean(ps.asarray(large))).dtype == np.float64


def test_no_degrees_of_freedom() -> None:
    assert np.isnan(np.asarray(ps.var(ps.asarray([1.0, 2.0]), correction=3)))
    with np.errstate(all="ignore"), pytest.warns(RuntimeWarning, match="Degrees"):
        assert np.isinf(np.var([1.0, 2.0], correction=3))


def test_integer_maths() -> None:
    assert np.asarray(ps.sin(np.ones(2, np.int8))).dtype == np.float64
    assert np.sin(np.ones(2, np.int8)).dtype == np.float16


def test_integer_reciprocal() -> None:
    assert_same_bits(np.asarray(ps.reciprocal(np.array([2, 4]))), np.array([0.5, 0.25]))
    assert np.reciprocal(np.array([2])).tolist() == [0]


def test_bool_arithmetic() -> None:
    yes = np.ones(2, bool)
    for refused in (lambda: ps.add(yes, yes), lambda: ps.round(yes), lambda: ps.isnan(yes)):
        with pytest.raises(ps.errors.DTypeError):
            refused()


def test_complex_order() -> None:
    z = np.ones(2, np.complex64)
    for refused in (lambda: ps.less(z, z), lambda: ps.maximum(z, z), lambda: ps.min(z), lambda: ps.argmax(z)):
        with pytest.raises(ps.errors.DTypeError):
            refused()


def test_real_imag() -> None:
    with pytest.raises(ps.errors.DTypeError, match="complex"):
        ps.imag(np.ones(2))


def test_float16(tmp_path: Path) -> None:
    half = np.array([0.1, 2, 3], np.float16)
    np.save(tmp_path / "h.npy", half)
    read = ps.open(tmp_path / "h.npy")
    assert_same_bits(np.asarray(read + read), half.astype(np.float32) * np.float32(2))
    ps.save(ps.astype(read, ps.float16), tmp_path / "r.npy")
    assert_same_bits(np.load(tmp_path / "r.npy"), half)
    for other, result in ((ps.int8, ps.float32), (ps.int32, ps.float64), (ps.float32, ps.float32)):
        assert ps.promote_types(other, ps.float16) == result
        assert (ps.astype(read, ps.float16) * ps.asarray([1, 2, 3], dtype=other)).dtype == result
    assert (ps.astype(read, ps.float16) * ps.astype(read, ps.float16)).dtype == ps.float32
    assert np.promote_types(np.int8, np.float16) == np.float16


def test_number_range() -> None:
    with pytest.raises(ps.errors.PenstockError):
        ps.less(np.ones(2, np.int8), 1000)
    assert np.less(np.ones(2, np.int8), 1000).all()


def test_no_strings() -> None:
    for refused in (np.array(["a"]), np.array(["2020-01-01"], "datetime64[D]"), np.zeros(1, "i4,f4"), np.array([None])):
        with pytest.raises(ps.errors.DTypeError):
            ps.asarray(refused)


def test_values() -> None:
    x = ps.asarray(np.zeros(4), copy=True)
    view = x[:2]
    view[0] = 5.0
    assert got(view) == [5, 0]
    assert got(x) == [0, 0, 0, 0]


def test_lazy() -> None:
    x = ps.asarray(np.ones(1_000_000)) * 2
    assert not x.evaluated
    assert float(x[0]) == 2


def test_read_only() -> None:
    x = ps.asarray(np.ones(4)) * 2
    assert not np.asarray(x).flags.writeable
    assert np.array(x).flags.writeable


def test_in_place_dtype() -> None:
    x = ps.asarray(np.ones(3, np.float32), copy=True)
    for operand in (np.ones(3), np.ones((2, 3), np.float32)):
        with pytest.raises(ps.errors.PenstockError):
            x += operand
    y = np.ones(3, np.float32)
    y += np.ones(3)
    assert y.dtype == np.float32


def test_squeeze_axis() -> None:
    squeeze: Any = ps.squeeze
    with pytest.raises(TypeError):
        squeeze(ps.zeros((1, 3)))
    assert ps.squeeze(ps.zeros((1, 3)), 0).shape == (3,)


def test_zero_dimensional() -> None:
    assert isinstance(ps.sum(np.ones(3)), ps.Array)
    assert ps.sum(np.ones(3)).shape == ()
    assert isinstance(np.sum(np.ones(3)), np.float64)


def test_every_difference_has_its_test() -> None:
    tests = {name.removeprefix("test_").replace("_", "-") for name in globals() if name.startswith("test_")}
    assert tests - {"every-difference-has-its-test"} == {name.replace("_", "-") for name in differences()}
