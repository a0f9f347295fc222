# SPDX-License-Identifier: Apache-2.0
"""Stacks of matrices in parts on several threads: NumPy's bits and errors, and LAPACK's own threads as they were."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sweep import Numbers, budget_left
from test_fork import in_child

import penstock as ps
import penstock._decompositions
import penstock.linalg
from penstock import _blas_threads, _core, _matrix_threads
from penstock._blas_threads import at_most
from penstock._matrix_threads import Shares, Stack, shares

RNG = np.random.default_rng(1)


@pytest.fixture(autouse=True)
def settings() -> Iterator[None]:
    """Every test leaves the engine and the BLAS as it found them."""
    before = blas()
    yield
    assert blas() == before
    ps.threads(0)


@pytest.fixture
def finely(monkeypatch: pytest.MonkeyPatch) -> None:
    """A part for every two matrices."""
    monkeypatch.setattr(_matrix_threads, "_PART", 2)
    monkeypatch.setattr(_matrix_threads, "_LOCK", 1e-3)
    monkeypatch.setattr(_matrix_threads, "_RESULTS", 0)
    monkeypatch.setattr(penstock._decompositions, "_NANOSECONDS", dict.fromkeys(NAMES, 1 / 16))


def blas() -> list[int]:
    return [each.num_threads for each in _blas_threads._libraries()]


def spread(monkeypatch: pytest.MonkeyPatch, name: str) -> list[tuple[int, int]]:
    """(matrices, threads of the BLAS) of each call of NumPy's function from now on."""
    calls: list[tuple[int, int]] = []
    theirs = getattr(np.linalg, name)

    def noted(a: Numbers, *arguments: Any, **options: Any) -> Any:
        calls.append((len(a), max(blas())))
        return theirs(a, *arguments, **options)

    monkeypatch.setattr(np.linalg, name, noted)
    return calls


def positive(n: int, rows: int) -> Numbers:
    a = RNG.standard_normal((n, rows, rows))
    return np.asarray(a @ a.swapaxes(-1, -2) + 3 * np.eye(rows))


NAMES = (
    "cholesky", "det", "slogdet", "solve", "inv", "qr", "eigvalsh", "svdvals", "eigh", "eigvals", "svd", "eig",
)  # fmt: skip


def of(space: Any, name: str, a: Any) -> tuple[Any, ...]:
    """The results of a function of ``space``, as many as it has."""
    found = space.solve(a, a[..., :2]) if name == "solve" else getattr(space, name)(a)
    return found if isinstance(found, tuple) else (found,)


@pytest.mark.usefixtures("finely")
@pytest.mark.parametrize("threads", [1, 2, 3])
@pytest.mark.parametrize("n", [0, 1, 2, 3, 4, 5, 7, 8, 9, 100])
@pytest.mark.parametrize("name", NAMES)
def test_numpy_bits_for_any_number_of_parts(name: str, n: int, threads: int) -> None:
    ps.threads(threads)
    a = positive(n, 4)
    for ours, theirs in zip(of(ps.linalg, name, ps.asarray(a)), of(np.linalg, name, a), strict=True):
        np.testing.assert_array_equal(np.asarray(ours), theirs)


@pytest.mark.usefixtures("finely")
def test_parts_are_as_many_as_the_threads_share(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = spread(monkeypatch, "inv")
    ps.threads(2)
    ps.linalg.inv(ps.asarray(positive(9, 4)))
    assert sorted(n for n, _ in calls) == [2, 2, 2, 3]


def test_small_matrices_bring_numpy_bits() -> None:
    ps.threads(2)
    for n, rows in ((20_000, 8), (1_000, 16), (50, 64)):
        a = RNG.standard_normal((n, rows, rows))
        np.testing.assert_array_equal(np.asarray(ps.linalg.inv(ps.asarray(a))), np.linalg.inv(a))


def test_which_threads_work() -> None:
    def of_stack(n: int, rows: int, nanoseconds: float, results: int) -> Stack:
        return Stack(n, rows * rows, results, rows * rows * nanoseconds)

    # Parts of half a millisecond, a multiple of the threads; LAPACK keeps to one.
    assert shares(of_stack(20_000, 8, 46, 64), 2) == Shares(116, 2, 1)
    assert shares(of_stack(20_000, 8, 46, 64), 16) == Shares(116, 4, 1), "more would wait for OpenBLAS's lock"
    assert shares(of_stack(200, 8, 46, 64), 2) == Shares(1, 1, 2), "too little to share"
    assert shares(of_stack(20_000, 8, 8, 64), 2) == Shares(1, 1, 2), "too brief a call"
    assert shares(of_stack(100_000, 8, 8, 64), 2) == Shares(2, 1, 2), "Ctrl-C is heard between"
    assert shares(of_stack(20_000, 8, 46, 64), 1) == Shares(2, 1, 1)
    # Numbers that NumPy computes without the interpreter's lock.
    assert shares(of_stack(1_002, 64, 15, 1), 4) == Shares(2, 2, 1)
    assert shares(of_stack(1_001, 64, 15, 1), 4).threads == 1
    # Large matrices, of which each thread needs a workspace.
    assert shares(of_stack(1, 1000, 46, 10**6), 2) == Shares(1, 1, 2)
    assert shares(of_stack(7, 1000, 46, 10**6), 2) == Shares(7, 1, 2)
    assert shares(of_stack(8, 1000, 46, 10**6), 2) == Shares(8, 2, 1)
    assert shares(of_stack(2, 180, 280, 180 * 180), 16) == Shares(2, 2, 1)


def test_calls_run_at_once() -> None:
    both = threading.Barrier(2, timeout=20)
    seen: list[tuple[int, int]] = []

    def work(begin: int, end: int) -> None:
        both.wait()
        seen.append((begin, end))

    _core.in_parts(7, 2, 2, work)
    assert sorted(seen) == [(0, 3), (3, 7)]


def test_one_thread_is_the_caller() -> None:
    seen: list[tuple[int, int, int]] = []
    _core.in_parts(5, 3, 1, lambda begin, end: seen.append((begin, end, threading.get_ident())))
    assert seen == [(begin, end, threading.get_ident()) for begin, end in ((0, 1), (1, 3), (3, 5))]


@pytest.mark.usefixtures("finely")
@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("wrong", [0, 37, 99])
def test_an_error_in_one_part_is_numpys(wrong: int, threads: int) -> None:
    ps.threads(threads)
    for name in ("inv", "solve", "cholesky", "eigvals"):
        a = positive(100, 4)
        a[wrong] = {"cholesky": -1.0, "eigvals": np.nan}.get(name, 0.0)
        with pytest.raises(np.linalg.LinAlgError) as theirs:
            of(np.linalg, name, a)
        with pytest.raises(np.linalg.LinAlgError) as ours:
            of(ps.linalg, name, ps.asarray(a))
        assert str(ours.value) == str(theirs.value)


def test_lapack_has_no_more_threads_than_the_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = spread(monkeypatch, "inv")
    one, many = positive(1, 200), positive(40, 64)
    for threads in (1, 2, 5):
        ps.threads(threads)
        ps.linalg.inv(ps.asarray(one))
        assert calls == [(1, min(threads, max(blas())))]
        calls.clear()
        ps.linalg.inv(ps.asarray(many))
        assert {each for _, each in calls} == {1}
        assert (len(calls) > 1) == (threads > 1)
        calls.clear()
    many[3] = 0
    with pytest.raises(np.linalg.LinAlgError):
        ps.linalg.inv(ps.asarray(many))


def test_the_least_of_several_holders_counts() -> None:
    before = blas()
    with at_most(2):
        with at_most(1):
            assert blas() == [1] * len(before)
        assert blas() == [min(each, 2) for each in before]
        with suppress(ZeroDivisionError), at_most(1):
            raise ZeroDivisionError
        assert blas() == [min(each, 2) for each in before]
    with at_most(1), at_most(2):
        assert blas() == [1] * len(before)
    first, second = at_most(1), at_most(1)
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    assert blas() == [1] * len(before)
    second.__exit__(None, None, None)
    assert blas() == before


def test_several_python_threads() -> None:
    ps.threads(2)
    stacks = [(RNG.standard_normal((n, rows, rows))) for n, rows in ((4_000, 8), (60, 64), (1, 150), (10, 90))]
    want = [np.linalg.svd(each) for each in stacks]
    errors: list[BaseException] = []

    def work(k: int) -> None:
        try:
            for _ in range(5):
                for ours, theirs in zip(ps.linalg.svd(ps.asarray(stacks[k])), want[k], strict=True):
                    np.testing.assert_allclose(np.asarray(ours), theirs, atol=1e-9)
        except BaseException as error:
            errors.append(error)

    running = [threading.Thread(target=work, args=(k,)) for k in (0, 1, 2, 3, 1, 2)]
    for each in running:
        each.start()
    for each in running:
        each.join()
    assert errors == []


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_child_forked_meanwhile_has_all_threads() -> None:
    before = blas()
    a = positive(200, 40)

    def work() -> None:
        assert blas() == before
        with at_most(1):
            assert blas() == [1] * len(before)
        assert blas() == before
        np.testing.assert_array_equal(np.asarray(ps.linalg.inv(ps.asarray(a))), np.linalg.inv(a))

    held, done = threading.Event(), threading.Event()

    def hold() -> None:
        with at_most(1):
            held.set()
            done.wait()

    holder = threading.Thread(target=hold)
    holder.start()
    held.wait()
    try:
        in_child(work)
    finally:
        done.set()
        holder.join()


@pytest.mark.parametrize("threads", [1, 2])
def test_ctrl_c(threads: int) -> None:
    ps.threads(threads)
    x = ps.asarray(RNG.standard_normal((100_000, 32, 32)))
    timer = threading.Timer(0.1, lambda: os.kill(os.getpid(), signal.SIGINT))
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        ps.linalg.svd(x)
    timer.join()
    np.testing.assert_array_equal(np.asarray(ps.linalg.det(x[:9])), np.linalg.det(np.asarray(x)[:9]))


def test_a_stack_larger_than_the_budget(tmp_path: Path) -> None:
    ps.threads(2)
    a = RNG.standard_normal((20_000, 8, 8))
    np.save(tmp_path / "a.npy", a)
    with budget_left(4 << 20):
        ps.save(ps.linalg.inv(ps.open(tmp_path / "a.npy")), tmp_path / "i.npy")
    np.testing.assert_array_equal(np.load(tmp_path / "i.npy"), np.linalg.inv(a))
