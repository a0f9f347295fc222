# SPDX-License-Identifier: Apache-2.0
"""Reductions: every dtype, axis and layout against NumPy, exact integers, bounds of sums, NaN, ties, nothing."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sweep import COMPLEX, DTYPES, FLOATS, FULL, INTEGERS, Numbers, assert_same_bits, random_values, unaligned

import penstock as ps

SHAPE = (4, 5, 6)
AXES = [None, *(axes for n in range(4) for axes in itertools.combinations(range(3), n)), -1, -3, (2, 0), (-1, 1)]
Function = Callable[..., Any]


def values(dtype: str, shape: tuple[int, ...] = SHAPE, seed: int = 1) -> Numbers:
    return random_values(dtype, int(np.prod(shape)), np.random.default_rng(seed)).reshape(shape)


def arrangements(a: Numbers) -> dict[str, Numbers]:
    """Three dimensions in C order, in Fortran order, with steps, backwards, byte-swapped."""
    room = np.zeros(tuple(2 * n for n in a.shape), a.dtype)
    room[1::2, ::2, 1::2] = a
    return {
        "C": a,
        "F": np.asfortranarray(a),
        "steps": room[1::2, ::2, 1::2],
        "backwards": a[::-1, ::-1, ::-1].copy()[::-1, ::-1, ::-1],
        "big-endian": a.astype(a.dtype.newbyteorder(">")),
        "unaligned": unaligned(a),
    }


def widened(a: Numbers) -> Numbers:
    """As sums are taken: integers and bool in 64 bits."""
    kind = a.dtype.kind
    return a.astype({"b": "int64", "i": "int64", "u": "uint64"}.get(kind, a.dtype))


def test_exact_reductions_of_every_dtype_and_axis() -> None:
    exact: dict[str, tuple[Function, tuple[str, ...]]] = {
        "sum": (lambda a, **over: widened(a).sum(**over), ("bool", *INTEGERS)),
        "prod": (lambda a, **over: widened(a).prod(**over), ("bool", *INTEGERS)),
        "min": (np.min, ("bool", *INTEGERS, *FLOATS)),
        "max": (np.max, ("bool", *INTEGERS, *FLOATS)),
        "any": (np.any, DTYPES),
        "all": (np.all, DTYPES),
        "count_nonzero": (lambda a, **over: np.asarray(np.count_nonzero(a, **over)), DTYPES),
    }
    for name, (reference, dtypes) in exact.items():
        for dtype in dtypes:
            a = values(dtype)
            a[1] = 0
            for axis, keepdims in itertools.product(AXES, (False, True)):
                want = np.asarray(reference(a, axis=axis, keepdims=keepdims))
                for layout, x in arrangements(a).items():
                    got = np.asarray(getattr(ps, name)(x, axis=axis, keepdims=keepdims))
                    assert_same_bits(got, want, f"{name} {dtype} axis={axis} keepdims={keepdims} {layout}")


@pytest.mark.parametrize("dtype", [*FLOATS, *COMPLEX])
def test_float_reductions_of_every_axis(dtype: str) -> None:
    a = values(dtype)
    wide = a.astype(np.clongdouble if a.dtype.kind == "c" else np.longdouble)
    eps = np.finfo(dtype).eps
    references: dict[str, tuple[Function, float]] = {
        "sum": (np.sum, 0),
        "prod": (np.prod, 200),
        "mean": (np.mean, 0),
        "var": (np.var, 20),
        "std": (np.std, 20),
    }
    for name, (reference, roundings) in references.items():
        for axis, keepdims in itertools.product(AXES, (False, True)):
            want = reference(wide, axis=axis, keepdims=keepdims)
            # A sum may cancel: its error is measured against the sum of magnitudes.
            scale = (
                reference(np.abs(wide), axis=axis, keepdims=keepdims) * 12
                if roundings == 0
                else np.abs(want) * roundings
            )
            for layout, x in arrangements(a).items():
                got = np.asarray(getattr(ps, name)(x, axis=axis, keepdims=keepdims))
                where = f"{name} axis={axis} keepdims={keepdims} {layout}"
                assert got.shape == np.shape(want), where
                real = np.dtype(dtype).type(0).real.dtype
                assert got.dtype == (real if name in ("var", "std") else dtype), where
                assert (np.abs(got - want) <= scale * eps + np.finfo(dtype).smallest_subnormal).all(), where


@pytest.mark.parametrize("dtype", ["bool", *INTEGERS])
def test_means_and_variances_of_integers_are_float64(dtype: str) -> None:
    a = values(dtype)
    wide = a.astype(np.longdouble)
    for name in ("mean", "var", "std"):
        for axis in (None, 0, (1, 2)):
            got, want = np.asarray(getattr(ps, name)(a, axis=axis)), getattr(np, name)(wide, axis=axis)
            assert got.dtype == np.float64
            np.testing.assert_allclose(got, want.astype(np.float64), rtol=1e-13)


def test_the_mean_of_32_bit_integers_is_exact() -> None:
    a = np.full(100_001, np.iinfo(np.int32).max, np.int32)
    a[0] -= 1
    assert float(ps.mean(a)) == (int(a.astype(object).sum()) / len(a))


@pytest.mark.parametrize("dtype", [*FLOATS, *COMPLEX, *INTEGERS, "bool"])
@pytest.mark.parametrize("function", [ps.sum, ps.prod])
def test_results_have_numpys_dtype(function: Function, dtype: str) -> None:
    a = np.ones((3, 4), dtype)
    want = getattr(np, function.__name__)(a, axis=0)
    got = np.asarray(function(a, axis=0))
    assert got.dtype == want.dtype
    for wanted in ("float32", "float64", "int16", "uint8", "complex64"):
        if np.dtype(dtype).kind == "c" and wanted != "complex64":
            continue
        assert np.asarray(function(a, axis=0, dtype=wanted)).dtype == wanted


def exact_sum(a: Numbers) -> float:
    return math.fsum(a.astype(np.float64).ravel())


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("count", [1, 2, 31, 511, 512, 513, 4096, 100_003, 1_000_000])
def test_sums_are_within_four_roundings_a_level_of_fsum(dtype: str, count: int) -> None:
    rng = np.random.default_rng(count)
    for a in (random_values(dtype, count, rng), rng.random(count).astype(dtype), np.full(count, 0.1, dtype)):
        bound = 4 * np.finfo(dtype).eps * math.log2(max(count, 2)) * exact_sum(np.abs(a))
        assert abs(float(ps.sum(a)) - exact_sum(a)) <= bound
        assert abs(float(ps.mean(a)) - exact_sum(a) / count) <= bound / count


def test_variance_does_not_cancel() -> None:
    a = 1e8 + np.array([4.0, 7.0, 13.0, 16.0])
    assert float(ps.var(a)) == 22.5
    assert float(ps.var(a, correction=1)) == 30.0
    assert float(ps.var(np.full(100_000, 0.1))) <= 1e-32
    assert float(ps.std(a.astype(np.float32) * 0 + 5)) == 0
    np.testing.assert_allclose(float(ps.std(a, correction=1)), 30**0.5)


def test_a_correction_of_all_degrees_of_freedom_leaves_no_variance() -> None:
    assert np.isnan(float(ps.var(np.array([3.0]), correction=1)))
    assert math.isnan(ps.var(np.array([1.0, 2.0]), correction=2))
    assert math.isnan(ps.var(np.array([1.0, 2.0]), correction=5))
    assert float(ps.var(np.array([1.0, 3.0]), correction=0.5)) == 2 / 1.5


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("count", [1, 5, 63, 64, 65, 513, 5000])
def test_nan_anywhere_wins(dtype: str, count: int) -> None:
    rng = np.random.default_rng(3)
    for at in {0, count // 2, count - 1}:
        a = random_values(dtype, count, rng)
        a[at] = np.nan
        for name in ("sum", "prod", "mean", "min", "max", "var", "std"):
            assert np.isnan(float(getattr(ps, name)(a))), (name, at)
        assert int(ps.argmin(a)) == int(ps.argmax(a)) == at
        a[count - 1] = np.nan
        assert int(ps.argmin(a)) == int(ps.argmax(a)) == at
        assert bool(ps.any(a * 0)), "NaN is nonzero"


def test_infinities() -> None:
    assert float(ps.sum(np.array([np.inf, 1.0]))) == math.inf
    assert np.isnan(float(ps.sum(np.array([np.inf, -np.inf]))))
    assert float(ps.max(np.array([-np.inf, -np.inf]))) == -math.inf
    assert int(ps.argmax(np.full(70, -np.inf))) == 0
    assert int(ps.argmin(np.full(70, np.inf))) == 0
    assert np.isnan(float(ps.var(np.array([np.inf, 1.0]))))


def test_signed_zeros_are_ordered() -> None:
    for dtype, count in itertools.product(FLOATS, (2, 65, 1000)):
        a = np.zeros(count, dtype)
        a[count // 2] = -0.0
        assert np.signbit(np.asarray(ps.min(a)))
        assert not np.signbit(np.asarray(ps.max(-a)))
        # The search knows but values: all zeros are equal, and the first of equals is found.
        assert int(ps.argmin(a)) == int(np.argmin(a)) == 0


@pytest.mark.parametrize("dtype", ["bool", *INTEGERS, *FLOATS])
@pytest.mark.parametrize("name", ["argmin", "argmax"])
def test_searches_find_the_first(name: str, dtype: str) -> None:
    rng = np.random.default_rng(5)
    for shape in (SHAPE, (1, 1, 1), (3, 1, 700), (700, 2, 3), (2, 300, 3)):
        a = rng.integers(0, 3, shape).astype(dtype)
        for axis in (None, 0, 1, 2, -1):
            for keepdims in (False, True):
                want = np.asarray(getattr(np, name)(a, axis=axis, keepdims=keepdims))
                for layout, x in arrangements(a).items():
                    got = np.asarray(getattr(ps, name)(x, axis=axis, keepdims=keepdims))
                    assert_same_bits(got, want, f"{name} {dtype} {shape} axis={axis} {layout}")


def test_nothing() -> None:
    empty = np.zeros((0, 3))
    for name, value in {"sum": 0.0, "prod": 1.0, "any": False, "all": True, "count_nonzero": 0}.items():
        for axis in (None, 0):
            got = np.asarray(getattr(ps, name)(empty, axis=axis))
            want = np.full(() if axis is None else (3,), value, got.dtype)
            assert_same_bits(got, want, name)
        assert np.asarray(getattr(ps, name)(empty, axis=1)).shape == (0,)
    for name in ("mean", "var", "std"):
        assert np.isnan(float(getattr(ps, name)(empty)))
        assert np.isnan(np.asarray(getattr(ps, name)(empty, axis=0))).all()
    for name in ("min", "max", "argmin", "argmax"):
        with pytest.raises(ps.errors.ShapeError, match=name):
            getattr(ps, name)(empty)
        with pytest.raises(ps.errors.ShapeError, match=name):
            getattr(ps, name)(empty, axis=0)
        assert np.asarray(getattr(ps, name)(empty, axis=1)).shape == (0,)


def test_no_dimensions_and_no_axes() -> None:
    x = np.float64(3.5)
    for name in ("sum", "prod", "mean", "min", "max"):
        assert np.asarray(getattr(ps, name)(x)).shape == ()
        assert float(getattr(ps, name)(x)) == 3.5
        assert float(getattr(ps, name)(x, axis=())) == 3.5
    assert float(ps.var(x)) == 0
    assert int(ps.argmax(x)) == 0
    a = values("float32")
    assert_same_bits(np.asarray(ps.sum(a, axis=())), a)


@pytest.mark.parametrize(
    ("axis", "error"),
    [(3, "AxisError"), (-4, "AxisError"), ((0, 0), "AxisError"), ((0, -3), "AxisError"), ("x", "DTypeError")],
)
def test_wrong_axes(axis: Any, error: str) -> None:
    with pytest.raises(getattr(ps.errors, error)) as caught:
        ps.sum(np.zeros(SHAPE), axis=axis)
    assert isinstance(caught.value, TypeError if axis == "x" else ValueError)
    assert "ax" in str(caught.value)


@pytest.mark.parametrize("name", ["min", "max", "argmin", "argmax"])
def test_complex_numbers_have_no_order(name: str) -> None:
    with pytest.raises(ps.errors.DTypeError, match="no order"):
        getattr(ps, name)(np.zeros(3, complex))


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "int8", "uint64", "complex64"])
def test_reductions_of_expressions_equal_those_of_their_values(dtype: str) -> None:
    a = values(dtype, (40, 33)) if dtype != "float16" else values("float32", (40, 33)).astype("float16")
    x = ps.asarray(a) * 3
    kept = np.asarray(x)
    for axis in (None, 0, 1):
        assert_same_bits(np.asarray(ps.sum(ps.asarray(a) * 3, axis=axis)), np.asarray(ps.sum(kept, axis=axis)))
        assert_same_bits(np.asarray(ps.mean(ps.asarray(a) * 3, axis=axis)), np.asarray(ps.mean(kept, axis=axis)))


def test_one_pass_gives_the_bits_of_several() -> None:
    a = random_values("float32", 300_000, np.random.default_rng(9)).reshape(300, 1000)
    makers: list[Function] = [
        ps.sum,
        ps.mean,
        ps.var,
        ps.min,
        ps.argmax,
        lambda x: ps.sum(x, axis=0),
        lambda x: ps.std(x, axis=1),
    ]
    apart = [np.asarray(make(ps.asarray(a))) for make in makers]
    together = ps.evaluate(*[make(ps.asarray(a)) for make in makers])
    for want, got in zip(apart, together, strict=True):
        assert_same_bits(np.asarray(got), want)


class TestHistogram:
    """Counts against numpy.histogram."""

    @pytest.mark.parametrize("dtype", ["bool", *INTEGERS, *FLOATS])
    def test_even_bins(self, dtype: str) -> None:
        a = values(dtype, (50, 60))
        numeric = a.astype({"bool": "uint8", "float32": "float64"}.get(dtype, dtype))
        for bins, low, high in ((10, -5, 5), (1, 0, 1), (256, 0, 256), (7, -0.1, 0.3), (1000, -1e3, 1e3)):
            counts, edges = ps.histogram(a, bins=bins, range=(low, high))
            want, want_edges = np.histogram(numeric, bins=bins, range=(low, high))
            assert_same_bits(np.asarray(edges), want_edges)
            assert_same_bits(np.asarray(counts), want.astype(np.int64), f"{bins} {low} {high}")

    @pytest.mark.parametrize("dtype", [*INTEGERS, *FLOATS])
    def test_uneven_bins(self, dtype: str) -> None:
        a = values(dtype, (50, 60))
        edges = [-100.0, -1.5, 0.0, 0.1, 1.0, 3.0, 100.0]
        counts, same = ps.histogram(a, bins=edges)
        assert_same_bits(np.asarray(counts), np.histogram(a, bins=edges)[0].astype(np.int64))
        assert np.asarray(same).tolist() == edges

    def test_values_on_edges_and_beside_them(self) -> None:
        edges = np.linspace(0, 1, 11)
        a = np.concatenate([edges, np.nextafter(edges, 2), np.nextafter(edges, -1)])
        for bins in (edges.tolist(), [0.0, 0.25, 0.3, 1.0]):
            assert_same_bits(np.asarray(ps.histogram(a, bins=bins)[0]), np.histogram(a, bins=bins)[0].astype(np.int64))
        counts = np.asarray(ps.histogram(a, bins=10, range=(0, 1))[0])
        assert_same_bits(counts, np.histogram(a, bins=10, range=(0, 1))[0].astype(np.int64))
        assert counts.sum() == np.sum((a >= 0) & (a <= 1))

    def test_nan_infinities_and_outsiders_are_not_counted(self) -> None:
        a = np.array([np.nan, np.inf, -np.inf, 5.0, -5.0, 0.5, 1.0, 0.0])
        assert np.asarray(ps.histogram(a, bins=2, range=(0, 1))[0]).tolist() == [1, 2]
        assert np.asarray(ps.histogram(a, bins=[0.0, 0.5, 1.0])[0]).tolist() == [1, 2]

    def test_nothing_and_one(self) -> None:
        assert np.asarray(ps.histogram(np.zeros((0, 4)), bins=3, range=(0, 1))[0]).tolist() == [0, 0, 0]
        assert np.asarray(ps.histogram(np.float32(0.5), bins=2, range=(0, 1))[0]).tolist() == [0, 1]

    @pytest.mark.parametrize(
        ("bins", "reach"),
        [
            (0, (0, 1)),
            (-1, (0, 1)),
            (3, (1, 0)),
            (3, (0, math.inf)),
            (3, (math.nan, 1)),
            ([1.0], None),
            ([], None),
            ([1.0, 0.0], None),
            ([0.0, math.nan], None),
        ],
    )
    def test_wrong_bins(self, bins: Any, reach: Any) -> None:
        with pytest.raises(ps.errors.ArgumentError):
            ps.histogram(np.zeros(3), bins=bins, range=reach)

    def test_complex_is_refused(self) -> None:
        with pytest.raises(ps.errors.DTypeError, match="real"):
            ps.histogram(np.zeros(3, complex), bins=2, range=(0, 1))


@settings(max_examples=2000 if FULL else 150, deadline=None, derandomize=not FULL)
@given(st.data())
def test_random_shapes_and_axes(data: st.DataObject) -> None:
    shape = tuple(data.draw(st.lists(st.integers(0, 9), min_size=0, max_size=5), label="shape"))
    order = data.draw(st.permutations(range(len(shape))), label="order")
    a = values(data.draw(st.sampled_from(["int32", "uint8", "float64"])), shape, seed=len(shape)).transpose(order)
    axis = tuple(data.draw(st.sets(st.integers(0, len(shape) - 1)) if shape else st.just(set()), label="axis"))
    keepdims = data.draw(st.booleans(), label="keepdims")
    got = np.asarray(ps.sum(a, axis=axis, keepdims=keepdims))
    want = np.asarray(widened(a).sum(axis=axis, keepdims=keepdims))
    assert got.shape == want.shape
    np.testing.assert_allclose(got, want, rtol=1e-10, atol=1e-10 * max(float(np.abs(a).sum()), 1e-300))
