# SPDX-License-Identifier: Apache-2.0
"""NumPy's functions beyond the standard, and those of random generators, with an argument that is wrong: they raise one
of NumPy's kinds of errors with a text of use, which their docstrings name, or give a result that can be evaluated."""

from __future__ import annotations

import inspect
import math
import warnings
from collections.abc import Callable
from typing import Any

import namespace
import numpy as np
import pytest

import penstock as ps
from penstock.random import Generator, default_rng

NAMES = (
    "allclose", "array_equal", "average", "bincount", "convolve", "corrcoef", "correlate", "cov", "digitize", "einsum",
    "einsum_path", "histogram", "histogram_bin_edges", "isclose", "median", "nanargmax", "nanargmin", "nancumprod",
    "nancumsum", "nanmax", "nanmean", "nanmedian", "nanmin", "nanpercentile", "nanprod", "nanquantile", "nanstd",
    "nansum", "nanvar", "percentile", "ptp", "quantile",
)  # fmt: skip
METHODS = [name for name, _ in inspect.getmembers(Generator, inspect.isfunction) if not name.startswith("_")]
BAD = [
    None, "abc", b"ab", object(), 3, -2, 2**70, 1.5, math.nan, math.inf, 1j, True, [], [[]], np.empty((0, 3)),
    np.ones(3), np.ones((2, 3)), np.array(5), np.array([np.nan, 1]), np.array([np.inf, 1.0]), np.array([1, 2], "u8"),
    np.array([True, False]), np.array(["a"]), np.array([1 + 1j, 2]), (1, 2), {}, slice(1), np.ones((2, 2, 2, 2)),
]  # fmt: skip
# Usual values of the parameters before the one that is wrong.
FIRST: list[Any] = [3, np.array([1, 2, 2]), np.array([1.5, 0.5]), np.ones((2, 3))]


def evaluate(result: Any) -> None:
    if isinstance(result, ps.Array):
        np.asarray(result)
    elif isinstance(result, tuple):
        for each in result:
            evaluate(each)


def check(f: Callable[..., Any], *args: Any) -> None:
    text = ""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            evaluate(f(*args))
    except (ValueError, TypeError, IndexError, MemoryError) as error:
        text, kind = str(error), type(error).__name__
        assert any(namespace.is_said(kind, f, each) for each in args), f"{args}: {kind} is not in the docstring"
    assert text == "" or len(text) > 10, f"{args}: {text}"


@pytest.mark.parametrize("name", NAMES)
def test_functions(name: str) -> None:
    for bad in BAD:
        check(getattr(ps, name), bad)
        for first in (*FIRST, "i,i"):
            check(getattr(ps, name), first, bad)
            check(getattr(ps, name), first, 1, bad)


@pytest.mark.parametrize("name", METHODS)
def test_methods_of_generators(name: str) -> None:
    f = getattr(default_rng(1), name)
    for bad in BAD:
        check(f, bad)
        for first in FIRST:
            check(f, first, bad)


def test_seeds() -> None:
    for bad in BAD:
        check(default_rng, bad)
