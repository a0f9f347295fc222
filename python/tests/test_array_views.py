# SPDX-License-Identifier: Apache-2.0
"""Views, assignment, in-place operators, ``out=``, assemblies: whatever NumPy does, applied to both."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sweep import FULL, Numbers, assert_same_bits

import penstock as ps

EXAMPLES = settings(max_examples=5000 if FULL else 300, deadline=None, derandomize=not FULL)


def numbered(shape: tuple[int, ...], dtype: str = "int32") -> Numbers:
    return np.arange(int(np.prod(shape)), dtype=dtype).reshape(shape)


def bounds(extent: int) -> st.SearchStrategy[int | None]:
    return st.none() | st.integers(-extent - 3, extent + 3)


@st.composite
def slices(draw: st.DrawFn, extent: int) -> slice:
    step = draw(st.sampled_from([None, 1, 1, 2, 3, -1, -2, 7]))
    return slice(draw(bounds(extent)), draw(bounds(extent)), step)


@st.composite
def indices(draw: st.DrawFn, shape: tuple[int, ...]) -> Any:
    """A basic index that is valid for the shape."""
    items: list[Any] = []
    for extent in shape[: draw(st.integers(0, len(shape)))]:
        integer = st.integers(-extent, extent - 1) if extent else slices(extent)
        items.append(draw(st.one_of(slices(extent), slices(extent), integer)))
    if draw(st.booleans()):
        # Indices behind the Ellipsis count from the last axis: full slices fit any.
        items.append(Ellipsis)
        items += [slice(None, None, draw(st.sampled_from([None, -1])))] * draw(
            st.integers(0, len(shape) - len(items) + 1)
        )
    for _ in range(draw(st.integers(0, 2))):
        items.insert(draw(st.integers(0, len(items))), None)
    if len(items) == 1 and draw(st.booleans()):
        return items[0]
    return tuple(items)


@st.composite
def steps(draw: st.DrawFn, shape: tuple[int, ...]) -> tuple[str, Callable[[Any], Any], Callable[[Any], Any]]:
    """A view as a text, for NumPy and for Penstock."""
    rank = len(shape)
    axes = tuple(range(rank))
    kind = draw(
        st.sampled_from(
            ["index", "index", "index", "permute", "reshape", "flip", "broadcast", "expand", "squeeze", "move", "flat"]
        )
    )
    if kind == "permute":
        order = draw(st.permutations(axes))
        return f"permute {order}", lambda a: a.transpose(order), lambda x: ps.permute_dims(x, tuple(order))
    if kind in ("reshape", "flat"):
        size = int(np.prod(shape))
        divisors = [n for n in range(1, 13) if size % n == 0]
        first = draw(st.sampled_from(divisors))
        to = (-1,) if kind == "flat" and size else (first, size // first)
        return f"reshape {to}", lambda a: a.reshape(to), lambda x: ps.reshape(x, to)
    if kind == "flip" and rank:
        axis = draw(st.sets(st.sampled_from(axes)))
        chosen = tuple(axis) or None
        return f"flip {chosen}", lambda a: np.flip(a, chosen), lambda x: ps.flip(x, axis=chosen)
    if kind == "broadcast" and int(np.prod(shape)) < 500:
        to = (draw(st.integers(0, 3)), *(draw(st.integers(1, 3)) if n == 1 else n for n in shape))
        return f"broadcast {to}", lambda a: np.broadcast_to(a, to), lambda x: ps.broadcast_to(x, to)
    if kind == "expand":
        at = draw(st.integers(-rank - 1, rank))
        return f"expand {at}", lambda a: np.expand_dims(a, at), lambda x: ps.expand_dims(x, at)
    if kind == "squeeze":
        ones = tuple(i for i in axes if shape[i] == 1)
        return f"squeeze {ones}", lambda a: a.squeeze(ones), lambda x: ps.squeeze(x, ones)
    if kind == "move" and rank:
        source, to_axis = draw(st.sampled_from(axes)), draw(st.integers(-rank, rank - 1))
        return (
            f"move {source} {to_axis}",
            lambda a: np.moveaxis(a, source, to_axis),
            lambda x: ps.moveaxis(x, source, to_axis),
        )
    key = draw(indices(shape))
    return f"index {key}", lambda a: np.asarray(a[key]), lambda x: x[key]


SHAPES = st.lists(st.integers(0, 6), min_size=0, max_size=4).map(tuple)


@EXAMPLES
@given(st.data())
def test_chains_of_views(data: st.DataObject) -> None:
    a = numbered(data.draw(SHAPES), data.draw(st.sampled_from(["int32", "float64", "uint8", "complex64"])))
    x: Any = ps.asarray(a) if data.draw(st.booleans()) else ps.asarray(a) + 0
    said = [f"{a.shape}"]
    for _ in range(data.draw(st.integers(1, 5))):
        if a.ndim > 8:
            break
        text, of_numpy, of_penstock = data.draw(steps(a.shape))
        said.append(text)
        a, x = of_numpy(a), of_penstock(x)
        assert x.shape == a.shape, said
    # Looked at, computed with, and reduced: the three ways the elements are read.
    assert_same_bits(np.asarray(x), np.ascontiguousarray(a).reshape(a.shape), " ".join(said))
    assert_same_bits(np.asarray(x + x), a + a, " ".join(said))
    if a.dtype != np.complex64:
        assert_same_bits(np.asarray(ps.sum(x)), np.asarray(a.sum()), " ".join(said))


@EXAMPLES
@given(st.data())
def test_assignment_to_any_part(data: st.DataObject) -> None:
    a = numbered(data.draw(SHAPES), "float32")
    x: Any = ps.asarray(a.copy()) + 0 if data.draw(st.booleans()) else ps.asarray(a.copy())
    other = x
    view = x[...]
    before = a.copy()
    for number in range(data.draw(st.integers(1, 4))):
        key = data.draw(indices(a.shape))
        part = a[key]
        kind = data.draw(st.sampled_from(["number", "array", "broadcast", "self"]))
        value: Any = -1.5 - number
        if kind == "array":
            value = numbered(part.shape, "float32") + 1000
        elif kind == "broadcast" and part.ndim:
            value = numbered((part.shape[-1],), "int16")
        if kind == "self":
            a[key] = a[key] * 2
            x[key] = x[key] * 2
        else:
            a[key] = value
            x[key] = value
        assert_same_bits(np.asarray(x), a, f"{key} {kind}")
    if x is not other:
        assert_same_bits(np.asarray(other), before)
    assert_same_bits(np.asarray(view), before, "a view of the old value")


def test_assignment_gives_this_handle_a_new_value_and_no_other() -> None:
    source = np.arange(5.0)
    x = ps.asarray(source)
    y, double = x[1:], x * 2
    lazy = ps.sqrt(x)
    x[0] = 100
    assert np.asarray(x).tolist() == [100, 1, 2, 3, 4]
    assert source.tolist() == [0, 1, 2, 3, 4], "memory of NumPy is never written"
    y[0] = -7
    assert np.asarray(x).tolist() == [100, 1, 2, 3, 4], "a view does not write through"
    assert np.asarray(y).tolist() == [-7, 2, 3, 4]
    assert np.asarray(double).tolist() == [0, 2, 4, 6, 8]
    assert np.asarray(lazy).tolist() == np.sqrt(source).tolist()


def test_numpy_views_of_an_array_keep_the_old_value() -> None:
    x = ps.asarray(np.arange(5.0)) * 1
    seen = np.asarray(x)
    x[2] = 99
    x += 1
    assert seen.tolist() == [0, 1, 2, 3, 4]
    assert np.asarray(x).tolist() == [1, 2, 100, 4, 5]


@pytest.mark.parametrize(
    ("to", "source"),
    [
        (slice(1, None), slice(None, -1)),
        (slice(None, -1), slice(1, None)),
        (slice(None), slice(None, None, -1)),
        (slice(None, None, 2), slice(1, None, 2)),
        (slice(2, 8), slice(0, 6)),
    ],
)
@pytest.mark.parametrize("shape", [(10,), (10, 7), (4000,), (300, 40)])
def test_assignment_of_an_overlapping_part(to: slice, source: slice, shape: tuple[int, ...]) -> None:
    a = numbered(shape)
    for x in (ps.asarray(a.copy()), ps.asarray(a) * 1):
        x[to] = x[source]
        want = a.copy()
        want[to] = a[source].copy()
        assert_same_bits(np.asarray(x), want)


def test_assignment_converts_and_broadcasts() -> None:
    x = ps.asarray(np.zeros((3, 4), np.uint8)) + 0
    x[1] = np.array([1.9, 300.0, -5.0, np.nan])
    assert np.asarray(x)[1].tolist() == [1, 255, 0, 0], "as astype converts"
    x[:, None, 2] = np.array([[7], [8], [9]])
    assert np.asarray(x)[:, 2].tolist() == [7, 8, 9]
    x[...] = True
    assert np.asarray(x).tolist() == np.ones((3, 4)).tolist()
    with pytest.raises(ps.errors.ShapeError, match=r"\(3,\)"):
        x[0] = np.zeros(3)
    with pytest.raises(ps.errors.ArgumentError, match="300"):
        x[0, 0] = 300
    with pytest.raises(ps.errors.DTypeError):
        x[0] = "text"
    assert np.asarray(x).tolist() == np.ones((3, 4)).tolist(), "a refused assignment changes nothing"


@pytest.mark.parametrize(
    ("key", "error"),
    [
        (5, "OutOfRangeError"),
        (-6, "OutOfRangeError"),
        ((0, 0, 0), "OutOfRangeError"),
        ((..., ...), "OutOfRangeError"),
        (1.0, "OutOfRangeError"),
        ("a", "OutOfRangeError"),
        (slice(None, None, 0), "OutOfRangeError"),
        (slice(0.5), "DTypeError"),
        (np.array([True] * 4), "OutOfRangeError"),
        (np.array([[True] * 3] * 5), "OutOfRangeError"),
        ([0, 5], "OutOfRangeError"),
        (2**70, "OutOfRangeError"),
    ],
)
def test_wrong_indices(key: Any, error: str) -> None:
    x = ps.asarray(np.zeros((5, 2)))
    with pytest.raises(getattr(ps.errors, error)) as caught:
        x[key]
    assert len(str(caught.value)) > 15
    with pytest.raises(getattr(ps.errors, error)):
        x[key] = 1


def test_integers_of_numpy_are_indices() -> None:
    a = numbered((5, 4))
    x = ps.asarray(a)
    assert_same_bits(np.asarray(x[np.int64(2)]), a[2])
    assert_same_bits(np.asarray(x[np.uint8(1) : np.int16(3), np.intp(-1)]), a[1:3, -1])
    assert int(x[ps.asarray(np.int32(4)), 0]) == a[4, 0]


OPERATORS = ["add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "and_", "or_", "xor", "lshift", "rshift"]


@pytest.mark.parametrize("name", OPERATORS)
@pytest.mark.parametrize("other", ["number", "array", "row", "self", "numpy"])
def test_operators_and_their_places(name: str, other: str) -> None:
    dtype = "float64" if name == "truediv" else "int64"
    a = numbered((6, 5), dtype) % 7 + 1
    b = {"number": 3, "array": a[::-1] % 4 + 1, "row": a[0], "self": a, "numpy": a * 0 + 2}[other]
    number: Any = float(b) if name == "truediv" and other == "number" else b
    right = number if other in ("number", "numpy") else ps.asarray(b)
    plain, placed = getattr(operator, name), getattr(operator, f"i{name.rstrip('_')}")
    x = ps.asarray(a)
    kept = x
    result = plain(x, right)
    assert isinstance(result, ps.Array)
    assert_same_bits(np.asarray(result), plain(a, number))
    reflected = plain(right, x)
    assert isinstance(reflected, ps.Array)
    assert_same_bits(np.asarray(reflected), plain(number, a))
    y = ps.asarray(a) * 1
    view = y[0]
    y = placed(y, right)
    assert_same_bits(np.asarray(y), plain(a, number))
    assert_same_bits(np.asarray(view), a[0])
    assert_same_bits(np.asarray(kept), a)


def test_comparisons_and_unary_operators() -> None:
    a, b = numbered((4, 5)) - 7, numbered((4, 5))[::-1] - 9
    for name in ("eq", "ne", "lt", "le", "gt", "ge"):
        compare = getattr(operator, name)
        for other in (b, 3, b[0]):
            assert_same_bits(np.asarray(compare(ps.asarray(a), other)), compare(a, other))
            got = compare(other, ps.asarray(a))
            assert isinstance(got, ps.Array)
            assert_same_bits(np.asarray(got), compare(other, a))
    for name in ("neg", "pos", "abs", "invert"):
        assert_same_bits(np.asarray(getattr(operator, name)(ps.asarray(a))), getattr(operator, name)(a))
    with pytest.raises(TypeError):
        hash(ps.asarray(a))


def test_in_place_keeps_dtype_and_shape() -> None:
    x = ps.asarray(np.arange(4, dtype=np.int32)) + 0
    for change in (1.5, np.arange(4.0), 1j, np.arange(4, dtype=np.int64)):
        with pytest.raises(ps.errors.DTypeError, match="in place"):
            x += change
    with pytest.raises(ps.errors.ShapeError, match=r"\(4,\).*\(2, 4\)"):
        x += np.zeros((2, 4), np.int32)
    x += np.int8(1)
    x -= True
    assert np.asarray(x).tolist() == [0, 1, 2, 3]
    with pytest.raises(TypeError):
        x += "text"


class TestOut:
    """``out=`` takes NumPy arrays of any strides, and Penstock arrays."""

    @pytest.mark.parametrize("shape", [(40,), (9, 7), (3000,), (90, 70)])
    def test_overlap_with_an_input(self, shape: tuple[int, ...]) -> None:
        for to, one, two in (
            (slice(1, None), slice(None, -1), slice(1, None)),
            (slice(None, -1), slice(1, None), slice(1, None)),
            (slice(None, None, -1), slice(None), slice(None)),
            (slice(None), slice(None, None, -1), slice(None)),
            (slice(None), slice(None), slice(None)),
        ):
            a = numbered(shape, "float64")
            want = a.copy()
            want[to] = a[one] + a[two]
            ps.add(a[one], a[two], out=a[to])
            assert_same_bits(a, want, f"{to} {one} {two}")

    def test_transposed_into_itself(self) -> None:
        a = numbered((60, 60), "float32")
        want = a.T * 2
        ps.multiply(a.T, 2, out=a)
        assert_same_bits(a, want)

    def test_a_lazy_input_is_read_before_it_is_overwritten(self) -> None:
        a = numbered((5000,), "float64")
        x = ps.sqrt(ps.asarray(a)[::-1] + 1)
        ps.add(x, 0, out=a)
        assert_same_bits(a, np.sqrt(np.arange(5000.0)[::-1] + 1))

    def test_a_penstock_array_takes_the_value(self) -> None:
        out = ps.asarray(np.zeros(3)) + 0
        other = out[:]
        assert ps.add(np.arange(3.0), 1, out=out) is out
        assert np.asarray(out).tolist() == [1, 2, 3]
        assert np.asarray(other).tolist() == [0, 0, 0]

    @pytest.mark.parametrize(
        ("out", "error"),
        [
            (np.zeros(4), "ShapeError"),
            (np.zeros((1, 3)), "ShapeError"),
            (np.zeros(3, np.float32), "DTypeError"),
            (np.zeros(3, ">f8"), "DTypeError"),
            (ps.zeros(4), "ShapeError"),
            (ps.zeros(3, dtype=ps.float32), "DTypeError"),
            ("text", "ArgumentError"),
            ([0.0, 0.0, 0.0], "ArgumentError"),
            (np.zeros(3, object), "DTypeError"),
        ],
    )
    def test_wrong_out(self, out: Any, error: str) -> None:
        with pytest.raises(getattr(ps.errors, error), match="out"):
            ps.add(np.arange(3.0), 1, out=out)

    def test_a_read_only_out_is_left_alone(self) -> None:
        out = np.zeros(3)
        out.flags.writeable = False
        with pytest.raises(ps.errors.ArgumentError, match="writable"):
            ps.add(np.arange(3.0), 1, out=out)
        assert out.tolist() == [0, 0, 0]


class TestAssemblies:
    """concat, stack, roll, tril, triu, meshgrid."""

    @EXAMPLES
    @given(st.data())
    def test_concat(self, data: st.DataObject) -> None:
        shape = list(data.draw(st.lists(st.integers(0, 4), min_size=1, max_size=3)))
        axis = data.draw(st.integers(-len(shape), len(shape) - 1))
        parts = []
        for dtype in data.draw(
            st.lists(st.sampled_from(["int16", "float32", "uint8", "bool"]), min_size=1, max_size=4)
        ):
            shape[axis] = data.draw(st.integers(0, 5))
            parts.append(numbered(tuple(shape), "int16").astype(dtype))
        assert_same_bits(np.asarray(ps.concat(parts, axis=axis)), np.concatenate(parts, axis=axis))
        assert_same_bits(np.asarray(ps.concat(parts, axis=None)), np.concatenate(parts, axis=None))

    @EXAMPLES
    @given(st.data())
    def test_stack_and_roll(self, data: st.DataObject) -> None:
        shape = data.draw(SHAPES)
        a = numbered(shape)
        axis = data.draw(st.integers(-len(shape) - 1, len(shape)))
        assert_same_bits(np.asarray(ps.stack([a, a + 1, a], axis=axis)), np.stack([a, a + 1, a], axis=axis))
        shift = data.draw(st.integers(-9, 9))
        assert_same_bits(np.asarray(ps.roll(a, shift)), np.roll(a, shift))
        if shape:
            axes = tuple(data.draw(st.sets(st.integers(0, len(shape) - 1), min_size=1)))
            shifts = tuple(data.draw(st.integers(-9, 9)) for _ in axes)
            assert_same_bits(np.asarray(ps.roll(a, shifts, axis=axes)), np.roll(a, shifts, axes))
            assert_same_bits(np.asarray(ps.roll(a, shift, axis=axes)), np.roll(a, shift, axes))

    def test_assemblies_of_expressions_and_files(self, tmp_path: Any) -> None:
        a = numbered((50, 30), "float32")
        np.save(tmp_path / "a.npy", a)
        f = ps.open(tmp_path / "a.npy")
        got = ps.concat([f[10:20] * 2, ps.asarray(a)[::-1], ps.full((3, 30), 7, dtype=ps.float32)])
        want = np.concatenate([a[10:20] * 2, a[::-1], np.full((3, 30), 7, np.float32)])
        assert_same_bits(np.asarray(got), want)
        assert_same_bits(np.asarray(ps.sum(got, axis=0)), np.asarray(ps.sum(want, axis=0)))

    @pytest.mark.parametrize("shape", [(4, 4), (3, 5), (5, 3), (2, 3, 4), (0, 3), (1, 1)])
    @pytest.mark.parametrize("dtype", ["int32", "float64", "bool", "complex64"])
    def test_triangles(self, shape: tuple[int, ...], dtype: str) -> None:
        a = (numbered(shape) + 1).astype(dtype)
        for k in (-9, -1, 0, 1, 2, 9):
            assert_same_bits(np.asarray(ps.tril(a, k=k)), np.tril(a, k))
            assert_same_bits(np.asarray(ps.triu(a, k=k)), np.triu(a, k))

    def test_a_triangle_drops_what_is_infinite(self) -> None:
        a = np.full((3, 3), np.inf)
        a[0, 2] = np.nan
        assert_same_bits(np.asarray(ps.tril(a)), np.tril(a))

    @pytest.mark.parametrize("indexing", ["xy", "ij"])
    @pytest.mark.parametrize("counts", [(3,), (3, 4), (2, 3, 4), (0, 2)])
    def test_meshgrid(self, counts: tuple[int, ...], indexing: Any) -> None:
        lines = [np.arange(n) * 10 + i for i, n in enumerate(counts)]
        got = ps.meshgrid(*map(ps.asarray, lines), indexing=indexing)
        want = np.meshgrid(*lines, indexing=indexing)
        assert isinstance(got, tuple)
        for one, other in zip(got, want, strict=True):
            assert_same_bits(np.asarray(one), np.ascontiguousarray(other))

    def test_wrong_assemblies(self) -> None:
        a = ps.zeros((2, 3))
        for wrong in (
            lambda: ps.concat([]),
            lambda: ps.stack([]),
            lambda: ps.meshgrid(a[0], indexing="yx"),
            lambda: ps.roll(a, (1, 2)),
            lambda: ps.roll(a, (1, 2, 3), axis=(0, 1)),
            lambda: ps.permute_dims(a, (0, 0)),
            lambda: ps.reshape(a, (4, 2)),
            lambda: ps.reshape(a, (-1, -1)),
            lambda: ps.squeeze(a, 0),
            lambda: ps.tril(a[0]),
            lambda: ps.concat([a, ps.zeros((2, 4))]),
            lambda: ps.concat([a, a], axis=2),
            lambda: ps.stack([a, a[0]]),
            lambda: ps.broadcast_to(a, (3, 3)),
            lambda: ps.expand_dims(a, 5),
            lambda: a.T.T[None].T,
            lambda: ps.moveaxis(a, (0, 1), 0),
        ):
            with pytest.raises(ps.errors.PenstockError) as caught:
                wrong()
            assert isinstance(caught.value, ValueError)
            assert len(str(caught.value)) > 20


class TestCreation:
    """zeros, full, arange, linspace, eye against NumPy."""

    @pytest.mark.parametrize(
        "arguments",
        [
            (5,),
            (0,),
            (-3,),
            (2, 7),
            (2, 7, 2),
            (7, 2, -2),
            (7, 2),
            (0, 1, 0.1),
            (1.0,),
            (0, 10, 3),
            (5, -5, -3),
            (0.5, 4),
            (1e15, 1e15 + 4),
            (-(2**62), 2**62, 2**61),
            (0, 1, 1 / 3),
            (10, 0, -0.7),
            (2**63 - 3, 2**63 - 1),
            (0, -1, -0.25),
        ],
    )
    def test_arange(self, arguments: tuple[Any, ...]) -> None:
        want = np.arange(*arguments)
        if want.dtype.kind == "f" and len(arguments) == 3:
            # NumPy rounds the step to that between its first two elements.
            want = arguments[0] + np.arange(len(want)) * np.float64(arguments[2])
        assert_same_bits(np.asarray(ps.arange(*arguments)), want)

    @pytest.mark.parametrize("dtype", ["int8", "uint16", "int64", "uint64", "float32", "float64"])
    def test_arange_of_a_dtype(self, dtype: Any) -> None:
        for arguments in ((5,), (2, 9, 3), (0, 100, 7)):
            assert_same_bits(np.asarray(ps.arange(*arguments, dtype=dtype)), np.arange(*arguments, dtype=dtype))

    def test_wrong_aranges(self) -> None:
        for arguments in ((0, 5, 0), (0, float("inf")), (0, float("nan")), (0, 5, float("nan"))):
            with pytest.raises(ps.errors.ArgumentError, match="arange"):
                ps.arange(*arguments)

    @pytest.mark.parametrize("endpoint", [True, False])
    @pytest.mark.parametrize("num", [0, 1, 2, 3, 50, 1000])
    @pytest.mark.parametrize(
        ("start", "stop"), [(0.0, 1.0), (1.0, 0.0), (-3.0, 17.3), (2.0, 2.0), (1e-300, 1e300), (0.1, 0.7)]
    )
    def test_linspace(self, start: float, stop: float, num: int, endpoint: bool) -> None:
        want = np.linspace(start, stop, num, endpoint=endpoint)
        assert_same_bits(np.asarray(ps.linspace(start, stop, num, endpoint=endpoint)), want)

    def test_linspace_of_other_dtypes(self) -> None:
        for dtype in ("float32", "int32", "complex128"):
            want = np.linspace(0, 10, 21, dtype=dtype)
            assert_same_bits(np.asarray(ps.linspace(0, 10, 21, dtype=dtype)), want)
        with pytest.raises(ps.errors.ArgumentError, match="num"):
            ps.linspace(0, 1, -1)

    @pytest.mark.parametrize(
        ("rows", "columns", "k"), [(3, None, 0), (3, 4, 1), (4, 3, -2), (0, 3, 0), (3, 3, 9), (5, 5, -9), (1, 1, 0)]
    )
    def test_eye(self, rows: int, columns: int | None, k: int) -> None:
        for dtype in ("float64", "int32", "bool", "complex64"):
            assert_same_bits(np.asarray(ps.eye(rows, columns, k=k, dtype=dtype)), np.eye(rows, columns, k, dtype))

    @pytest.mark.parametrize("shape", [(), 3, (0,), (2, 0, 3), (2, 3), [4, 1]])
    @pytest.mark.parametrize("dtype", [None, "int8", "float32", "bool", "complex128"])
    def test_constants(self, shape: Any, dtype: Any) -> None:
        for name in ("zeros", "ones"):
            assert_same_bits(
                np.asarray(getattr(ps, name)(shape, dtype=dtype)), getattr(np, name)(shape, dtype=dtype or "float64")
            )
        assert ps.empty(shape, dtype=dtype).shape == np.empty(shape).shape
        like = ps.ones(shape, dtype=dtype)
        assert_same_bits(np.asarray(ps.zeros_like(like)), np.zeros(shape, dtype or "float64"))
        assert_same_bits(np.asarray(ps.ones_like(like, dtype="int16")), np.ones(shape, "int16"))
        assert ps.empty_like(like).dtype == like.dtype

    @pytest.mark.parametrize("value", [True, 7, -7, 2.5, 1j, 2**63, float("nan"), -0.0])
    def test_full(self, value: Any) -> None:
        assert_same_bits(np.asarray(ps.full((2, 3), value)), np.full((2, 3), value))
        assert_same_bits(np.asarray(ps.full_like(ps.zeros(4, dtype="complex128"), value)), np.full(4, value, complex))

    def test_wrong_constants(self) -> None:
        for wrong in (
            lambda: ps.full(3, 300, dtype="int8"),
            lambda: ps.full(3, 1.5, dtype="int8"),
            lambda: ps.full(-1, 0),
            lambda: ps.zeros((2**40, 2**40)),
            lambda: ps.full(3, 2**64),
            lambda: ps.zeros("ab"),
        ):
            with pytest.raises(ps.errors.PenstockError):
                wrong()
        with pytest.raises(ps.errors.DTypeError, match="did you mean float32"):
            ps.zeros(3, dtype="flaot32")

    def test_constants_take_no_memory(self) -> None:
        before = ps.stats()["live_bytes"]
        huge = ps.zeros((2**30, 2**20))
        assert huge.nbytes == 2**53
        assert ps.stats()["live_bytes"] == before
        assert float(huge[5, 7]) == 0
        assert float((ps.arange(10**15) * 2)[10**14]) == 2 * 10**14


@pytest.mark.parametrize(
    "part", [slice(None, 2**70), slice(-(2**70), None), slice(2**70, None, -1), slice(None, None, -(2**70))]
)
def test_bounds_of_slices_beyond_64_bits_are_clipped(part: slice) -> None:
    assert_same_bits(np.asarray(ps.asarray(numbered((10,)))[part]), numbered((10,))[part])
    assert_same_bits(np.asarray(ps.asarray(numbered((10, 2)))[part]), numbered((10, 2))[part])


@pytest.mark.parametrize("axes", [64, 70, 200])
def test_an_index_that_makes_too_many_dimensions_is_refused_at_once(axes: int) -> None:
    with pytest.raises(IndexError, match=r"64|128"):
        ps.asarray(numbered((3,)))[(None,) * axes]
    assert ps.asarray(numbered((3,)))[(None,) * 63].ndim == 64
