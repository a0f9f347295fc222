# SPDX-License-Identifier: Apache-2.0
"""Results that memory has no room for: of functions whose results' sizes depend on values, and of those that read
what they computed more than once. Within a budget smaller than any of them, all is as NumPy has it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sweep import budget_left

import penstock as ps

N = 1 << 19
SHAPE = (512, 1024)
BUDGET = 3 << 20


class Files:
    """What is computed with, as NumPy's arrays and as files."""

    def __init__(self, folder: Path) -> None:
        rng = np.random.default_rng(7)
        self.folder = folder
        self.arrays = {
            "few": rng.integers(0, 1000, N).astype(np.int32),
            "many": rng.standard_normal(N).round(4),
            "numbers": (rng.integers(0, 99, N // 4) + 1j * rng.integers(0, 99, N // 4)).astype(np.complex64),
            "places": rng.permutation(N),
        }
        self.arrays["many"][::1000] = np.nan
        for name, array in self.arrays.items():
            np.save(folder / f"{name}.npy", array)

    def __getitem__(self, name: str) -> ps.Array:
        return ps.open(self.folder / f"{name}.npy")

    def saved(self, result: Any) -> Any:
        """The elements of a result, or of several, by way of a file."""
        if isinstance(result, tuple):
            return [self.saved(each) for each in result]
        ps.save(result, self.folder / "saved.npy")
        return np.load(self.folder / "saved.npy")


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    return Files(tmp_path_factory.mktemp("beyond"))


@pytest.fixture(autouse=True)
def scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Scratch files are nameless from the start: nothing is ever left of them."""
    folder = tmp_path / "scratch"
    folder.mkdir()
    monkeypatch.setenv("PENSTOCK_SCRATCH", str(folder))
    yield
    assert list(folder.iterdir()) == []


def assert_equal(got: Any, expected: Any) -> None:
    if isinstance(expected, tuple):
        assert len(got) == len(expected)
        for ours, theirs in zip(got, expected, strict=True):
            assert_equal(ours, theirs)
        return
    assert got.dtype == expected.dtype
    np.testing.assert_array_equal(got, expected)


def rows(x: Any) -> Any:
    return x.reshape(SHAPE)


def tall(x: Any) -> Any:
    """So many rows that the least tile of a column spans all of them."""
    return x.reshape(4096, -1)


def assigned(x: Any, key: Any, value: Any) -> Any:
    x = x[...] if isinstance(x, ps.Array) else x.copy()
    x[key] = value
    return x


Arrays = dict[str, Any]


def order(x: Any) -> Any:
    return np.argsort(x, axis=0, stable=True)


# What is computed, and what NumPy computes where the same text does not do.
FUNCTIONS: dict[str, tuple[Callable[[Any, Any], Any], Callable[[Arrays], Any] | None]] = {
    "unique_values": (lambda xp, x: xp.unique_values(x["many"]), lambda a: np.unique(a["many"], equal_nan=False)),
    "unique_values of few": (lambda xp, x: xp.unique_values(x["few"]), lambda a: np.unique(a["few"])),
    "unique_values of complex numbers": (
        lambda xp, x: xp.unique_values(x["numbers"]),
        lambda a: np.unique(a["numbers"]),
    ),
    "unique_counts": (lambda xp, x: tuple(xp.unique_counts(x["many"])), None),
    "unique_inverse": (lambda xp, x: tuple(xp.unique_inverse(x["few"])), None),
    "unique_all": (lambda xp, x: tuple(xp.unique_all(rows(x["many"]))), None),
    "isin": (lambda xp, x: xp.isin(x["many"] * 2, x["many"]), None),
    "isin of complex numbers": (
        lambda xp, x: xp.isin(x["numbers"][:40_000], x["numbers"][40_000:], invert=True),
        None,
    ),
    "searchsorted": (lambda xp, x: xp.searchsorted(xp.sort(x["many"]), xp.flip(x["many"])), None),
    "nonzero": (lambda xp, x: xp.nonzero(x["many"] > 0), None),
    "nonzero of rows": (lambda xp, x: xp.nonzero(rows(x["few"])), None),
    "a condition": (lambda _, x: x["many"][x["few"] > 300], None),
    "a condition on rows": (lambda _, x: rows(x["few"])[rows(x["few"]) > 300], None),
    "a condition of rows": (lambda _, x: rows(x["many"])[rows(x["few"])[:, 0] > 300], None),
    "a column of sorted rows": (lambda xp, x: xp.sort(tall(x["many"]), axis=1)[:, 0], None),
    "a row of sorted columns": (lambda xp, x: xp.sort(tall(x["many"]), axis=0)[-1], None),
    "take": (lambda xp, x: xp.take(x["many"], x["places"], axis=0), None),
    "take of columns": (lambda xp, x: xp.take(rows(x["many"]), x["places"][:2000] % 1024, axis=1), None),
    "take_along_axis": (
        lambda xp, x: xp.take_along_axis(rows(x["few"]), xp.argsort(rows(x["many"]), axis=0), axis=0),
        lambda a: np.take_along_axis(rows(a["few"]), order(rows(a["many"])), axis=0),
    ),
    "take_along_axis of a vector": (
        lambda xp, x: xp.take_along_axis(x["few"], xp.argsort(x["many"]), axis=0),
        lambda a: np.take_along_axis(a["few"], order(a["many"]), axis=0),
    ),
    "assignment": (lambda _, x: assigned(x["many"], x["places"], x["few"]), None),
    "assignment by a condition": (lambda _, x: assigned(x["many"], x["few"] > 300, 0), None),
    "assignment of rows": (
        lambda _, x: assigned(rows(x["many"]), x["places"][:100] % 512, rows(x["few"])[:100]),
        None,
    ),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_as_numpy_has_it(name: str, files: Files) -> None:
    ours, theirs = FUNCTIONS[name]
    expected = theirs(files.arrays) if theirs else ours(np, files.arrays)
    with budget_left(BUDGET):
        got = files.saved(ours(ps, files))
    assert_equal(got, expected)


def test_a_result_is_refused_with_figures_where_it_is_to_lie_in_memory(files: Files) -> None:
    with budget_left(BUDGET):
        places = ps.nonzero(files["few"] > 0)[0]
        told = r"^the result needs 4 MiB; 3 MiB of the memory budget of [\d.]+ [KM]iB is free\. Save it to a file"
        with pytest.raises(ps.errors.BudgetError, match=told):
            np.asarray(places)
        assert int(places[-1]) == np.flatnonzero(files.arrays["few"])[-1]
        # As large as it is, it is read by parts.
        assert int(ps.sum(places)) == np.flatnonzero(files.arrays["few"]).sum()


@pytest.mark.parametrize("foreign", [1 << 50, -(1 << 50), N])
def test_indices_that_change_before_they_are_read_are_refused(foreign: int, files: Files) -> None:
    """Borrowed indices are checked when a function is called, and read when its result is evaluated."""
    places = files.arrays["places"].copy()
    with budget_left(BUDGET // 2):
        result = ps.take(files["many"], ps.asarray(places), axis=0)
        places[::1000] = foreign
        with pytest.raises(ps.errors.ArgumentError, match="the indices changed while they were read"):
            files.saved(result)


def test_results_that_fit_stay_in_memory(files: Files) -> None:
    assert ps.unique_values(files["few"]).evaluated
    assert ps.nonzero(files["few"])[0].evaluated


def test_kept_results_travel_by_value(files: Files) -> None:
    import pickle

    with budget_left(BUDGET):
        places = ps.nonzero(files["few"] > 0)[0]
    assert not places.evaluated
    np.testing.assert_array_equal(np.asarray(pickle.loads(pickle.dumps(places))), np.flatnonzero(files.arrays["few"]))
