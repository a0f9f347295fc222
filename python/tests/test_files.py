# SPDX-License-Identifier: Apache-2.0
"""Files: every kind of .npy NumPy writes, raw files, outputs."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sweep import DTYPES, Numbers, assert_same_bits, computed, random_values

import penstock as ps

STORED = (*DTYPES, "float16")


def values(dtype: str, shape: tuple[int, ...]) -> Numbers:
    count = int(np.prod(shape))
    if dtype == "float16":
        return random_values("float32", count, np.random.default_rng(4)).astype(dtype).reshape(shape)
    return random_values(dtype, count, np.random.default_rng(4)).reshape(shape)


class TestReading:
    """What NumPy writes is read as it was."""

    @pytest.mark.parametrize("version", [(1, 0), (2, 0), (3, 0)])
    @pytest.mark.parametrize("order", ["C", "F"])
    @pytest.mark.parametrize("endian", ["<", ">"])
    @pytest.mark.parametrize("dtype", STORED)
    def test_every_format(self, tmp_path: Path, dtype: str, endian: str, order: Any, version: tuple[int, int]) -> None:
        path = tmp_path / "a.npy"
        for shape in ((), (0,), (1,), (7,), (2, 0, 3), (5, 4, 3), (1, 1), (65, 33)):
            a = values(dtype, shape).astype(np.dtype(dtype).newbyteorder(endian), order=order)
            with path.open("wb") as file, warnings.catch_warnings():
                warnings.simplefilter("ignore")
                np.lib.format.write_array(file, a, version=version)
            x = ps.open(path)
            assert x.shape == shape
            assert_same_bits(np.asarray(x), computed(a), f"{dtype} {endian} {order} {version} {shape}")
            assert_same_bits(
                np.asarray(ps.open(path)[..., ::-1] if shape else ps.open(path)),
                computed(a)[..., ::-1] if shape else computed(a),
            )
            if dtype != "bool":
                assert_same_bits(np.asarray(x + x), computed(a) + computed(a))

    @pytest.mark.parametrize("io_mode", ["mmap", "pread", "direct", "auto"])
    def test_every_way_of_reading(self, tmp_path: Path, io_mode: str) -> None:
        a = values("float64", (700, 333))
        for name, each in (("c", a), ("f", np.asfortranarray(a)), ("b", a.astype(">f8")), ("h", a.astype("f2"))):
            np.save(tmp_path / f"{name}.npy", each)
        program = """
import sys, numpy as np, penstock as ps
for name in "cfbh":
    a = np.load(f"{name}.npy")
    native = a.astype("f4" if name == "h" else "f8")
    x = ps.open(f"{name}.npy")
    assert np.array_equal(np.asarray(x * 2), native * 2), name
    assert np.array_equal(np.asarray(x[5:600:7, ::-2] * 2), native[5:600:7, ::-2] * 2), name
    assert np.array_equal(np.asarray(x.T.max(axis=1)), native.max(axis=0)), name
    r = ps.open(f"{name}.npy", dtype=native.dtype, offset=128, shape=(10,)) if name == "c" else None
    assert r is None or np.array_equal(np.asarray(r), native.ravel()[:10])
"""
        run_python(program, tmp_path, PENSTOCK_IO=io_mode, PENSTOCK_DEBUG_OUTER="65536")

    def test_raw_files(self, tmp_path: Path) -> None:
        a = values("int32", (6, 5))
        path = tmp_path / "a.bin"
        path.write_bytes(b"head!" + a.tobytes())
        assert_same_bits(np.asarray(ps.open(path, dtype=ps.int32, offset=5)), a.ravel())
        assert_same_bits(np.asarray(ps.open(path, dtype="int32", shape=(6, 5), offset=5)), a)
        assert_same_bits(np.asarray(ps.open(path, dtype=np.int32, shape=(2, 5), offset=5 + 40)), a[2:4])
        assert_same_bits(np.asarray(ps.open(path, dtype="uint8", shape=5)), np.frombuffer(b"head!", np.uint8))
        assert ps.open(path, dtype="int32", shape=(0, 3)).shape == (0, 3)
        for arguments, error, words in (
            ({"dtype": "int32"}, "FormatError", "whole number"),
            ({"dtype": "int32", "shape": (7, 5), "offset": 5}, "TruncatedFileError", "140 bytes"),
            ({"dtype": "int32", "offset": 500}, "TruncatedFileError", "500"),
            ({"dtype": "int32", "offset": -1}, "ArgumentError", "-1"),
            ({"dtype": "int32", "shape": (2**40, 2**40)}, "ShapeError", "1099511627776"),
            ({"dtype": "int31"}, "DTypeError", "int31"),
            ({"shape": (3,)}, "ArgumentError", "dtype"),
            ({"offset": 3}, "ArgumentError", "dtype"),
        ):  # type: tuple[dict[str, Any], str, str]
            with pytest.raises(getattr(ps.errors, error), match=words):
                ps.open(path, **arguments)

    def test_paths_of_every_kind(self, tmp_path: Path) -> None:
        a = values("float32", (3, 4))
        for name in ("plain.npy", "with space.npy", "ünïcødé-日本.npy", "'quote\".npy", "new\nline.npy"):
            np.save(tmp_path / name, a)
            for path in (tmp_path / name, str(tmp_path / name)):
                assert_same_bits(np.asarray(ps.open(path)), a)
            assert ps.open(tmp_path / name).sources() == [str(tmp_path / name)]

    def test_a_file_stays_readable_after_it_was_removed(self, tmp_path: Path) -> None:
        a = values("float32", (3, 4))
        np.save(tmp_path / "a.npy", a)
        x = ps.open(tmp_path / "a.npy")
        (tmp_path / "a.npy").unlink()
        assert_same_bits(np.asarray(x), a)


def run_python(program: str, where: Path, **variables: str) -> str:
    """A program in a process of its own: what a fault would kill."""
    result = subprocess.run(
        [sys.executable, "-c", program],
        cwd=where,
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert result.returncode == 0, f"status {result.returncode}\n{result.stdout}\n{result.stderr}"
    return result.stdout


class TestSaving:
    """Outputs are durable .npy files that NumPy reads."""

    @pytest.mark.parametrize("dtype", STORED)
    def test_every_dtype(self, tmp_path: Path, dtype: str) -> None:
        for shape in ((), (0, 3), (1,), (5, 4, 3), (200, 300)):
            a = values(dtype, shape)
            ps.save(ps.astype(computed(a), dtype), tmp_path / "a.npy")
            assert_same_bits(np.load(tmp_path / "a.npy"), a)
            assert (tmp_path / "a.npy").stat().st_size % 64 == a.nbytes % 64, "data begin at a multiple of 64"

    def test_expressions_and_layouts(self, tmp_path: Path) -> None:
        a = values("float32", (300, 200))
        for name, make in {
            "view": lambda x: x[::-2, 5:],
            "transpose": lambda x: x.T,
            "expression": lambda x: x * 2 + 1,
            "reduction": lambda x: x.sum(axis=0),
            "number": lambda x: x.max(),
            "broadcast": lambda x: ps.broadcast_to(x[0], (7, 200)),
            "constant": lambda _: ps.full((30, 40), 2.5),
            "counter": lambda _: ps.arange(100_000),
        }.items():
            ps.save(make(ps.asarray(a)), tmp_path / "r.npy")
            assert_same_bits(np.load(tmp_path / "r.npy"), np.asarray(make(ps.asarray(a))), name)

    @pytest.mark.parametrize("dtype", ["uint8", "float32", "complex128"])
    def test_parts_that_interleave(self, tmp_path: Path, dtype: str) -> None:
        """Elements, short rows and backwards, each part over more than a window of the writer."""
        a, b = values(dtype, (301, 1000)), values(dtype, (301, 1000))[::-1]
        flipped = a.copy()
        flipped[::-2, ::-1] = b[::2]
        assigned = ps.asarray(a, copy=True)
        assigned[::-2, ::-1] = ps.asarray(b)[::2]
        short = values(dtype, (90000, 3))
        for got, expected in (
            (ps.stack([ps.asarray(a), ps.asarray(b), ps.asarray(a)], axis=-1), np.stack([a, b, a], axis=-1)),
            (ps.stack([ps.asarray(a), ps.asarray(b)], axis=1), np.stack([a, b], axis=1)),
            (ps.concat([ps.asarray(short), ps.asarray(short)[:, :1]], axis=1), np.hstack([short, short[:, :1]])),
            (assigned, flipped),
        ):
            ps.save(got, tmp_path / "out.npy", overwrite=True)
            assert_same_bits(np.load(tmp_path / "out.npy"), expected)

    def test_over_its_own_input(self, tmp_path: Path) -> None:
        path = tmp_path / "a.npy"
        a = values("float64", (400, 300))
        np.save(path, a)
        x = ps.open(path)
        reader = np.load(path, mmap_mode="r")
        ps.save(x.T * 2 + 1, path)
        assert_same_bits(np.load(path), np.ascontiguousarray(a.T * 2 + 1))
        assert_same_bits(np.asarray(reader), a, "whoever had the old file open keeps it")
        assert_same_bits(np.asarray(x[3]), a[3], "the array too")
        for _ in range(3):
            ps.save(ps.open(path) + 1, path)
        assert_same_bits(np.load(path), np.ascontiguousarray(a.T * 2 + 1 + 1 + 1 + 1))

    def test_nothing_is_left_behind_by_an_error(self, tmp_path: Path) -> None:
        np.save(tmp_path / "a.npy", values("float64", (3000, 100)))
        np.save(tmp_path / "r.npy", np.arange(3))
        x = ps.open(tmp_path / "a.npy")
        os.truncate(tmp_path / "a.npy", 100_000)
        with pytest.raises(ps.errors.TruncatedFileError):
            ps.save(x * 2, tmp_path / "r.npy")
        assert sorted(each.name for each in tmp_path.iterdir()) == ["a.npy", "r.npy"]
        assert np.load(tmp_path / "r.npy").tolist() == [0, 1, 2]

    def test_existing_files(self, tmp_path: Path) -> None:
        path = tmp_path / "a.npy"
        ps.save(ps.zeros(3), path, overwrite=False)
        with pytest.raises(ps.errors.FileError, match=r"a\.npy") as caught:
            ps.save(ps.ones(3), path, overwrite=False)
        assert isinstance(caught.value, FileExistsError) or caught.value.errno
        assert np.load(path).tolist() == [0, 0, 0]
        path.chmod(0o640)
        ps.save(ps.ones(3), path)
        assert np.load(path).tolist() == [1, 1, 1]
        assert stat.S_IMODE(path.stat().st_mode) == 0o640, "the file keeps its mode"

    def test_places_that_can_not_be_written(self, tmp_path: Path) -> None:
        (tmp_path / "folder").mkdir()
        for path in (tmp_path / "none" / "a.npy", tmp_path / "folder", tmp_path / "x" / ".." / ".." / "y" / "a.npy"):
            with pytest.raises(ps.errors.PenstockError) as caught:
                ps.save(ps.zeros(3), path)
            assert str(path) in str(caught.value)
        assert [each.name for each in tmp_path.iterdir()] == ["folder"]

    def test_what_can_not_be_evaluated_is_not_begun(self, tmp_path: Path) -> None:
        with pytest.raises(ps.errors.NoSpaceError, match=r"r\.npy"):
            ps.save(ps.zeros((2**20, 2**30)), tmp_path / "r.npy")
        assert list(tmp_path.iterdir()) == []
        with pytest.raises(ps.errors.DTypeError):
            ps.save("text", tmp_path / "r.npy")
