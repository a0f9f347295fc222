# SPDX-License-Identifier: Apache-2.0
"""The loops in C++ calculate what they say, and the empty CUDA libraries let a program start that names them."""

from __future__ import annotations

import ctypes
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import kernels
import native
import torch_cpu
from bench import Refused

pytestmark = pytest.mark.skipif(shutil.which("g++") is None, reason="needs g++")
COUNTS = (1, 15, 16, 17, 1000, 100_003)


@pytest.fixture
def library() -> Any:
    return native.hand_written()


@pytest.mark.parametrize("stream", [0, 1])
@pytest.mark.parametrize("threads", [1, 2, 3])
@pytest.mark.parametrize("count", COUNTS)
def test_the_fused_chain_and_the_copy_do_every_element(library: Any, count: int, threads: int, stream: int) -> None:
    a, b, c = (kernels.values(count, seed) for seed in range(3))
    out = native.target(count)
    library.chain(*map(native.address, (a, b, c, out)), ctypes.c_long(count), threads, stream)
    np.testing.assert_allclose(out[:count], 2 * a + 3 * b - 1 / (c + 1), rtol=1e-5, atol=1e-6)
    library.copy(native.address(a), native.address(out), ctypes.c_long(count), threads, stream)
    np.testing.assert_array_equal(out[:count], a)


@pytest.mark.parametrize("threads", [1, 2, 3])
@pytest.mark.parametrize("count", COUNTS)
def test_the_read_reads_every_element(library: Any, count: int, threads: int) -> None:
    a = kernels.values(count)
    assert library.read(native.address(a), ctypes.c_long(count), threads) == pytest.approx(a.sum(), rel=1e-4)


def test_operands_that_a_loop_cannot_take_are_refused() -> None:
    with pytest.raises(ValueError, match="take contiguous float32; got float64"):
        native.address(np.zeros(3))
    with pytest.raises(ValueError, match="strides"):
        native.address(np.zeros(6, np.float32)[::2])


def test_a_text_that_does_not_compile_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(native, "FOLDER", tmp_path)
    with pytest.raises(Refused, match="cannot compile"):
        native.library("no C++ at all")


def compiled(folder: Path, name: str, source: str, *more: str) -> Path:
    made = folder / name
    command = ["g++", "-shared", "-fPIC", "-x", "c++", "-", "-x", "none", f"-Wl,-soname,{name}", "-o", str(made), *more]
    subprocess.run(command, input=source, text=True, check=True)
    return made


def test_a_library_that_wants_cuda_starts_without_it_and_finds_no_device(tmp_path: Path) -> None:
    script = tmp_path / "versions"
    script.write_text("libcudart.so.99 { global: *; };", encoding="utf-8")
    text = 'extern "C" int cudaGetDeviceCount(int*); extern "C" const char* cudaGetErrorString(int);'
    real = (
        'extern "C" { int cudaGetDeviceCount(int*) { return 0; } const char* cudaGetErrorString(int) { return "-"; } }'
    )
    cuda = compiled(tmp_path, "libcudart.so.99", real, f"-Wl,--version-script={script}")
    user = text + 'extern "C" int ask() { int n; return cudaGetDeviceCount(&n) + cudaGetErrorString(1)[0]; }'
    own = compiled(tmp_path, "libuser.so", user, f"-L{tmp_path}", "-l:libcudart.so.99", "-Wl,-rpath,$ORIGIN")
    cuda.unlink()
    assert torch_cpu.complete(tmp_path) == ["libcudart.so.99"]
    assert ctypes.CDLL(str(own)).ask() == torch_cpu.NO_DEVICE
    assert torch_cpu.complete(tmp_path) == []
