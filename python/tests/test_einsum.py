# SPDX-License-Identifier: Apache-2.0
"""Einstein's summation against numpy.einsum: expressions, forms, dtypes, paths, files; and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sweep import COMPLEX, FLOATS, INTEGERS, Numbers, budget_left

import penstock as ps

EXTENTS = dict(zip("abcdefghijklmn", (2, 3, 4, 5, 2, 3, 6, 2, 3, 4, 5, 2, 3, 2), strict=True))
_EXPRESSIONS = """
i i-> i->i ii ii-> ii->i iii-> iij->ij iji->j ij->ji ij-> ij->i ij->j ijk->kji ji ba abba->ab
i,i i,i->i i,j i,j->ji ij,jk ij,jk->ik ij,jk->ki ij,kj->ik ji,jk->ik ij,ij ij,ij->i ij,ij->j ij,ji ij,j i,ij i,ij->ij
ijk,ikl->ijl ijk,ikl->ilj ijk,jil->kl ij,kl->ijkl ij,kl->lk ijk,k ijk,jk->i ij,jk->ijk aij,ajk->aik abij,bajk->aibk
i,i,i i,j,k->kji ij,jk,kl ij,jk,kl->li ij,jk,ki ij,ik,il->jkl ijkl,jm,kn->imnl ij,jk,kl,lm->im ii,ij,jj->i ,i-> ,,
a,ab,abc->c ea,fb,abcd,gc,hd->efgh ab,ab,c->c abc,bd,ad->c ij,,jk->ik
"""
EXPRESSIONS = _EXPRESSIONS.split()
ELLIPSES = [
    ("...", [(2, 3)]),
    ("...->...", [(2, 3)]),
    ("...i->i...", [(2, 3, 4)]),
    ("i...->...", [(2, 3, 4)]),
    ("...ii->...", [(5, 3, 3)]),
    ("i...i", [(3, 4, 3)]),
    ("...ij,...jk", [(6, 2, 3), (6, 3, 4)]),
    ("...ij,...jk->...ik", [(5, 6, 2, 3), (6, 3, 4)]),
    ("...ij,jk->k...i", [(5, 6, 2, 3), (3, 4)]),
    ("...,...", [(2, 3), (3,)]),
    ("i...,...->i...", [(2, 1, 4), (5, 1)]),
    ("...i,...i->...", [(1, 3), (4, 3)]),
    ("...,i->...i", [(2, 2), (3,)]),
    ("a...b,b...->a...", [(2, 4, 3), (3, 4)]),
]
# An axis of length 1 stretches.
STRETCHED = [("ij,jk->ik", [(2, 1), (3, 4)]), ("i,i->i", [(1,), (4,)]), ("ij,ij->", [(1, 3), (2, 1)])]


def operand(dtype: str, shape: tuple[int, ...], seed: int) -> Numbers:
    rng = np.random.default_rng([seed, len(shape)])
    x = rng.integers(-3 if dtype[0] != "u" else 0, 4, shape).astype(dtype)
    return np.asarray(x + 1j * rng.integers(-3, 4, shape)).astype(dtype) if np.dtype(dtype).kind == "c" else x


def operands_of(text: str, dtype: str) -> list[Numbers]:
    terms = text.partition("->")[0].split(",")
    return [operand(dtype, tuple(EXTENTS[label] for label in term), k) for k, term in enumerate(terms)]


def check(text: str, arrays: list[Numbers], **options: Any) -> None:
    want = np.asarray(np.einsum(text, *arrays, **options))
    got = ps.einsum(text, *arrays, **options)
    assert np.asarray(got).dtype == want.dtype, text
    assert got.shape == want.shape, text
    np.testing.assert_array_equal(np.asarray(got), want, err_msg=text)


@pytest.mark.parametrize("text", EXPRESSIONS)
def test_every_kind_of_expression(text: str) -> None:
    arrays = operands_of(text, "float64")
    for optimize in (True, False, "greedy", "optimal"):
        np.testing.assert_array_equal(
            np.asarray(ps.einsum(text, *arrays, optimize=optimize)), np.einsum(text, *arrays), err_msg=text
        )


@pytest.mark.parametrize("dtype", ["bool", *INTEGERS, *FLOATS, *COMPLEX])
def test_every_dtype(dtype: str) -> None:
    for text in ("ii->i", "ij->", "ij,jk", "i,i", "i,i->i", "ij,ij->j", "ij,jk,kl->li"):
        check(text, operands_of(text, dtype))


@pytest.mark.parametrize(("text", "shapes"), [*ELLIPSES, *STRETCHED])
def test_ellipses_and_stretched_axes(text: str, shapes: list[tuple[int, ...]]) -> None:
    check(text, [operand("float64", shape, k) for k, shape in enumerate(shapes)])


def test_forms() -> None:
    a, b = operand("float64", (2, 3), 0), operand("float64", (3, 4), 1)
    for args in ((a, [0, 1], b, [1, 2]), (a, [0, 1], b, [1, 2], [2, 0]), (a, [Ellipsis, 1], [1, Ellipsis])):
        np.testing.assert_array_equal(np.asarray(ps.einsum(*args)), np.einsum(*args))
    np.testing.assert_array_equal(np.asarray(ps.einsum(" i j , jk -> k i", a, b)), np.einsum("ij,jk->ki", a, b))
    check("ij,jk", [a.astype("float32"), b])
    check("ij,jk", [a.astype("int8"), b.astype("int8")], dtype="int64")
    out = np.empty((2, 4))
    assert ps.einsum("ij,jk->ik", a, b, out=out) is out
    np.testing.assert_array_equal(out, a @ b)


def test_empty_axes() -> None:
    for text, shapes in (("ij,jk", [(2, 0), (0, 3)]), ("ij->i", [(2, 0)]), ("ii", [(0, 0)]), ("i,j->ij", [(0,), (2,)])):
        check(text, [np.ones(shape) for shape in shapes])


def test_a_path_is_followed() -> None:
    arrays = operands_of("ij,jk,kl,lm->im", "float64")
    path, text = ps.einsum_path("ij,jk,kl,lm->im", *arrays, optimize="optimal")
    assert path == np.einsum_path("ij,jk,kl,lm->im", *arrays, optimize="optimal")[0]
    assert "Complete contraction" in text
    for steps in (path, ["einsum_path", (0, 3), (0, 1), (0, 1)], ["einsum_path", (0, 1, 2, 3)]):
        got = ps.einsum("ij,jk,kl,lm->im", *arrays, optimize=steps)
        np.testing.assert_array_equal(np.asarray(got), np.einsum("ij,jk,kl,lm->im", *arrays))


def test_the_cheap_order_is_found() -> None:
    # From left to right this has 1e12 elements on the way.
    x = ps.ones(1_000_000)
    assert float(ps.einsum("i,j,j->i", x, x, x)[0]) == 1e6


@pytest.mark.parametrize("text", ["ij,jk->ik", "ij,kj->ik", "ji,jk->ki"])
def test_matrices_in_files_are_multiplied_within_the_budget(text: str, tmp_path: Path) -> None:
    a, b = (np.random.default_rng(k).normal(size=(700, 700)).astype("float32") for k in (0, 1))
    np.save(tmp_path / "a.npy", a)
    np.save(tmp_path / "b.npy", b)
    with budget_left(3 << 20):
        ps.save(ps.einsum(text, ps.open(tmp_path / "a.npy"), ps.open(tmp_path / "b.npy")), tmp_path / "c.npy")
    np.testing.assert_allclose(np.load(tmp_path / "c.npy"), np.einsum(text, a, b, optimize=True), rtol=0, atol=2e-3)


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: ps.einsum(), "no subscripts"),
        (lambda: ps.einsum("ij", [1.0]), "2 label.*1 axes"),
        (lambda: ps.einsum("i", [[1.0]]), r"'\.\.\.'"),
        (lambda: ps.einsum("i,j", [1.0]), "2 term.*1 operand"),
        (lambda: ps.einsum("i->j", [1.0]), "'j'.*no operand"),
        (lambda: ps.einsum("i->ii", [1.0]), "twice"),
        (lambda: ps.einsum("i!", [1.0]), "'!'"),
        (lambda: ps.einsum("......", [1.0]), "more than one ellipsis"),
        (lambda: ps.einsum([1.0], [60]), "integers"),
        (lambda: ps.einsum("i,i", [1.0, 2], [1.0, 2, 3]), "'i' is 2 long, but 3"),
        (lambda: ps.einsum("ii", [[1.0, 2]]), "extents 1 and 2"),
        (lambda: ps.einsum("i,i,i", [1.0], [1.0], [1.0], optimize="magic"), "'magic'"),
    ],
)
def test_what_is_refused(call: Any, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        call()
