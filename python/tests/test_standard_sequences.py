# SPDX-License-Identifier: Apache-2.0
"""Random sequences of calls, each step against NumPy: the same results, and errors where NumPy has errors.

Arrays hold whole numbers small enough that no sum or product rounds, so that results agree to the bit whatever their
order; what rounds (division, roots, means) is compared closely and goes no further. Nothing is evaluated before it must
be, so expressions grow. PENSTOCK_TEST_SEQUENCES says how many sequences are played; a failure names its seed.
"""

from __future__ import annotations

import os
import random
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any, NamedTuple

import numpy as np
import pytest
import sweep

import penstock as ps

SEQUENCES = int(os.environ.get("PENSTOCK_TEST_SEQUENCES", "60"))
STEPS = 40
DTYPES = [name for name in sweep.DTYPES if name != "float16"]
# The kinds: b bool, i and u integers, f floats, c complex. No step leaves the numbers that float32 holds exactly.
LARGEST = 2**18


class Both(NamedTuple):
    """The same array twice."""

    np: Any
    ps: ps.Array


class Step(NamedTuple):
    """A call of both libraries, how many arrays it takes, of which kinds, and whether its result is exact."""

    name: str
    f: Callable[..., Any]
    arrays: int = 1
    kinds: str = "biufc"
    exact: bool = True


def axis_or_none(r: random.Random, a: Any) -> int | None:
    return r.choice([None, *range(-a.ndim, a.ndim)])


def any_axis(r: random.Random, a: Any) -> int:
    """An axis; sometimes one too many."""
    return r.randrange(-a.ndim, a.ndim + (r.random() < 0.05)) if a.ndim else r.choice([0, -1])


def plain(f: Callable[..., Any]) -> Callable[..., Any]:
    """A call in which nothing is drawn."""
    return lambda _, xp, *arrays: f(xp, *arrays)


def along(f: Callable[..., Any], draw: Callable[[random.Random], Any] | None = None) -> Callable[..., Any]:
    """``f`` along an axis of arrays that have one, with what is drawn besides: what NumPy does without is its own."""

    def call(r: random.Random, xp: Any, a: Any) -> Any:
        return f(xp, a, any_axis(r, a), *([] if draw is None else [draw(r)])) if a.ndim else a

    return call


def entry(r: random.Random, n: int) -> Any:
    """An index for an axis of ``n`` elements; now and then one out of range."""
    kind = r.randrange(6)
    if kind == 0 and n:
        return r.randrange(-n, n + (r.random() < 0.1))
    if kind == 1:
        return np.array([r.randrange(-n, n) for _ in range(r.randrange(4))] if n else [], np.int64)
    if kind == 2:
        return np.array([r.random() < 0.5 for _ in range(n)], bool)
    return slice(
        r.choice([None, *range(-n - 1, n + 2)]), r.choice([None, *range(-n - 1, n + 2)]), r.choice([None, 1, 2, -1, -2])
    )


def key_for(r: random.Random, a: Any) -> Any:
    items = [entry(r, n) for n in a.shape[: r.randrange(a.ndim + 1)]]
    if sum(isinstance(each, np.ndarray) for each in items) > 1:  # several must broadcast
        items = [slice(None) if isinstance(each, np.ndarray) else each for each in items[:-1]] + items[-1:]
    if r.random() < 0.3:
        items.insert(r.randrange(len(items) + 1), r.choice([None, ...]))
    return tuple(items) if len(items) != 1 or r.random() < 0.5 else items[0]


def to_ps(key: Any) -> Any:
    """Arrays in a key as Penstock's."""
    if isinstance(key, tuple):
        return tuple(map(to_ps, key))
    return ps.asarray(key) if isinstance(key, np.ndarray) else key


def factor(r: random.Random, n: int) -> tuple[int, ...]:
    """A shape of ``n`` elements; sometimes a wrong one, or one with -1."""
    a = r.choice([d for d in range(1, n + 1) if n % d == 0] or [0])
    shape = [a, n // a if a else 1]
    r.shuffle(shape)
    if r.random() < 0.3:
        shape[r.randrange(2)] = -1
    if r.random() < 0.05:
        shape[0] += 1
    return tuple(shape)


def elementwise(name: str, arrays: int = 2, kinds: str = "iufc", exact: bool = True) -> Step:
    return Step(name, plain(lambda xp, *a: getattr(xp, name)(*a)), arrays, kinds, exact)


def reduction(name: str, kinds: str = "biuf", exact: bool = True, some: bool = False) -> Step:
    def f(r: random.Random, xp: Any, a: Any) -> Any:
        axis, keepdims = axis_or_none(r, a), r.random() < 0.3
        if some and a.size == 0:  # of nothing there is none; NumPy says so where there is nothing to say it of, too
            return a
        return getattr(xp, name)(a, axis=axis, keepdims=keepdims)

    return Step(name, f, 1, kinds, exact)


def assigned(r: random.Random, xp: Any, a: Any, b: Any) -> Any:
    """A copy of an array with a part replaced by a number, or by an array that fits or not."""
    key = key_for(r, a)
    copy = xp.asarray(a, copy=True)
    if xp is ps:
        key = to_ps(key)
    value = r.randrange(2) if a.dtype == xp.bool else r.randrange(9)
    number = bool(value) if a.dtype == xp.bool else value
    copy[key] = b if r.random() < 0.4 and a.dtype == b.dtype and b.size else number
    return copy


def in_place(xp: Any, a: Any) -> Any:
    copy = xp.asarray(a, copy=True)
    copy += 1
    copy *= xp.asarray(2, dtype=copy.dtype)
    return copy


def indexed(r: random.Random, xp: Any, a: Any) -> Any:
    key = key_for(r, a)
    return a[to_ps(key) if xp is ps else key]


def taken(xp: Any, a: Any, axis: int, i: int) -> Any:
    return xp.take(a, xp.asarray([0, -1, i]), axis=axis) if a.size else a


def searched(r: random.Random, xp: Any, a: Any, b: Any) -> Any:
    flat = xp.sort(xp.reshape(a, (-1,)))
    return xp.searchsorted(flat, b if a.dtype == b.dtype else a, side=r.choice(["left", "right"]))


STEPS_THERE_ARE = [
    *(elementwise(name) for name in ("add", "subtract", "multiply")),
    *(elementwise(name, kinds="biufc") for name in ("equal", "not_equal", "logical_and", "logical_or", "logical_xor")),
    *(elementwise(name, kinds="biuf") for name in ("less", "greater_equal", "maximum", "minimum")),
    *(elementwise(name, kinds="biu") for name in ("bitwise_and", "bitwise_or", "bitwise_xor")),
    *(elementwise(name, arrays=1) for name in ("negative", "square", "positive", "conj")),
    *(elementwise(name, arrays=1, kinds="iuf") for name in ("abs", "sign", "floor", "trunc", "round")),
    elementwise("divide", kinds="biuf", exact=False),
    elementwise("sqrt", arrays=1, kinds="fc", exact=False),
    elementwise("where", arrays=3, kinds="biufc"),
    *(reduction(name) for name in ("sum", "any", "all", "count_nonzero")),
    *(reduction(name, some=True) for name in ("min", "max", "argmin", "argmax")),
    *(reduction(name, kinds="fc", exact=False) for name in ("mean", "var", "std")),
    reduction("prod", kinds="biuf"),
    Step("reshape", lambda r, xp, a: xp.reshape(a, factor(r, a.size))),
    Step("permute_dims", lambda r, xp, a: xp.permute_dims(a, tuple(r.sample(range(a.ndim), a.ndim)))),
    Step("moveaxis", lambda r, xp, a: xp.moveaxis(a, any_axis(r, a), any_axis(r, a))),
    Step("flip", lambda r, xp, a: xp.flip(a, axis=axis_or_none(r, a))),
    Step("roll", lambda r, xp, a: xp.roll(a, r.randrange(-7, 8), axis=axis_or_none(r, a))),
    Step("expand_dims", lambda r, xp, a: xp.expand_dims(a, axis=r.randrange(-a.ndim - 1, a.ndim + 1))),
    Step("squeeze", along(lambda xp, a, axis: xp.squeeze(a, axis=axis))),
    Step("broadcast_to", lambda r, xp, a: xp.broadcast_to(a, (r.randrange(4), *a.shape))),
    Step("concat", lambda r, xp, a, b: xp.concat([a, b, a], axis=axis_or_none(r, a)), 2),
    Step("stack", lambda r, xp, a, b: xp.stack([a, b], axis=any_axis(r, a)), 2),
    Step("repeat", lambda r, xp, a: xp.repeat(a, r.randrange(4), axis=axis_or_none(r, a))),
    Step("tile", lambda r, xp, a: xp.tile(a, tuple(r.randrange(1, 3) for _ in range(r.randrange(1, 4))))),
    Step("tril", lambda r, xp, a: xp.tril(a, k=r.randrange(-3, 4)) if a.ndim > 1 else a),
    Step("diff", along(lambda xp, a, axis, n: xp.diff(a, axis=axis, n=n), lambda r: r.randrange(1, 3)), 1, "ifc"),
    Step("sort", along(lambda xp, a, axis: xp.sort(a, axis=axis)), 1, "biuf"),
    Step("argsort", along(lambda xp, a, axis: xp.argsort(a, axis=axis, stable=True)), 1, "biuf"),
    Step("cumulative_sum", along(lambda xp, a, axis: xp.cumulative_sum(a, axis=axis)), 1, "iuf"),
    Step("unique_values", plain(lambda xp, a: xp.sort(xp.unique_values(a))), 1, "biuf"),
    Step("unique_counts", plain(lambda xp, a: xp.unique_counts(a)[1]), 1, "biufc"),
    Step("unique_inverse", plain(lambda xp, a: xp.unique_inverse(a)[1]), 1, "biufc"),
    Step("nonzero", plain(lambda xp, a: xp.nonzero(a)[-1])),
    Step("take", along(taken, lambda r: r.randrange(-3, 3))),
    Step("searchsorted", searched, 2, "iuf"),
    Step("isin", plain(lambda xp, a, b: xp.isin(a, b)), 2, "iufc"),
    Step("matmul", plain(lambda xp, a, b: xp.matmul(a, b)), 2, "iufc"),
    Step("of its transpose", plain(lambda xp, a: xp.matmul(a, xp.matrix_transpose(a))), 1, "iufc"),
    Step("astype", lambda r, xp, a: xp.astype(a, getattr(xp, r.choice(["int64", "float32", "float64"]))), 1, "bif"),
    Step("astype complex", lambda r, xp, a: xp.astype(a, getattr(xp, r.choice(["complex64", "complex128"])))),
    Step("x[key]", indexed),
    Step("x[key] = y", assigned, 2),
    Step("x += y", plain(in_place), 1, "iufc"),
]  # fmt: skip


def made(r: random.Random) -> Both:
    """A new array of small whole numbers, in memory of some order."""
    shape = tuple(r.choice([0, 1, 2, 3, 3, 4, 5]) for _ in range(r.randrange(4)))
    dtype = np.dtype(r.choice(DTYPES))
    low = 0 if dtype.kind in ("b", "u") else -4
    values = np.array([r.randrange(low, 2 if dtype.kind == "b" else 5) for _ in range(int(np.prod(shape)))])
    a = values.reshape(shape).astype(dtype, order=r.choice(["C", "F"]))
    a = a[..., ::-1] if a.ndim and r.random() < 0.2 else a
    return Both(a, ps.asarray(a, copy=r.choice([None, True])))


def outcome(step: Step, r: random.Random, xp: Any, operands: list[Any]) -> tuple[Any, Exception | None]:
    try:
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return step.f(r, xp, *operands), None
    except (ValueError, IndexError, TypeError) as error:
        return None, error


def compare(theirs: Any, ours: ps.Array, exact: bool, where: str) -> None:
    got, want = np.asarray(ours), np.asarray(theirs)
    assert got.shape == want.shape, f"{where}: shape {got.shape}, expected {want.shape}"
    assert got.dtype == want.dtype, f"{where}: dtype {got.dtype}, expected {want.dtype}"
    if exact:
        assert np.array_equal(got, want, equal_nan=want.dtype.kind in "fc"), f"{where}:\n{got}\nexpected\n{want}"
    else:
        eps = np.finfo(want.dtype).eps
        np.testing.assert_allclose(got, want, rtol=64 * eps, atol=64 * eps, err_msg=where)


def stays_exact(a: Any) -> bool:
    """Whether all later sums and products of a few of these numbers are exact, and the array is small."""
    if a.size > 4000 or a.ndim > 6:
        return False
    if a.dtype.kind in "fc" and a.size:
        return bool(np.isfinite(a).all() and np.abs(a).max() < LARGEST**0.25)
    return True


def play(seed: int) -> None:
    """One sequence of steps; an AssertionError names the seed and the steps so far."""
    r = random.Random(seed)
    pool = [made(r) for _ in range(4)]
    told: list[str] = []
    for number in range(STEPS):
        step = r.choice(STEPS_THERE_ARE)
        fitting = [each for each in pool if each.np.dtype.kind in step.kinds]
        if not fitting:
            continue
        operands = [r.choice(fitting) for _ in range(step.arrays)]
        told.append(f"{step.name} of {[(each.np.dtype.name, each.np.shape) for each in operands]}")
        where = f"sequence {seed}, step {number}: {told[-1]}"
        choices = r.randrange(2**32)
        theirs, their_error = outcome(step, random.Random(choices), np, [each.np for each in operands])
        ours, our_error = outcome(step, random.Random(choices), ps, [each.ps for each in operands])
        if their_error is not None:
            # One element in axes of its own is an element here; NumPy takes it for x[0, ...] and not for x[0].
            single = "setting an array element with a sequence" in str(their_error)
            assert our_error is not None or single, f"{where}: NumPy raises {their_error!r}, Penstock nothing"
            continue
        assert our_error is None, f"{where}: Penstock raises {our_error!r}"
        if not step.exact or r.random() < 0.3 or not stays_exact(np.asarray(theirs)):
            compare(theirs, ours, step.exact, where)
        if step.exact and stays_exact(np.asarray(theirs)):
            pool.append(Both(np.asarray(theirs), ours))
            pool = pool[-8:] if r.random() < 0.9 else [*pool[-7:], made(r)]
    for each in pool:
        compare(each.np, each.ps, True, f"sequence {seed}, at its end after {'; '.join(told)}")


@pytest.fixture(autouse=True)
def _settings() -> Iterator[None]:
    level, threads = ps.opt_level(), ps.threads()
    yield
    ps.opt_level(level)
    ps.threads(threads)


@pytest.mark.parametrize("first", range(0, SEQUENCES, 10))
def test_sequences_of_calls(first: int) -> None:
    for seed in range(first, min(first + 10, SEQUENCES)):
        r = random.Random(-seed)
        ps.opt_level(r.choice(["none", "simd", "full"]))
        ps.threads(r.choice([1, 2]))
        with ExitStack() as stack:
            if r.random() < 0.3:
                stack.enter_context(sweep.budget_left(1 << 20))
            play(seed)
