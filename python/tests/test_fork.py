# SPDX-License-Identifier: Apache-2.0
"""Processes: fork and spawn in the middle of things, then compute in the child."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from sweep import FULL

import penstock as ps

pytestmark = pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
WANT = float(np.sqrt(np.arange(300_000.0)).sum())


def compute() -> float:
    return float(ps.sum(ps.sqrt(ps.arange(300_000) * 1.0)))


def in_child(work: Callable[[], object]) -> None:
    """Runs ``work`` in a forked child, which must end by itself."""
    child = os.fork()
    if child == 0:
        try:
            work()
            os._exit(0)
        except BaseException:
            import traceback

            traceback.print_exc()
            os._exit(1)
    watchdog = threading.Timer(60, lambda: os.kill(child, 9))
    watchdog.start()
    _, status = os.waitpid(child, 0)
    watchdog.cancel()
    assert status == 0, f"the child ended with {status}"


def check() -> None:
    assert abs(compute() - WANT) < 1e-4


def test_a_child_computes() -> None:
    check()
    for _ in range(100 if FULL else 5):
        in_child(check)
    check()


def test_a_child_of_a_process_that_has_not_computed() -> None:
    program = f"""
import os, penstock as ps
child = os.fork()
value = float(ps.sum(ps.sqrt(ps.arange(300_000) * 1.0)))
assert abs(value - {WANT}) < 1e-4
if child:
    assert os.waitpid(child, 0)[1] == 0
"""
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)


def test_a_fork_while_other_threads_evaluate() -> None:
    stop = threading.Event()

    def work() -> None:
        while not stop.is_set():
            compute()

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(100 if FULL else 10):
            in_child(check)
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    check()


def test_a_child_sees_the_arrays_of_its_parent(tmp_path: Path) -> None:
    a = np.arange(100_000.0)
    np.save(tmp_path / "a.npy", a)
    evaluated, lazy, opened = ps.evaluate(ps.asarray(a) * 2)[0], ps.asarray(a) + 1, ps.open(tmp_path / "a.npy")

    def work() -> None:
        assert np.array_equal(np.asarray(evaluated), a * 2)
        assert np.array_equal(np.asarray(lazy), a + 1)
        assert np.array_equal(np.asarray(opened - 1), a - 1)
        ps.save(opened * 3, tmp_path / "child.npy")
        changed = evaluated + 0
        changed[0] = 7

    in_child(work)
    assert np.array_equal(np.load(tmp_path / "child.npy"), a * 3)
    assert np.array_equal(np.asarray(evaluated), a * 2)
    assert not lazy.evaluated


def test_grandchildren() -> None:
    in_child(lambda: in_child(lambda: in_child(check)))


def test_settings_are_inherited() -> None:
    threads = ps.threads()

    def work() -> None:
        assert ps.threads() == 3
        assert ps.memory_budget() == budget
        check()
        ps.threads(1)

    budget = ps.memory_budget()
    ps.threads(3)
    try:
        in_child(work)
        assert ps.threads() == 3
    finally:
        ps.threads(threads)


def pooled(number: int) -> float:
    return float(ps.sum(ps.arange(number * 1000)))


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_multiprocessing(method: str) -> None:
    context = multiprocessing.get_context(method)
    with context.Pool(2) as pool:
        assert pool.map(pooled, range(1, 9)) == [sum(range(n * 1000)) for n in range(1, 9)]


def test_what_travels_between_processes() -> None:
    assert pickle.loads(pickle.dumps(ps.float32)) is ps.float32 or pickle.loads(pickle.dumps(ps.float32)) == ps.float32
    error = pickle.loads(pickle.dumps(ps.errors.BudgetError("too much")))
    assert isinstance(error, ps.errors.BudgetError)
    program = "import sys, pickle; error = pickle.loads(sys.stdin.buffer.read()); assert error.exit_status == 4"
    subprocess.run([sys.executable, "-c", program], input=pickle.dumps(error), check=True, timeout=60)
