# SPDX-License-Identifier: Apache-2.0
"""Arrays on their way to other processes: by value, by reference to a file, as Dask's tokens; copies."""

from __future__ import annotations

import copy
import os
import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import penstock as ps

PROTOCOLS = range(pickle.HIGHEST_PROTOCOL + 1)
DTYPES = ["bool", "int8", "uint64", "float32", "float64", "complex128"]


def passed(x: ps.Array, protocol: int = pickle.HIGHEST_PROTOCOL) -> ps.Array:
    made = pickle.loads(pickle.dumps(x, protocol=protocol))
    assert isinstance(made, ps.Array)
    return made


@pytest.fixture
def path(tmp_path: Path) -> Path:
    np.save(tmp_path / "x.npy", np.arange(200_000, dtype=np.float32).reshape(400, 500))
    return tmp_path / "x.npy"


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_by_value(dtype: str, protocol: int) -> None:
    a = np.arange(24).reshape(2, 3, 4).astype(dtype)
    for x in (ps.asarray(a), ps.asarray(a)[:, ::-1, 1], ps.asarray(a).T if a.ndim == 2 else ps.asarray(a[0]).T):
        made = passed(x, protocol)
        assert made.dtype == x.dtype
        np.testing.assert_array_equal(np.asarray(made), np.asarray(x))


@pytest.mark.parametrize("shape", [(), (0,), (3, 0, 2)])
def test_of_no_axes_and_of_no_elements(shape: tuple[int, ...]) -> None:
    made = passed(ps.zeros(shape, dtype=ps.int16))
    assert made.shape == shape
    assert made.dtype == ps.int16


def test_an_expression_goes_by_its_value() -> None:
    x = ps.asarray(np.arange(1e5))
    y = (x * 2 + 1).sum()
    assert len(pickle.dumps(y)) < 1000
    assert float(passed(y)) == float(y)


def test_buffers_go_out_of_band() -> None:
    x = ps.asarray(np.arange(1e4))
    buffers: list[pickle.PickleBuffer] = []
    data = pickle.dumps(x, protocol=5, buffer_callback=buffers.append)
    assert len(data) < 1000
    assert len(buffers) == 1
    np.testing.assert_array_equal(np.asarray(pickle.loads(data, buffers=buffers)), np.arange(1e4))


def test_a_misaligned_buffer_is_copied() -> None:
    x = ps.asarray(np.arange(100.0))
    buffers: list[pickle.PickleBuffer] = []
    data = pickle.dumps(x, protocol=5, buffer_callback=buffers.append)
    shifted = memoryview(b"\0" + buffers[0].raw().tobytes())[1:]
    np.testing.assert_array_equal(np.asarray(pickle.loads(data, buffers=[shifted]) + 0), np.arange(100.0))


class TestFiles:
    def test_a_file_goes_by_reference(self, path: Path) -> None:
        x = ps.open(path)
        before = ps.stats()
        made = passed(x)
        after = ps.stats()
        assert len(pickle.dumps(x)) < 1000
        for name in ("bytes_read", "bytes_mapped"):
            assert after[name] == before[name]
        assert made.sources() == [str(path)]
        np.testing.assert_array_equal(np.asarray(made), np.load(path))

    @pytest.mark.parametrize(
        "key", [np.s_[10:20], np.s_[3], np.s_[::-2, None, 5:7], np.s_[..., -1], np.s_[0, 0]], ids=repr
    )
    def test_so_do_its_parts(self, path: Path, key: Any) -> None:
        part = ps.open(path)[key]
        assert passed(part).sources() == [str(path)]
        np.testing.assert_array_equal(np.asarray(passed(part)), np.load(path)[key])

    def test_so_do_other_arrangements_and_dtypes(self, path: Path) -> None:
        x = ps.open(path)
        rearranged = ps.flip(ps.reshape(ps.permute_dims(x, (1, 0)), (50, 4000)), axis=0).astype(ps.int32)
        expected = np.flip(np.load(path).T.reshape(50, 4000), axis=0).astype(np.int32)
        assert passed(rearranged).sources() == [str(path)]
        np.testing.assert_array_equal(np.asarray(passed(rearranged)), expected)

    @pytest.mark.parametrize("dtype", ["bool", "float16", ">i4"])
    def test_files_that_are_converted_when_they_are_read(self, tmp_path: Path, dtype: str) -> None:
        a = np.arange(6000).astype(dtype)
        np.save(tmp_path / "x.npy", a)
        made = passed(ps.open(tmp_path / "x.npy"))
        assert made.sources()
        assert made.dtype == ps.open(tmp_path / "x.npy").dtype
        np.testing.assert_array_equal(np.asarray(made), a)

    def test_raw_files(self, tmp_path: Path) -> None:
        a = np.arange(5000, dtype=np.int16)
        (tmp_path / "x.raw").write_bytes(b"head" + a.tobytes())
        x = ps.open(tmp_path / "x.raw", dtype=ps.int16, shape=(50, 100), offset=4)[3:]
        assert passed(x).sources()
        np.testing.assert_array_equal(np.asarray(passed(x)), a.reshape(50, 100)[3:])

    def test_relative_paths_are_made_absolute(self, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(path.parent)
        data = pickle.dumps(ps.open("x.npy"))
        program = "import sys, pickle; print(float(pickle.loads(sys.stdin.buffer.read())[1, 1]))"
        result = subprocess.run(
            [sys.executable, "-c", program], input=data, capture_output=True, check=True, timeout=60, cwd="/"
        )
        assert float(result.stdout) == 501

    def test_a_changed_file_is_refused(self, path: Path) -> None:
        data = pickle.dumps(ps.open(path))
        os.utime(path, ns=(1, 1))
        with pytest.raises(ps.errors.FileChangedError, match="pickle the array again"):
            pickle.loads(data)

    def test_a_replaced_file_is_refused(self, path: Path) -> None:
        data = pickle.dumps(ps.open(path))
        ps.save(ps.open(path) + 1, path)
        with pytest.raises(ps.errors.FileChangedError, match=r"x\.npy"):
            pickle.loads(data)

    def test_a_missing_file_is_an_error(self, path: Path) -> None:
        data = pickle.dumps(ps.open(path))
        path.unlink()
        with pytest.raises(ps.errors.MissingFileError, match=r"x\.npy"):
            pickle.loads(data)

    def test_a_file_that_has_lost_its_name_goes_by_value(self, path: Path) -> None:
        x = ps.open(path)
        a = np.load(path)
        path.unlink()
        np.testing.assert_array_equal(np.asarray(passed(x)), a)


class TestCopies:
    def test_a_copy_is_another_value(self) -> None:
        x = ps.asarray(np.arange(4.0))
        y = copy.copy(x)
        y[0] = 7
        assert float(x[0]) == 0
        assert float(y[0]) == 7

    def test_a_deep_copy_does_not_see_the_lender(self) -> None:
        a = np.arange(4.0)
        lazy = ps.asarray(a) + 0
        deep, shallow = copy.deepcopy(ps.asarray(a)), copy.copy(ps.asarray(a))
        a[0] = 7
        assert float(deep[0]) == 0
        assert float(shallow[0]) == 7
        assert float(copy.deepcopy(lazy)[1]) == 1

    @pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy, ps.Array.copy, np.copy, lambda x: x[...]])
    def test_it_is_another_handle(self, duplicate: Callable[[ps.Array], ps.Array]) -> None:
        (x,) = ps.evaluate(ps.asarray(np.arange(4.0)) * 2)
        y = duplicate(x)
        y[0] = 7
        assert float(x[0]) == 0

    def test_a_deep_copy_of_a_file_reads_nothing(self, path: Path) -> None:
        before = ps.stats()
        y = copy.deepcopy(ps.open(path) * 2)
        assert ps.stats()["evaluations"] == before["evaluations"]
        assert float(y[0, 1]) == 2


class TestTokens:
    def test_equal_arrays_have_equal_tokens(self, path: Path) -> None:
        for make in (lambda: ps.open(path), lambda: ps.open(path)[3:, ::2], lambda: ps.asarray(np.arange(9.0)) * 2):
            assert make().__dask_tokenize__() == make().__dask_tokenize__()

    def test_others_have_others(self, path: Path) -> None:
        x = ps.open(path)
        a = np.arange(6.0)
        arrays = [x, x[1:], x.T, x.astype(ps.int32), ps.asarray(a), ps.asarray(a.reshape(2, 3)), ps.asarray(a + 1)]
        assert len({x.__dask_tokenize__() for x in arrays}) == len(arrays)

    def test_a_file_is_not_read(self, path: Path) -> None:
        before = ps.stats()
        ps.open(path)[10:].__dask_tokenize__()
        after = ps.stats()
        assert after["bytes_read"] + after["bytes_mapped"] == before["bytes_read"] + before["bytes_mapped"]

    def test_it_is_the_same_in_another_process(self) -> None:
        program = "import numpy as np, penstock as ps; print(ps.asarray(np.arange(9.0)).__dask_tokenize__())"
        result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
        assert result.stdout.strip() == str(ps.asarray(np.arange(9.0)).__dask_tokenize__())
