# SPDX-License-Identifier: Apache-2.0
"""Dask with Penstock chunks gives NumPy's answers; each task hands on what it has evaluated."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import penstock as ps

dask = pytest.importorskip("dask")
da = pytest.importorskip("dask.array")

da.register_chunk_type(ps.Array)

RNG = np.random.default_rng(0)
A, B = RNG.normal(size=(40, 60)), RNG.normal(size=(60, 30))
LINE = A[0]
HOLED = np.where(A > 2, np.nan, A)


@pytest.fixture(autouse=True)
def _threads() -> Iterator[None]:
    with dask.config.set(scheduler="threads", num_workers=2):
        yield


Make = Callable[..., Any]
CALLS: dict[str, Callable[[Make], Any]] = {
    "compute": lambda d: d(),
    "chain": lambda d: (da.sin(d()) ** 2 + da.cos(d()) ** 2).mean(),
    "numpys-ufunc": lambda d: np.exp(d()),
    "penstock-on-the-left": lambda d: ps.asarray(A) + d(),
    "sum": lambda d: d().sum(axis=0),
    "mean": lambda d: d().mean(axis=1),
    "std": lambda d: d().std(),
    "var": lambda d: d().var(axis=0, ddof=1),
    "min": lambda d: d().min(),
    "argmax": lambda d: d().argmax(axis=0),
    "any": lambda d: (d() > 2).any(axis=0),
    "nansum": lambda d: da.nansum(d(HOLED)),
    "nanmean": lambda d: da.nanmean(d(HOLED), axis=0),
    "nanmax": lambda d: da.nanmax(d(HOLED), axis=0),
    "median": lambda d: da.median(d(), axis=0),
    "quantile": lambda d: da.quantile(d(), 0.3, axis=0),
    "bincount": lambda d: da.bincount(d(np.arange(20) % 5, 7)),
    "einsum": lambda d: da.einsum("ij,jk->ik", d(), d(B, (20, 10))),
    "moment": lambda d: da.reductions.moment(d(), 3),
    "cumsum": lambda d: d().cumsum(axis=0),
    "matmul": lambda d: d() @ d(B, (20, 10)),
    "dot": lambda d: da.dot(d(), d(B, (20, 10))),
    "tensordot": lambda d: da.tensordot(d(), d(B, (20, 10)), axes=1),
    "outer": lambda d: da.outer(d(LINE, 20), d(A[1], 20)),
    "norm": lambda d: da.linalg.norm(d()),
    "tsqr": lambda d: da.fabs(da.linalg.tsqr(d(A.T, (20, 40)))[1]),
    "fft": lambda d: da.fft.fft(d(A, (16, 60))),
    "transpose": lambda d: d().T,
    "concatenate": lambda d: da.concatenate([d(), d()]),
    "stack": lambda d: da.stack([d(), d()]),
    "slice": lambda d: d()[3:20, ::-2],
    "places": lambda d: d()[[3, 20, 1]],
    "condition": lambda d: d()[d()[:, 0] > 0],
    "where": lambda d: da.where(d() > 0, d(), 0),
    "reshape": lambda d: d().reshape(-1),
    "rechunk": lambda d: d().rechunk((7, 60)),
    "map_blocks": lambda d: d().map_blocks(lambda block: block * 2),
    "overlap": lambda d: da.overlap.overlap(d(), depth=1, boundary="reflect"),
    "topk": lambda d: da.topk(d(LINE, 20), 3),
    "unique": lambda d: da.unique(d(np.round(LINE), 20)),
    "histogram": lambda d: da.histogram(d(), bins=5, range=(-2, 2))[0],
    "searchsorted": lambda d: da.searchsorted(d(np.sort(LINE), 20), d(A[1], 20)),
    "isin": lambda d: da.isin(d(np.arange(20), 5), [1, 2]),
    "apply_along_axis": lambda d: da.apply_along_axis(np.ptp, 1, d(), dtype=np.float64, shape=()),
    "pad": lambda d: da.pad(d(), 1),
    "ones_like": lambda d: da.ones_like(d()),
    "tril": lambda d: da.tril(d(A[:, :40], (20, 20))),
    "diagonal": lambda d: da.diagonal(d()),
    "diff": lambda d: da.diff(d(), axis=0),
    "cov": lambda d: da.cov(d()),
    "astype": lambda d: d().astype("float32"),
    "broadcast_to": lambda d: da.broadcast_to(d(LINE, 20), (3, 60)),
}


def array_of(wrap: Callable[[Any], Any]) -> Make:
    def make(values: Any = A, chunks: Any = (16, 20)) -> Any:
        return da.from_array(wrap(values), chunks=chunks, asarray=False)

    return make


@pytest.mark.parametrize("name", CALLS)
def test_dask(name: str) -> None:
    got, expected = CALLS[name](array_of(ps.asarray)).compute(), CALLS[name](array_of(np.asarray)).compute()
    assert isinstance(got, ps.Array)
    np.testing.assert_allclose(np.asarray(got), np.asarray(expected), rtol=1e-9, atol=1e-12)


def test_assignment() -> None:
    got, expected = array_of(ps.asarray)(), array_of(np.asarray)()
    got[0, 3:] = 5.0
    expected[0, 3:] = 5.0
    np.testing.assert_array_equal(np.asarray(got.compute()), expected.compute())


def test_tasks_hand_on_what_they_have_evaluated() -> None:
    blocks = array_of(ps.asarray)().map_blocks(lambda block: ps.evaluate(block * 2)[0], dtype=np.float64)
    parts = dask.compute(*blocks.to_delayed().ravel())
    assert all(part.evaluated for part in parts)


def test_a_file_goes_to_other_processes_by_reference(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", A)
    lazy = (da.from_array(ps.open(tmp_path / "x.npy"), chunks=(10, 60), asarray=False) * 2).sum()
    got = lazy.compute(scheduler="processes", num_workers=1)
    np.testing.assert_allclose(float(got), (A * 2).sum())


def test_names_of_a_graph_follow_the_file(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", A)
    one, other = (da.from_array(ps.open(tmp_path / "x.npy"), chunks=10, asarray=False) for _ in range(2))
    assert one.name == other.name
    np.save(tmp_path / "x.npy", B)
    assert da.from_array(ps.open(tmp_path / "x.npy"), chunks=10, asarray=False).name != one.name
