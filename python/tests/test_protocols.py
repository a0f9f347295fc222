# SPDX-License-Identifier: Apache-2.0
"""NumPy's functions and operators on arrays: __array_ufunc__, __array_function__, __array__, DLPack."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import penstock as ps
from penstock import _numpy_functions, _ufuncs

RNG = np.random.default_rng(7)
A = RNG.normal(size=(3, 4)).astype(np.float32)
B = RNG.normal(size=(3, 4))
P = ps.asarray(A)


def same(got: Any, expected: Any) -> None:
    """Equal within a unit or two in the last place, of the same shape, and still an array of the library."""
    if isinstance(expected, tuple):
        for one, other in zip(got, expected, strict=True):
            same(one, other)
        return
    assert isinstance(got, ps.Array)
    assert got.shape == np.shape(expected)
    np.testing.assert_allclose(np.asarray(got), expected, rtol=1e-5, atol=1e-6)


CALLS: dict[str, Callable[[Any], Any]] = {
    "sin": np.sin,
    "add": lambda x: np.add(x, B),
    "add-reflected": lambda x: B + x,
    "subtract-reflected": lambda x: B - x,
    "compare": lambda x: np.less(B, x),
    "scalar": lambda x: np.float64(2) * x,
    "negative-step": lambda x: B[::-1, ::-1] / x,
    "big-endian": lambda x: np.arange(12, dtype=">i4").reshape(3, 4) + x,
    "matmul": lambda x: B @ x.T,
    "dtype": lambda x: np.add(x, x, dtype=np.float64),
    "without-namesake": np.cbrt,
    "several-results": lambda x: np.divmod(x, 0.5),
    "modf": np.modf,
    "reduce": np.add.reduce,
    "reduce-all": lambda x: np.maximum.reduce(x, axis=None, keepdims=True),
    "accumulate": lambda x: np.multiply.accumulate(x, 1),
    "outer": lambda x: np.subtract.outer(x[0], x[1]),
    "mean": np.mean,
    "mean-by-position": lambda x: np.mean(x, 0),
    "sum": lambda x: np.sum(x, axis=(0, 1), keepdims=True, dtype=np.float64),
    "ddof": lambda x: np.var(x, 1, ddof=1),
    "concatenate": lambda x: np.concatenate([x, B], 1),
    "stack": lambda x: np.stack([x, x], axis=-1),
    "vstack": lambda x: np.vstack([x, x[0]]),
    "hstack": lambda x: np.hstack([x, x]),
    "norm": np.linalg.norm,
    "norm-along": lambda x: np.linalg.norm(x, 1, axis=0, keepdims=True),
    "norm-kept": lambda x: np.linalg.norm(np.stack([x, x]), "nuc", axis=(0, 2), keepdims=True),
    "norm-of-matrix": lambda x: np.linalg.norm(x, ord=np.inf),
    "svd": lambda x: np.linalg.svd(x, compute_uv=True)[1],
    "fft": lambda x: np.fft.rfft(x, axis=0),
    "where": lambda x: np.where(x > 0, x, 0),
    "where-alone": lambda x: np.where(x > 0),
    "clip": lambda x: np.clip(x, -0.5, 0.5),
    "clip-by-name": lambda x: np.clip(x, a_min=0.1, a_max=None),
    "transpose": lambda x: np.transpose(x[None], (1, 2, 0)),
    "take": lambda x: np.take(x, [0, 5]),
    "sort-kind": lambda x: np.sort(x, axis=0, kind="stable"),
    "partition": lambda x: np.sort(np.partition(x, 2, axis=0), axis=0),
    "like-with-a-shape": lambda x: np.ones_like(x, shape=(2, 2), order="C"),
    "zeros-like-it": lambda x: np.zeros((2, 3), like=x) if isinstance(x, ps.Array) else np.zeros((2, 3)),
    "array-like-it": lambda x: np.array([1, 2], like=x) if isinstance(x, ps.Array) else np.array([1, 2]),
    "norm-of-fft": lambda x: np.fft.fft(x, norm=None),
    "sort": lambda x: np.sort(x, axis=None),
    "searchsorted": lambda x: np.searchsorted(np.arange(5.0), x[0]),
    "diagonal-of-the-first-axes": lambda x: np.diagonal(np.stack([x, x, x]), 1),
    "trace": lambda x: np.trace(np.stack([x, x, x])),
    "cumsum": np.cumsum,
    "squeeze": lambda x: np.squeeze(x[None, :, None]),
    "ravel": np.ravel,
    "swapaxes": lambda x: np.swapaxes(x[None], 0, 2),
    "outer-product": lambda x: np.outer(x[0], x[1]),
    "column_stack": lambda x: np.column_stack([x, x[:, 0]]),
    "at-least": lambda x: np.atleast_2d(x[0], x),
    "unique": lambda x: np.unique(np.where(x > 0, np.float32(np.nan), np.round(x)), return_counts=True),
    "unique-all": lambda x: np.unique(np.round(x), return_index=True, return_inverse=True),
    "pad": lambda x: np.pad(x, ((1, 2), (0, 3))),
    "pad-with": lambda x: np.pad(x, 1, constant_values=7),
    "pad-with-pairs": lambda x: np.pad(x, 1, constant_values=((1, 2), (3, 4))),
    "apply-along": lambda x: np.apply_along_axis(np.ptp, 1, x),
    "copy": lambda x: x.copy(),
    "pad-edge": lambda x: np.pad(x, 2, "edge"),
    "pad-reflect": lambda x: np.pad(x, (5, 1), mode="reflect"),
    "full_like": lambda x: np.full_like(x, 3, dtype=np.int8),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS.keys())
def test_numpys_functions_give_numpys_values(call: Callable[[Any], Any]) -> None:
    same(call(P), call(A))


def test_functions_that_ask_give_pythons_answers() -> None:
    assert np.shape(P) == (3, 4)
    assert np.ndim(P) == 2
    assert np.size(P) == 12
    assert np.array_equal(P, A)
    assert not np.array_equal(P, A[:2])
    assert not np.iscomplexobj(P)
    assert np.isrealobj(P)
    assert np.result_type(P, np.float64) == ps.float64


def test_every_function_with_a_namesake_is_in_the_table() -> None:
    table = _numpy_functions._table()
    for name in ("mean", "pad", "concatenate", "tensordot", "zeros_like", "argmax", "unique_values"):
        assert getattr(np, name) in table
    # NumPy's trace is a sum; the namespace's records what the engine does.
    assert table[np.trace] is not ps.trace
    assert set(_ufuncs._namesakes()) >= {np.sin, np.add, np.matmul, np.power, np.absolute}


def test_what_has_no_namesake_stays_lazy() -> None:
    x = ps.zeros((1 << 10, 1 << 9), dtype=ps.float32)
    y = np.cbrt(x + 8)
    assert not y.evaluated
    assert float(y[5, 7]) == 2.0


def test_results_go_where_out_says() -> None:
    out = np.zeros((3, 4))
    assert np.add(P, 1, out=out) is out
    np.testing.assert_allclose(out, A + 1, rtol=1e-6)
    kept = np.full((3, 4), 9.0)
    np.add(P, 1, out=kept, where=P > 0)
    np.testing.assert_allclose(kept, np.where(A > 0, A + 1, 9), rtol=1e-6)
    mean = np.zeros(4, np.float32)
    assert np.mean(P, axis=0, out=mean) is mean
    np.testing.assert_allclose(mean, A.mean(axis=0), rtol=1e-5)
    total = B.copy()
    total += P
    np.testing.assert_allclose(total, B + A)


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: np.add(P, 1, out=np.zeros((3, 4), int)), "astype"),
        (lambda: np.add(P, 1, where=A > 0), "penstock.where"),
        (lambda: np.add.at(P, 0, 1), "reduce"),
        (lambda: np.hypot.reduce(P), "there is reduce of add"),
        (lambda: np.sum(P, where=A > 0), "takes no where"),
        (lambda: np.sum(P, initial=3), "takes no initial"),
        (lambda: np.reshape(P, -1, order="F"), "takes no order"),
        (lambda: np.lexsort(P), "no counterpart"),
        (lambda: np.linalg.lstsq(P, P), "no counterpart"),
    ],
)
def test_what_has_no_meaning_says_what_to_do(call: Callable[[], Any], says: str) -> None:
    with pytest.raises(ps.errors.DTypeError, match=says):
        call()


class Wrapping:
    """A class with a say of its own, as xarray's and Dask's."""

    def __array_ufunc__(self, *_args: Any, **_kwargs: Any) -> str:
        return "ufunc"

    def __array_function__(self, *_args: Any) -> str:
        return "function"

    def __array__(self, *_args: Any, **_kwargs: Any) -> Any:
        raise AssertionError("converted")

    def __radd__(self, _other: Any) -> str:
        return "radd"

    def __rmatmul__(self, _other: Any) -> str:
        return "rmatmul"


def test_masked_arrays_keep_their_mask() -> None:
    masked = np.ma.masked_array(A[0], A[0] > 0)
    for total in (P + masked, masked + P):
        np.testing.assert_array_equal(total.mask, np.broadcast_to(masked.mask, A.shape))


def test_classes_with_a_say_of_their_own_have_it() -> None:
    assert P + Wrapping() == "radd"
    assert P @ Wrapping() == "rmatmul"
    assert np.add(P, Wrapping()) == "ufunc"
    assert np.concatenate([P, Wrapping()]) == "function"


@pytest.mark.parametrize("dtype", ["bool", "int16", "uint8", "float32", "complex64"])
def test_what_clients_ask_dtypes_and_arrays(dtype: str) -> None:
    a = np.ones((2, 3), dtype)
    x = ps.asarray(a)
    assert x.dtype.kind == a.dtype.kind
    assert x.dtype.type is a.dtype.type
    np.testing.assert_array_equal(np.asarray(x.real), a.real)
    np.testing.assert_array_equal(np.asarray(x.imag), a.imag)
    np.testing.assert_array_equal(np.asarray(x.ravel()), a.ravel())


def test_array_copies_and_converts_as_asked() -> None:
    assert np.asarray(P, dtype=np.float64).dtype == np.float64
    assert np.array(P).flags.writeable
    assert not np.asarray(P).flags.writeable
    with pytest.raises(ValueError, match="copy"):
        P.__array__(np.float64, copy=False)


class TestDLPack:
    def test_there_and_back(self) -> None:
        np.testing.assert_array_equal(np.from_dlpack(P), A)
        back = ps.from_dlpack(A)
        np.testing.assert_array_equal(np.asarray(back), A)
        assert np.shares_memory(np.asarray(back), A)
        assert P.__dlpack_device__() == (1, 0)

    def test_old_consumers_get_a_copy_they_may_write_to(self) -> None:
        assert 'dltensor"' in repr(P.__dlpack__())
        assert "dltensor_versioned" in repr(P.__dlpack__(max_version=(1, 0)))

    def test_old_consumers_that_ask_for_no_copy_get_the_memory(self) -> None:
        class Old:
            def __dlpack__(self, **_: Any) -> Any:
                return P.__dlpack__(copy=False)

            def __dlpack_device__(self) -> tuple[int, int]:
                return 1, 0

        assert np.shares_memory(np.from_dlpack(Old()), np.asarray(P))
        assert memoryview(P).readonly

    def test_copies_are_copies(self) -> None:
        source = A.copy()
        copied, shared = ps.from_dlpack(source, copy=True), ps.from_dlpack(source, copy=False)
        source[0, 0] = 99
        assert float(copied[0, 0]) == A[0, 0]
        assert float(shared[0, 0]) == 99

    @pytest.mark.parametrize("version", [5.5, ("a", 0), [None]])
    def test_versions_are_numbers(self, version: Any) -> None:
        with pytest.raises(TypeError, match="max_version"):
            P.__dlpack__(max_version=version)

    @pytest.mark.parametrize("option", [{"stream": 1}, {"dl_device": (2, 0)}])
    def test_other_devices_are_refused(self, option: dict[str, Any]) -> None:
        with pytest.raises(BufferError, match="CPU"):
            P.__dlpack__(**option)

    def test_what_is_no_tensor_is_refused(self) -> None:
        with pytest.raises(TypeError, match="asarray"):
            ps.from_dlpack([1, 2])
        with pytest.raises(ValueError, match="device"):
            ps.from_dlpack(A, device="gpu")
