# SPDX-License-Identifier: Apache-2.0
"""Threads: the interpreter's lock, evaluations at once, Ctrl-C, the same bits for every setting."""

from __future__ import annotations

import itertools
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from sweep import FULL, Numbers, assert_same_bits, random_values

import penstock as ps


@pytest.fixture(autouse=True)
def settings() -> Iterator[None]:
    """Every test leaves the engine as it found it."""
    threads, level, target = ps.threads(), ps.opt_level(), ps.simd_target()
    yield
    ps.threads(threads)
    ps.opt_level(level)
    ps.simd_target(target)
    ps.on_progress(None)


def slow(count: int = 20_000_000) -> ps.Array:
    """Some hundred milliseconds of work that takes no memory."""
    x = ps.arange(count) * 1e-3
    return ps.sum(ps.sin(ps.exp(ps.cos(x))) + ps.tan(x))


def start(work: Callable[[], object]) -> tuple[threading.Thread, list[object]]:
    results: list[object] = []

    def run() -> None:
        try:
            results.append(work())
        except BaseException as error:
            results.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    return thread, results


def test_other_python_threads_run_during_an_evaluation() -> None:
    counted = 0
    thread, results = start(lambda: float(slow()))
    while thread.is_alive():
        counted += 1
        time.sleep(0.001)
    assert isinstance(results[0], float)
    assert counted >= 10


def test_several_threads_evaluate_one_array() -> None:
    a = random_values("float64", 500_000, np.random.default_rng(1))
    for _ in range(20 if FULL else 5):
        shared = ps.sqrt(ps.abs(ps.asarray(a)) * 3) + 1
        want = np.sqrt(np.abs(a) * 3) + 1
        running = [start(lambda shared=shared: np.asarray(shared).copy()) for _ in range(6)]
        for thread, results in running:
            thread.join()
            assert_same_bits(np.asarray(results[0]), want)


def test_several_threads_evaluate_different_arrays() -> None:
    a = random_values("float64", 300_000, np.random.default_rng(1))
    jobs: list[tuple[Callable[[], Any], Any]] = [
        (lambda: np.asarray(ps.asarray(a) * 2), a * 2),
        (lambda: np.asarray(ps.asarray(a)[::-1] + 1), a[::-1] + 1),
        (lambda: int(ps.argmax(a)), int(np.argmax(a))),
        (lambda: np.asarray(ps.asarray(a).reshape(300, 1000).max(axis=0)), a.reshape(300, 1000).max(axis=0)),
        (lambda: float(ps.sum(a)), float(ps.sum(a))),
        (lambda: [float(x) for x in ps.asarray(a[:200])], a[:200].tolist()),
    ]
    for _ in range(20 if FULL else 4):
        running = [(start(job), want) for job, want in jobs * 2]
        for (thread, results), want in running:
            thread.join()
            assert np.array_equal(np.asarray(results[0]), np.asarray(want)), results


def test_threads_build_on_shared_nodes() -> None:
    base = ps.asarray(np.arange(200_000.0)) * 2
    lock = threading.Barrier(8)

    def build(i: int) -> float:
        lock.wait()
        x = base
        for _ in range(50):
            x = x + i
        return float(ps.sum(x[:: i + 1]))

    running = [start(lambda i=i: build(i)) for i in range(8)]
    for i, (thread, results) in enumerate(running):
        thread.join()
        assert results[0] == float(((np.arange(200_000.0) * 2) + 50 * i)[:: i + 1].sum())


def test_settings_change_while_others_evaluate() -> None:
    a = random_values("float32", 400_000, np.random.default_rng(2))
    want = np.asarray(ps.asarray(a) * 3 + ps.sqrt(ps.abs(ps.asarray(a))))
    stop = threading.Event()

    def turn() -> None:
        for threads, level in itertools.cycle(itertools.product((1, 2, 3), ("none", "simd", "parallel", "full"))):
            if stop.is_set():
                return
            ps.threads(threads)
            ps.opt_level(level)
            ps.trim()

    thread, _ = start(turn)
    try:
        for _ in range(30):
            assert_same_bits(np.asarray(ps.asarray(a) * 3 + ps.sqrt(ps.abs(ps.asarray(a)))), want)
    finally:
        stop.set()
        thread.join()


def battery(a: Numbers) -> dict[str, Any]:
    """What must not depend on threads, levels and targets."""
    x = ps.asarray(a)
    matrix = ps.reshape(x, (-1, 1000))
    return {
        "elementwise": np.asarray(x * x - 2 / (ps.abs(x) + 1)),
        "sum": np.asarray(ps.sum(x)),
        "mean": np.asarray(ps.mean(x)),
        "prod": np.asarray(ps.prod(x[:1000])),
        "var": np.asarray(ps.var(x)),
        "min": np.asarray(ps.min(x)),
        "argmax": np.asarray(ps.argmax(x)),
        "rows": np.asarray(ps.sum(matrix, axis=1)),
        "columns": np.asarray(ps.sum(matrix, axis=0)),
        "columns var": np.asarray(ps.std(matrix, axis=0)),
        "transposed": np.asarray(ps.sum(matrix.T, axis=0)),
        "steps": np.asarray(ps.sum(x[::-3])),
        "integers": np.asarray(x.astype("int16") // 7),
        "histogram": np.asarray(ps.histogram(x, bins=50, range=(-3, 3))[0]),
    }


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_same_bits_for_every_setting(dtype: str) -> None:
    a = random_values(dtype, 260_000, np.random.default_rng(8))
    want = battery(a)
    targets = [*ps.show_config()["targets"], "auto"]
    for threads, level, target in itertools.product((1, 2, 7), ("none", "simd", "parallel", "full"), targets):
        if not FULL and (threads, level) not in ((1, "none"), (2, "full"), (7, "simd")):
            continue
        ps.threads(threads)
        ps.opt_level(level)
        ps.simd_target(target)
        for name, got in battery(a).items():
            assert_same_bits(got, want[name], f"{name} with {threads} threads, level {level}, target {target}")


def test_same_bits_for_every_tile() -> None:
    program = """
import hashlib, sys, numpy as np, penstock as ps
sys.path.insert(0, sys.argv[1])
from test_threads import battery
from sweep import random_values
a = random_values("float32", 260_000, np.random.default_rng(8))
print(hashlib.sha256(b"".join(np.ascontiguousarray(each).tobytes() for each in battery(a).values())).hexdigest())
"""
    digests = set()
    for tile, outer in (("", ""), ("64", ""), ("1000", "65536"), ("4096", "1000000"), ("512", "4096")):
        variables = {
            name: value for name, value in (("PENSTOCK_DEBUG_TILE", tile), ("PENSTOCK_DEBUG_OUTER", outer)) if value
        }
        command = [sys.executable, "-c", program, os.path.dirname(__file__)]
        result = subprocess.run(
            command, env={**os.environ, **variables}, capture_output=True, text=True, check=True, timeout=120
        )
        digests.add(result.stdout)
    assert len(digests) == 1


def test_the_settings_read_back() -> None:
    for count in (1, 2, 5):
        assert ps.threads(count) == count == ps.threads()
    assert ps.threads(0) >= 1
    for level in ("none", "simd", "parallel", "full"):
        assert ps.opt_level(level) == level == ps.opt_level()
    for target in ps.show_config()["targets"]:
        assert ps.simd_target(target) == target == ps.show_config()["target"]
    for wrong in (
        lambda: ps.opt_level("fast"),
        lambda: ps.simd_target("avx9"),
        lambda: ps.threads(-1),
        lambda: ps.threads(10**6),
    ):
        with pytest.raises(ps.errors.PenstockError) as caught:
            wrong()
        assert len(str(caught.value)) > 15


def test_progress_is_called_and_may_raise() -> None:
    seen: list[tuple[int, int, float, int]] = []
    ps.on_progress(lambda *facts: seen.append(facts))
    want = float(slow())
    assert seen
    assert all(0 <= done <= total and seconds >= 0 and memory >= 0 for done, total, seconds, memory in seen)
    assert [each[0] for each in seen] == sorted(each[0] for each in seen)
    seconds = [each[2] for each in seen]
    assert all(after - before >= 0.05 for before, after in itertools.pairwise(seconds)), "twenty times a second at most"

    class Stop(Exception):
        """What a callback may raise."""

    def stop(*_: object) -> None:
        raise Stop

    ps.on_progress(stop)
    x = slow()
    with pytest.raises(Stop):
        float(x)
    ps.on_progress(None)
    assert not x.evaluated
    assert float(x) == want


class TestInterrupts:
    """Ctrl-C ends an evaluation, and the next one works."""

    def test_during_an_evaluation(self) -> None:
        want = float(ps.sum(ps.arange(1000)))
        for delay in (0.02, 0.1, 0.25):
            timer = threading.Timer(delay, lambda: os.kill(os.getpid(), signal.SIGINT))
            x = slow(2_000_000_000)
            timer.start()
            with pytest.raises(KeyboardInterrupt):
                float(x)
            timer.join()
            assert not x.evaluated
            assert float(ps.sum(ps.arange(1000))) == want

    def test_during_a_save(self, tmp_path: Any) -> None:
        timer = threading.Timer(0.1, lambda: os.kill(os.getpid(), signal.SIGINT))
        timer.start()
        with pytest.raises(KeyboardInterrupt):
            ps.save(ps.sin(ps.arange(2_000_000_000) % 1000 * 1.0), tmp_path / "r.npy")
        timer.join()
        assert list(tmp_path.iterdir()) == []

    def test_a_handler_of_the_user_is_called(self) -> None:
        called: list[int] = []
        before = signal.signal(signal.SIGUSR1, lambda number, _: called.append(number))
        try:
            timer = threading.Timer(0.05, lambda: os.kill(os.getpid(), signal.SIGUSR1))
            timer.start()
            float(slow())
            timer.join()
        finally:
            signal.signal(signal.SIGUSR1, before)
        assert called == [signal.SIGUSR1]

    def test_of_a_process(self) -> None:
        program = "import penstock as ps; print('go', flush=True); float(ps.sum(ps.sin(ps.arange(10**11) * 1e-3)))"
        process = subprocess.Popen(
            [sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        assert process.stdout is not None
        assert process.stdout.readline() == "go\n"
        time.sleep(0.2)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=30)
        assert process.returncode in (-signal.SIGINT, 130)
        assert errors.rstrip().endswith("KeyboardInterrupt")


@pytest.mark.parametrize("kind", ["thread", "daemon"])
def test_exit_with_an_evaluation_in_flight(kind: str) -> None:
    program = f"""
import threading, time, penstock as ps
def work():
    x = ps.arange({10**11 if kind == "daemon" else 3 * 10**7}) * 1e-3
    float(ps.sum(ps.sin(x) * ps.cos(x)))
    print("done", flush=True)
thread = threading.Thread(target=work, daemon={kind == "daemon"})
thread.start()
time.sleep(0.1)
kept = ps.sqrt(ps.asarray([4.0] * 100000)); view = memoryview(kept)
print("leaving", flush=True)
"""
    for _ in range(50 if FULL else 5):
        result = subprocess.run(
            [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False
        )
        assert result.returncode == 0, result
        assert result.stderr == ""
        # Two threads may write at once, a word and the end of its line apart.
        assert "leaving" in result.stdout
        assert ("done" in result.stdout) == (kind == "thread")


def deep_sine(x: ps.Array, depth: int) -> ps.Array:
    """Work that grows with ``depth``."""
    for _ in range(depth):
        x = ps.sin(x)
    return x


def test_progress_goes_on_after_a_wait_for_another_thread() -> None:
    """The wait, which has no bytes to tell of, is longer than the work after it; that is told all the same."""
    x = ps.asarray(np.linspace(0, 1, 4_000_000))
    shared, own = deep_sine(x, 90), deep_sine(x, 20)
    totals: list[int] = []
    begun = ps.stats()["evaluations"]
    other, _ = start(lambda: ps.evaluate(shared))
    while ps.stats()["evaluations"] == begun:
        time.sleep(0.001)

    def tell(_done: int, total: int, _seconds: float, _memory: int) -> None:
        if threading.current_thread() is threading.main_thread():
            totals.append(total)

    ps.on_progress(tell)
    ps.evaluate(shared, own)
    other.join()
    assert 0 in totals, "there was a wait"
    assert any(totals), "and work"


def test_a_callback_that_needs_the_array_under_evaluation_is_refused() -> None:
    ps.threads(1)
    result = slow()
    ps.on_progress(lambda *_: ps.evaluate(result))
    with pytest.raises(RuntimeError, match="needs its own result"):
        ps.evaluate(result)
    ps.on_progress(None)
    ps.evaluate(result)


def test_brief_evaluations_of_one_array_by_several_threads() -> None:
    numbers = np.arange(10_000, dtype="float32")
    source = ps.asarray(numbers)
    for _ in range(20):
        chain = 2 * source + 3 * source - 1 / (source + 1)
        threads = [threading.Thread(target=ps.evaluate, args=(chain,)) for _ in range(4)]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
        assert_same_bits(np.asarray(chain), 2 * numbers + 3 * numbers - 1 / (numbers + 1))
