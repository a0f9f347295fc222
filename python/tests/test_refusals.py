# SPDX-License-Identifier: Apache-2.0
"""Calls that no function takes: which argument is wrong and what it takes is said, by errors of NumPy's kinds. What
functions do with wrong arrays, axes and dtypes, test_standard_bad_input.py looks at."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import namespace
import numpy as np
import pytest

import penstock as ps

X = ps.asarray(np.arange(9.0).reshape(3, 3), copy=True)
FUNCTIONS = namespace.functions()
# What has a method's name and is called by operators gives others a say: NotImplemented.
CALLED = [name for name in FUNCTIONS if "__" not in name]


@pytest.mark.parametrize("name", CALLED)
def test_a_name_that_is_no_parameters(name: str) -> None:
    given, kinds = namespace.right(name, FUNCTIONS[name])
    with pytest.raises(TypeError, match=r"nonsense|takes no keyword arguments"):
        namespace.call(functools.partial(FUNCTIONS[name], nonsense=1), kinds, given)


@pytest.mark.parametrize("name", CALLED)
def test_no_arguments(name: str) -> None:
    try:
        FUNCTIONS[name]()
    except (TypeError, ValueError) as error:
        assert "incompatible function arguments" not in str(error)  # noqa: PT017 - some functions need none


def test_the_call_is_shown() -> None:
    sum_: Any = ps.sum
    with pytest.raises(TypeError, match=r"sum\(x, axis=None, \*, dtype=None, keepdims=False\): .*'ax'"):
        sum_(X, ax=0)
    method: Any = X.sum
    with pytest.raises(TypeError, match=r"Array\.sum\(axis=None, \*, dtype=None, keepdims=False\): too many"):
        method(0, 1)
    add: Any = ps.add
    with pytest.raises(TypeError, match=r"add\(x1, x2, \*, out=None\): missing a required argument: 'x2'"):
        add(X)


# Calls with one argument that is wrong, the error, and what its text says.
WRONG: list[tuple[Callable[[Any], Any], type[Exception], str]] = [
    (lambda f: f.sum(X, keepdims="no"), ps.errors.DTypeError, "keepdims takes True or False; got 'no'"),
    (lambda f: f.any(X, keepdims=None), ps.errors.DTypeError, "keepdims takes True or False; got None"),
    (lambda f: f.argmax(X, axis=1.5), ps.errors.DTypeError, "axis takes an integer; got 1.5"),
    (lambda f: f.argmax(X, axis=2**70), ps.errors.ArgumentError, "axis: .* is outside 64 bits"),
    (lambda f: f.var(X, correction="1"), ps.errors.DTypeError, "correction takes a real number; got '1'"),
    (lambda f: f.std(X, correction=10**400), ps.errors.ArgumentError, "correction: 1.* is outside float64"),
    (lambda f: f.concat(3), ps.errors.DTypeError, "concat takes several arrays, in a list or a tuple; got 3"),
    (lambda f: f.concat([X, X], axis="a"), ps.errors.DTypeError, "axis takes an integer; got 'a'"),
    (lambda f: f.stack([]), ps.errors.ArgumentError, "stack needs at least one array"),
    (lambda f: f.concat(()), ps.errors.ArgumentError, "concat needs at least one array"),
    (lambda f: f.stack(None), ps.errors.DTypeError, "stack takes several arrays"),
    (lambda f: f.stack([X], axis=np.float64(1)), ps.errors.DTypeError, "axis takes an integer"),
    (lambda f: f.squeeze(X, None), ps.errors.DTypeError, "axis takes an integer or a tuple of integers; got None"),
    (lambda f: f.permute_dims(X, None), ps.errors.DTypeError, "axes takes .*; got None"),
    (lambda f: f.moveaxis(X, None, 0), ps.errors.DTypeError, "source takes .*; got None"),
    (lambda f: f.roll(X, None), ps.errors.DTypeError, "shift takes .*; got None"),
    (lambda f: f.expand_dims(X, axis=None), ps.errors.DTypeError, "axis takes .*; got None"),
    (lambda f: f.reshape(X, (9,), copy="x"), ps.errors.DTypeError, "copy takes True or False; got 'x'"),
    (lambda f: f.asarray(X, copy="x"), ps.errors.DTypeError, "copy takes True or False; got 'x'"),
    (lambda f: f.astype(X, None), ps.errors.DTypeError, "None is no dtype"),
    (lambda f: f.astype(X, f.int8, copy=1.5), ps.errors.DTypeError, "copy takes True or False; got 1.5"),
    (lambda f: f.tril(X, k=None), ps.errors.DTypeError, "k takes an integer; got None"),
    (lambda f: f.eye("3"), ps.errors.DTypeError, "n_rows takes an integer; got '3'"),
    (lambda f: f.eye(3, 2.5), ps.errors.DTypeError, "n_cols takes an integer; got 2.5"),
    (lambda f: f.sort(X, axis=None), ps.errors.DTypeError, "axis takes an integer; got None"),
    (lambda f: f.sort(X, descending="yes"), ps.errors.DTypeError, "descending takes True or False; got 'yes'"),
    (lambda f: f.argsort(X, stable=None), ps.errors.DTypeError, "stable takes True or False; got None"),
    (lambda f: f.searchsorted(X[0], X, side=1), ps.errors.ArgumentError, "side is 1; use 'left' or 'right'"),
    (lambda f: f.take(X, [0], axis="a"), ps.errors.DTypeError, "axis takes an integer; got 'a'"),
    (lambda f: f.take_along_axis(X, [[0]], axis=None), ps.errors.DTypeError, "axis takes an integer; got None"),
    (lambda f: f.cumulative_sum(X, axis=0, include_initial=[]), ps.errors.DTypeError, "include_initial takes True"),
    (lambda f: f.vecdot(X, X, axis=0.5), ps.errors.DTypeError, "axis takes an integer; got 0.5"),
    (lambda f: f.tensordot(X, X, axes=None), ps.errors.ArgumentError, "axes of tensordot is None"),
    (lambda f: f.threads("all"), ps.errors.DTypeError, "n takes an integer; got 'all'"),
    (lambda f: f.threads(2**40), ps.errors.ArgumentError, r"thread count 1099511627776 is not in \[0, 1024\]"),
    (lambda f: f.threads(-7), ps.errors.ArgumentError, r"thread count -7 is not in \[0, 1024\]"),
    (lambda f: f.opt_level(3), ps.errors.DTypeError, "name of opt_level is 3; it takes a text"),
    (lambda f: f.simd_target(3), ps.errors.DTypeError, "name of simd_target is 3; it takes a text"),
    (lambda f: f.on_progress(3), ps.errors.DTypeError, "callback takes a function or None; got 3"),
    (lambda f: f.open("x.npy", offset="a"), ps.errors.DTypeError, "offset takes an integer; got 'a'"),
    (lambda f: f.open("x.npy", strict="a"), ps.errors.DTypeError, "strict takes True or False; got 'a'"),
    (lambda f: f.save(X, "x.npy", overwrite="a"), ps.errors.DTypeError, "overwrite takes True or False; got 'a'"),
]


@pytest.mark.parametrize(("call", "error", "says"), WRONG, ids=[says for _, _, says in WRONG])
def test_what_is_wrong_is_said(call: Callable[[Any], Any], error: type[Exception], says: str) -> None:
    with pytest.raises(error, match=says):
        call(ps)


def test_a_text_shows_what_a_long_value_begins_with() -> None:
    long = list(range(200_000))
    calls: list[tuple[Callable[[Any], Any], str]] = [
        (lambda f: f.opt_level(long), r"name of opt_level is \[0, 1, 2, 3, 4, 5, \.\.\.\]; it takes a text"),
        (
            lambda f: f.linalg.diagonal(X, offset=[[long] * 9] * 9),
            r"offset is \[\[\[0, 1, .*\.\.\.; it takes an integer",
        ),
        (lambda f: f.linalg.vector_norm(X, ord="x" * 10**6), r"ord is 'x+\.\.\.x+'; it takes a number"),
        (lambda f: f.linalg.norm(X, long), r"ord is \[0, 1, 2, 3, 4, 5, \.\.\.\]"),
    ]
    for call, says in calls:
        with pytest.raises((ps.errors.ArgumentError, ps.errors.DTypeError), match=says) as caught:
            call(ps)
        assert len(str(caught.value)) < 600


def test_flags_and_integers_of_numpys() -> None:
    assert ps.sum(X, axis=np.int64(0), keepdims=np.True_).shape == (1, 3)
    assert ps.sum(X, axis=ps.asarray(1), keepdims=1).shape == (3, 1)
    assert ps.stack([X, X], axis=np.uint8(2)).shape == (3, 3, 2)
    assert float(ps.std(X, correction=np.float32(1))) == pytest.approx(np.std(np.arange(9.0), ddof=1))
    assert float(ps.std(X, correction=ps.asarray(1))) == pytest.approx(np.std(np.arange(9.0), ddof=1))
    frozen = np.ones(3)
    copied = ps.asarray(frozen, copy=np.True_)
    frozen[:] = 2
    assert copied.tolist() == [1, 1, 1]
