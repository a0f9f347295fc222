# SPDX-License-Identifier: Apache-2.0
"""C++ compiled on the spot by the system's compiler: what a program written for one calculation alone does here."""

from __future__ import annotations

import ctypes
import hashlib
import shutil
import subprocess
from collections.abc import Callable, Sequence
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np

from bench import Refused
from penstock.lab.ceilings import pages
from penstock.lab.sides import Timed
from timing import Settled

HERE = Path(__file__).resolve().parent
FOLDER = HERE.parent / "build" / "bench"
# Without these two the compiler does not vectorise roots and roundings; no result changes.
FLAGS = ("-O3", "-march=native", "-fopenmp", "-fno-math-errno", "-fno-trapping-math", "-std=c++20", "-shared", "-fPIC")
TRIALS = 5


@cache
def library(source: str) -> Any:
    """The shared library of a C++ text, compiled once. Raises Refused where there is no compiler for it."""
    compiler = shutil.which("g++") or shutil.which("c++")
    if compiler is None:
        raise Refused("no C++ compiler: apt-get install g++")
    version = subprocess.run([compiler, "--version"], check=True, capture_output=True, text=True).stdout
    cpu = Path("/proc/cpuinfo").read_text(encoding="utf-8").partition("\n\n")[0]
    features = next((line for line in cpu.splitlines() if line.startswith("flags")), cpu)
    name = hashlib.sha256("\n".join([source, *FLAGS, version, features]).encode()).hexdigest()[:16]
    made = FOLDER / f"{name}.so"
    if not made.is_file():
        FOLDER.mkdir(parents=True, exist_ok=True)
        text, partial = FOLDER / f"{name}.cc", FOLDER / f"{name}.partial"
        text.write_text(source, encoding="utf-8")
        done = subprocess.run([compiler, *FLAGS, str(text), "-o", str(partial)], capture_output=True, text=True)
        if done.returncode != 0:
            raise Refused(f"{compiler} cannot compile {text.name}: {done.stderr[-400:]}")
        partial.replace(made)
    return ctypes.CDLL(str(made))


def hand_written() -> Any:
    """The library of native.cc."""
    found = library((HERE / "native.cc").read_text(encoding="utf-8"))
    found.read.restype = ctypes.c_float
    return found


def address(array: Any) -> ctypes.c_void_p:
    """Where a contiguous float32 array begins."""
    if array.dtype != np.float32 or not array.flags.c_contiguous:
        raise ValueError(f"native loops take contiguous float32; got {array.dtype} with strides {array.strides}")
    return ctypes.c_void_p(array.ctypes.data)


def target(count: int) -> Any:
    """`count` float32 on a page boundary, in large pages and touched: no call pays for its memory."""
    found = pages(max(count * 4, 1)).view(np.float32)
    found.fill(0)
    return found


def faster_store(call: Callable[[int], object]) -> int:
    """Whether call(1), with non-temporal stores, beats call(0) here: the peer has the better ones at each size."""
    sides = [Timed(partial(call, kind)) for kind in (0, 1)]
    medians = [float(np.median([side() for _ in range(TRIALS)])) for side in sides]
    return int(medians[1] < medians[0])


def chain_side(operands: Sequence[Any], threads: int) -> tuple[Settled, Any, str]:
    """The fused chain into an array that is there already; the array, and which stores it has."""
    run, out = hand_written().chain, target(operands[0].size)
    arrays, count = (*operands, out), ctypes.c_long(out.size)
    places = [address(each) for each in arrays]

    def call(stream: int) -> Any:
        run(*places, count, threads, stream)
        return arrays  # which live as long as this function

    stream = faster_store(call)
    return Settled(Timed(lambda: call(stream))), out, "non-temporal" if stream else "ordinary"


def copy_side(source: Any, threads: int) -> Settled:
    """A copy with the better stores: the ceiling of what reads and writes."""
    run, out = hand_written().copy, target(source.size)
    count = ctypes.c_long(out.size)

    def call(stream: int) -> None:
        run(address(source), address(out), count, threads, stream)

    stream = faster_store(call)
    return Settled(Timed(lambda: call(stream)))


def read_side(source: Any, threads: int) -> Settled:
    """A sum as fast as memory is read: the ceiling of reductions."""
    run, count = hand_written().read, ctypes.c_long(source.size)
    return Settled(Timed(lambda: run(address(source), count, threads)))
