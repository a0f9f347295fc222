# SPDX-License-Identifier: Apache-2.0
"""Memory that is shared and not copied: NumPy, buffers, DLPack, both ways; and what is counted."""

from __future__ import annotations

import array
import ctypes
import gc
import mmap
import sys
import weakref
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sweep import DTYPES, SHAPES, Numbers, assert_same_bits, layouts, sample

import penstock as ps
from penstock import _core


def address(a: Any) -> int:
    return int(np.asarray(a).__array_interface__["data"][0])


def change(name: str, before: dict[str, int]) -> int:
    return ps.stats()[name] - before[name]


class TestNoCopies:
    """The counters of copies stay where they are."""

    def test_contiguous_operands_are_read_in_place(self) -> None:
        borrowed = packed = copied = 0
        for name, arity, *_ in _core.elementwise_rows():
            for dtype in DTYPES:
                for shape in SHAPES[1:]:
                    operands = [sample(dtype, shape, seed) for seed in range(arity)]
                    if name == "where":
                        operands[0] = sample("bool", shape)
                    before = ps.stats()
                    try:
                        ps.evaluate(getattr(ps, name)(*operands))
                    except ps.errors.DTypeError:
                        continue
                    borrowed += change("bytes_borrowed", before)
                    packed += change("bytes_packed", before)
                    copied += change("bytes_copied", before)
        assert borrowed > 1_000_000
        assert copied == 0
        assert packed < borrowed / 100

    def test_evaluated_arrays_are_operands_without_a_copy(self) -> None:
        x = ps.asarray(np.arange(100_000.0)) * 2
        ps.evaluate(x)
        before = ps.stats()
        ps.evaluate(x + x, ps.sum(x), ps.reshape(x, (100, 1000)) * 2)
        assert change("bytes_packed", before) == change("bytes_copied", before) == 0

    def test_strided_operands_are_packed_tile_by_tile_and_not_copied(self) -> None:
        a = np.arange(200_000.0).reshape(400, 500)
        before = ps.stats()
        ps.evaluate(ps.asarray(a[:, ::2]) + 1)
        assert change("bytes_copied", before) == 0
        assert 0 < change("bytes_packed", before) <= 2 * 100_000 * 8

    def test_what_numpy_must_copy_is_counted(self) -> None:
        a = np.arange(1000.0).astype(">f8")
        before = ps.stats()
        ps.asarray(a)
        assert change("bytes_copied", before) == 8000
        before = ps.stats()
        ps.asarray([1.0, 2.0, 3.0])
        assert change("bytes_copied", before) == 24
        before = ps.stats()
        ps.asarray(np.arange(10.0), copy=True)
        assert change("bytes_copied", before) == 80

    def test_a_result_is_seen_without_a_copy(self) -> None:
        x = ps.asarray(np.arange(1000.0)) + 1
        first = np.asarray(x)
        assert address(x) == address(first)
        assert address(np.from_dlpack(x)) == address(first)
        assert address(memoryview(x)) == address(first)
        assert not first.flags.writeable
        with pytest.raises(ValueError, match="read-only"):
            first[0] = 1
        assert np.array(x).flags.writeable
        assert address(np.array(x)) != address(first)

    def test_borrowed_memory_is_seen_where_it_lies(self) -> None:
        for _, a in layouts(sample("float64", (25, 40))):
            x = ps.asarray(a)
            if a.dtype.isnative:
                assert address(x) == address(a)
                assert np.asarray(x).strides == a.strides
            assert not np.asarray(x).flags.writeable
            assert_same_bits(np.asarray(x), np.ascontiguousarray(a).astype(np.float64))

    def test_views_of_borrowed_memory_lie_there_too(self) -> None:
        a = np.arange(120.0).reshape(10, 12)
        view = ps.asarray(a)[2::3, ::-1].T
        assert address(view) == address(a[2::3, ::-1].T)
        assert_same_bits(np.asarray(view), a[2::3, ::-1].T)


class TestBorrowing:
    """Read when evaluated, kept alive, frozen on request."""

    def test_it_is_read_when_evaluated(self) -> None:
        a = np.zeros(100_000)
        x, frozen = ps.asarray(a) + 1, ps.asarray(a, copy=True) + 1
        a[:] = 5
        assert float(x[7]) == 6
        assert float(frozen[7]) == 1
        ps.evaluate(x)
        a[:] = 8
        assert float(x[7]) == 6, "evaluated is evaluated"
        assert float(ps.asarray(a)[7]) == 8

    @pytest.mark.parametrize("copy", [None, True, False])
    def test_copy(self, copy: bool | None) -> None:
        a = np.arange(10.0)
        x = ps.asarray(a, copy=copy)
        a[0] = 99
        assert float(x[0]) == (0 if copy else 99)

    def test_a_copy_that_is_forbidden_is_refused(self) -> None:
        for each in ([1.0, 2.0], np.arange(3.0).astype(">f8")):
            with pytest.raises((ps.errors.PenstockError, ValueError), match="copy"):
                ps.asarray(each, copy=False)
        with pytest.raises((ps.errors.PenstockError, ValueError), match="copy"):
            ps.asarray(np.arange(3.0), dtype="float32", copy=False)

    def test_copy_freezes_an_array_that_borrows(self) -> None:
        a = np.arange(100_000.0)
        frozen = [ps.asarray(each, copy=True) for each in (ps.asarray(a), ps.asarray(a)[::-1], ps.asarray(a) * 2)]
        a[:] = 99
        assert [float(each[0]) for each in frozen] == [0, 99_999, 0]

    def test_a_copy_of_what_owns_its_elements_takes_none(self) -> None:
        x = ps.evaluate(ps.asarray(np.arange(100_000.0)) * 2)[0]
        before = ps.stats()
        assert address(ps.asarray(x, copy=True)) == address(x)
        assert change("bytes_copied", before) == 0

    def test_memory_lives_as_long_as_an_array_needs_it(self) -> None:
        class Owner(np.ndarray):  # type: ignore[type-arg]
            """An array that can be watched."""

        a = np.arange(10_000.0).view(Owner)
        watch = weakref.ref(a)
        x = ps.asarray(a)
        lazy = x[10:] * 2
        expected = np.asarray(a[10:]) * 2
        del a, x
        gc.collect()
        assert watch() is not None
        assert_same_bits(np.asarray(lazy), np.asarray(expected))
        gc.collect()
        assert watch() is None, "evaluated: the inputs are let go"

    def test_a_numpy_view_keeps_the_elements_alive(self) -> None:
        x = ps.asarray(np.arange(100_000.0)) * 3
        seen = np.asarray(x)
        part = seen[5:7]
        del x, seen
        gc.collect()
        junk = [ps.evaluate(ps.zeros(100_000) + i) for i in range(20)]
        assert part.tolist() == [15, 18]
        del junk

    def test_reference_counts_return(self) -> None:
        a = np.arange(1000.0)
        before = sys.getrefcount(a)
        for _ in range(100):
            x = ps.asarray(a)
            y = x + x[::-1]
            np.asarray(y)
            ps.add(a, 1, out=np.empty(1000))
        del x, y
        gc.collect()
        assert sys.getrefcount(a) == before


class TestBuffers:
    """The buffer protocol, from and to."""

    @pytest.mark.parametrize("code", "bBhHiIlLqQfd")
    def test_array_array(self, code: str) -> None:
        source = array.array(code, [1, 2, 3])
        x = ps.asarray(source)
        assert np.asarray(x).tolist() == [1, 2, 3]
        assert x.dtype == np.asarray(source).dtype
        assert address(x) == source.buffer_info()[0]

    def test_bytes_and_their_like(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_bytes(b"\x01\x02\x03\x04")
        with (tmp_path / "file").open("r+b") as file:
            mapped = mmap.mmap(file.fileno(), 0)
        for source in (b"\x01\x02\x03\x04", bytearray(b"\x01\x02\x03\x04"), memoryview(b"\x01\x02\x03\x04"), mapped):
            x = ps.asarray(source)
            assert x.dtype == ps.uint8
            assert np.asarray(x + 1).tolist() == [2, 3, 4, 5]
            del x
        gc.collect()
        mapped.close()
        reinterpreted = ps.asarray(memoryview(b"\x01\x00\x02\x00").cast("h"))
        assert np.asarray(reinterpreted).tolist() == [1, 2]
        steps = ps.asarray(memoryview(b"\x01\x02\x03\x04\x05")[::-2])
        assert np.asarray(steps).tolist() == [5, 3, 1]

    def test_ctypes(self) -> None:
        numbers = (ctypes.c_double * 3)(1, 2, 3)
        x = ps.asarray(numbers)
        assert address(x) == ctypes.addressof(numbers)
        assert np.asarray(x * 2).tolist() == [2, 4, 6]
        matrix = ((ctypes.c_int32 * 2) * 3)()
        assert ps.asarray(matrix).shape == (3, 2)

    def test_a_bytearray_that_is_lent_can_not_grow(self) -> None:
        source = bytearray(8)
        x = ps.asarray(source)
        with pytest.raises(BufferError):
            source.append(1)
        del x
        gc.collect()
        source.append(1)

    @pytest.mark.parametrize("dtype", [*DTYPES, "float16"])
    def test_an_array_is_a_buffer(self, dtype: str) -> None:
        x = ps.astype(np.arange(6).reshape(2, 3), dtype)
        view = memoryview(x)
        assert view.readonly
        assert view.shape == (2, 3)
        assert view.itemsize == np.dtype(dtype).itemsize
        assert_same_bits(np.asarray(view), np.arange(6).reshape(2, 3).astype(dtype))
        assert bytes(view) == np.arange(6).astype(dtype).tobytes()
        ps.evaluate(x)
        if dtype not in ("float16", "complex64", "complex128"):
            assert view.tolist() == np.arange(6).reshape(2, 3).astype(dtype).tolist()

    def test_a_buffer_in_c_order_is_given_or_refused(self) -> None:
        x = ps.asarray(np.arange(6.0).reshape(2, 3)).T
        assert bytes(memoryview(x)) == np.arange(6.0).reshape(2, 3).T.tobytes()
        with pytest.raises(BufferError, match="contiguous"):
            (ctypes.c_char * 48).from_buffer_copy(x)
        with pytest.raises((BufferError, TypeError)):
            (ctypes.c_char * 48).from_buffer(x)

    def test_an_evaluation_that_fails_in_a_buffer_request(self, tmp_path: Path) -> None:
        import os

        np.save(tmp_path / "a.npy", np.zeros(10_000))
        x = ps.open(tmp_path / "a.npy") + 1
        os.truncate(tmp_path / "a.npy", 200)
        with pytest.raises(ps.errors.TruncatedFileError, match=r"a\.npy"):
            memoryview(x)
        with pytest.raises(ps.errors.TruncatedFileError, match=r"a\.npy"):
            np.asarray(x)


class TestDlpack:
    """DLPack both ways."""

    @pytest.mark.parametrize("dtype", [each for each in DTYPES if each != "bool"] + ["bool"])
    def test_to_and_from_numpy(self, dtype: str) -> None:
        a = sample(dtype, (5, 13))
        x = ps.from_dlpack(a)
        assert address(x) == address(a)
        assert_same_bits(np.asarray(x), a)
        y = ps.asarray(a)[::2, 1:]
        assert_same_bits(np.from_dlpack(y), np.ascontiguousarray(a[::2, 1:]).reshape(3, 12))
        assert y.__dlpack_device__() == (1, 0)

    def test_objects_that_have_nothing_else(self) -> None:
        class Tensor:
            """What another library's tensor looks like."""

            def __init__(self, a: Numbers) -> None:
                self.a = a

            def __dlpack__(self, **how: Any) -> Any:
                return self.a.__dlpack__(**how)

            def __dlpack_device__(self) -> tuple[int, int]:
                return (1, 0)

        a = np.arange(6.0).reshape(2, 3)
        for x in (ps.from_dlpack(Tensor(a)), ps.asarray(Tensor(a)), ps.zeros((2, 3)) + Tensor(a)):
            assert_same_bits(np.asarray(x), a)
        assert address(ps.from_dlpack(Tensor(a))) == address(a)
        a[0, 0] = 7
        x = ps.from_dlpack(Tensor(a), copy=True)
        a[0, 0] = 8
        assert float(x[0, 0]) == 7

    def test_another_device_is_refused(self) -> None:
        with pytest.raises(ps.errors.ArgumentError, match="cpu"):
            ps.from_dlpack(np.zeros(3), device="cuda")

    def test_torch(self) -> None:
        torch = pytest.importorskip("torch")
        t = torch.arange(6.0).reshape(2, 3)
        x = ps.from_dlpack(t)
        assert address(x) == t.data_ptr()
        assert torch.from_dlpack(x + 1).tolist() == (t + 1).tolist()


class TestNumpyFit:
    """NumPy's functions and operators with arrays of ours."""

    def test_operators_are_ours(self) -> None:
        a = np.arange(6.0).reshape(2, 3)
        x = ps.asarray(a)
        for got, want in (
            (a + x, a + a),
            (a[0] * x, a[0] * a),
            (a - x[0], a - a[0]),
            (2 - x, 2 - a),
            (np.float32(2) * x, np.float32(2) * a),
        ):
            assert isinstance(got, ps.Array)
            assert_same_bits(np.asarray(got), want)
        assert isinstance(np.float64(2) + x, ps.Array)
        assert isinstance(np.sin(x), ps.Array)

    def test_numpy_functions_that_ask_for_an_array(self) -> None:
        x = ps.asarray(np.arange(6.0).reshape(2, 3)) * 2
        assert np.linalg.norm(np.asarray(x)) == np.linalg.norm(np.arange(6.0) * 2)
        assert np.concatenate([x, x]).shape == (4, 3)
        assert np.array_equal(x, np.arange(6.0).reshape(2, 3) * 2)
        b = np.zeros((2, 3))
        b[...] = x
        b[0] = x[1]
        assert b.tolist() == [[6, 8, 10], [6, 8, 10]]
        assert np.asarray(x, dtype="float32").dtype == np.float32
        assert np.array(x, copy=True).base is None

    @pytest.mark.parametrize(
        "wrong",
        [
            object(),
            "text",
            b"",
            None,
            {1: 2},
            [[1], [2, 3]],
            ["a"],
            np.array("2020", "M8[s]"),
            np.array([object()]),
            np.zeros(2, "i4,f4"),
            lambda: 0,
        ],
    )
    def test_what_is_no_array(self, wrong: Any) -> None:
        if isinstance(wrong, bytes):
            assert ps.asarray(wrong).shape == (0,)
            return
        uneven = isinstance(wrong, list) and isinstance(wrong[0], list)
        kind = ps.errors.ArgumentError if uneven else ps.errors.DTypeError
        with pytest.raises(kind) as caught:
            ps.asarray(wrong)
        assert len(str(caught.value)) > 20
        with pytest.raises(kind if uneven else TypeError):
            ps.zeros(3) + wrong

    def test_numbers_and_nested_lists(self) -> None:
        for value in (
            True,
            3,
            2.5,
            1j,
            2**63,
            [1, 2],
            [[1.5], [2]],
            [True, False],
            (1, (2)),
            [],
            range(4),
            np.float32(1.5),
            np.int8(3),
        ):
            assert_same_bits(np.asarray(ps.asarray(value)), np.asarray(value))

    def test_python_numbers_of_an_array(self) -> None:
        assert int(ps.asarray(np.uint64(2**64 - 1))) == 2**64 - 1
        assert int(ps.asarray(2.9)) == 2
        assert float(ps.asarray(np.float32(0.1))) == float(np.float32(0.1))
        assert complex(ps.asarray(1 + 2j)) == 1 + 2j
        assert bool(ps.asarray([0.5]))
        assert [10, 20, 30][ps.asarray(1)] == 20
        assert ps.asarray([[7]]).item() == 7
        assert ps.asarray([[1, 2], [3, 4]]).tolist() == [[1, 2], [3, 4]]
        assert [int(each) for each in ps.asarray([1, 2])] == [1, 2]
        assert len(ps.zeros((3, 4))) == 3
        for wrong in (
            lambda: bool(ps.zeros(2)),
            lambda: int(ps.zeros(0)),
            lambda: float(ps.zeros((1, 2))),
            lambda: [][ps.asarray(1.0)],
            lambda: len(ps.asarray(1)),
            lambda: iter(ps.asarray(1)),
            lambda: float(ps.asarray(1j)),
            lambda: int(ps.asarray(float("nan"))),
            lambda: int(ps.asarray(float("inf"))),
            lambda: ps.zeros(3).item(),
        ):
            with pytest.raises((TypeError, ValueError)):
                wrong()
