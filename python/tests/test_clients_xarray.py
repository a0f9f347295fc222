# SPDX-License-Identifier: Apache-2.0
"""xarray with Penstock arrays inside gives NumPy's answers, and keeps Penstock arrays inside."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import penstock as ps

xarray = pytest.importorskip("xarray")

RNG = np.random.default_rng(0)
A = RNG.normal(size=(4, 6))
HOLED = np.where(A > 1, np.nan, A)
NAMED = xarray.DataArray(np.arange(4.0), dims="t")

Make = Callable[..., Any]
CALLS: dict[str, Callable[[Make], Any]] = {
    "add": lambda d: d() + 1,
    "add-numpy": lambda d: d() + A,
    "numpy-on-the-left": lambda d: A[0] + d(),
    "broadcast": lambda d: d() + d().isel(t=0),
    "align": lambda d: d()[1:] + d()[:3],
    "ufunc": lambda d: np.sin(d()),
    "apply_ufunc": lambda d: xarray.apply_ufunc(lambda a: a * 2, d()),
    **{
        name: lambda d, name=name: getattr(d(HOLED), name)("t")
        for name in ("mean", "std", "var", "min", "max", "median", "prod", "cumsum", "argmax")
    },
    "mean-of-all": lambda d: d(HOLED).mean(),
    "std-corrected": lambda d: d().std("x", ddof=1),
    "quantile": lambda d: d(HOLED).quantile([0.25, 0.5], "t"),
    "dot": lambda d: xarray.dot(d(), d(), dim="t"),
    "matmul": lambda d: d() @ d().isel(t=0),
    "coarsen": lambda d: d().coarsen(t=2).mean(),
    "groupby": lambda d: d().groupby(NAMED % 2).mean(),
    "sum": lambda d: d().sum("x"),
    "sum-skipping": lambda d: d(HOLED).sum(),
    "count": lambda d: d(HOLED).count("t"),
    "isnull": lambda d: d(HOLED).isnull(),
    "fillna": lambda d: d(HOLED).fillna(0),
    "dropna": lambda d: d(HOLED).dropna("t"),
    "any": lambda d: (d() > 0).any("t"),
    "all": lambda d: (d() > -9).all(),
    "where": lambda d: d().where(d() > 0, 0),
    "clip": lambda d: d().clip(-0.5, 0.5),
    "astype": lambda d: d().astype("float32"),
    "round": lambda d: d().round(),
    "isel": lambda d: d().isel(t=1, x=slice(1, 4)),
    "isel-list": lambda d: d().isel(t=[0, 2], x=[5, 1, 1]),
    "sel": lambda d: d().sel(x=2.2, method="nearest"),
    "transpose": lambda d: d().transpose("x", "t"),
    "roll": lambda d: d().roll(t=1),
    "diff": lambda d: d().diff("t"),
    "concat": lambda d: xarray.concat([d(), d()], "t"),
    "stack": lambda d: d().stack(z=("t", "x")),
    "sortby": lambda d: d().sortby("x", ascending=False),
    "expand_dims": lambda d: d().expand_dims("q"),
    "squeeze": lambda d: d().isel(t=[0]).squeeze(),
    "pad": lambda d: d().pad(t=1, constant_values=0),
    "copy": lambda d: d().copy(deep=True),
    "full_like": lambda d: xarray.full_like(d(), 3),
    "real": lambda d: d().real,
    "reduce": lambda d: d().reduce(np.mean, "t"),
    "pickle": lambda d: pickle.loads(pickle.dumps(d())),
    "dataset": lambda d: (xarray.Dataset({"v": d()}) * 2)["v"],
}


def array_of(wrap: Callable[[Any], Any]) -> Make:
    def make(values: Any = A) -> Any:
        coordinates = {"t": np.arange(values.shape[0]), "x": np.arange(values.shape[1]) * 1.0}
        return xarray.DataArray(wrap(values), dims=("t", "x"), coords=coordinates)

    return make


@pytest.mark.parametrize("name", CALLS)
def test_xarray(name: str) -> None:
    got, expected = CALLS[name](array_of(ps.asarray)), CALLS[name](array_of(np.asarray))
    assert isinstance(got.data, ps.Array)
    assert got.dims == expected.dims
    np.testing.assert_allclose(np.asarray(got.data), np.asarray(expected.data), rtol=1e-9)
    for each in expected.coords:
        np.testing.assert_array_equal(got.coords[each], expected.coords[each])


def test_assignment_gives_the_array_another_value() -> None:
    got, expected = array_of(ps.asarray)(), array_of(np.array)()
    got[{"t": 0}] = 5.0
    expected[{"t": 0}] = 5.0
    np.testing.assert_array_equal(np.asarray(got.data), expected.data)
    assert A[0, 0] != 5.0


def test_a_file_is_looked_at_without_being_read(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", RNG.normal(size=(300, 400)))
    before = ps.stats()
    data = xarray.DataArray(ps.open(tmp_path / "x.npy"), dims=("t", "x"))
    assert "x.npy" in repr(data)
    assert "x.npy" in data._repr_html_()
    later = (data * 2).isel(t=slice(3, 5))
    assert isinstance(later.data, ps.Array)
    assert not later.data.evaluated
    for name in ("bytes_read", "bytes_mapped"):
        assert ps.stats()[name] == before[name]
    np.testing.assert_allclose(later.values, np.load(tmp_path / "x.npy")[3:5] * 2)


def test_what_xarray_refuses() -> None:
    """Where this fails, docs/how-to/xarray.md has a limit too many."""
    data = array_of(ps.asarray)()
    with pytest.raises(TypeError, match="numpy dtype"):
        data.where(data > 0)
    with pytest.raises(TypeError, match="numpy dtype"):
        data.idxmax("t")
    with pytest.raises(TypeError, match="Vectorized indexing"):
        data.isel(t=xarray.DataArray([0, 1], dims="p"), x=xarray.DataArray([0, 1], dims="p"))
    with pytest.raises(AttributeError, match="lib"):
        data.rolling(t=2).mean()
