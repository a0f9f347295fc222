# SPDX-License-Identifier: Apache-2.0
"""What the sweeps share: sample values, memory layouts, and comparisons to the bit or to the last place."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

import penstock as ps

Numbers = np.ndarray[Any, np.dtype[Any]]

FULL = bool(os.environ.get("PENSTOCK_TEST_FULL"))
INTEGERS = ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64")
FLOATS = ("float32", "float64")
COMPLEX = ("complex64", "complex128")
# Those that arrays compute in; float16 is a storage dtype.
DTYPES = ("bool", *INTEGERS, *FLOATS, *COMPLEX)
# Around the widths of vectors and of a register tile.
SHAPES = ((0, 3), (1, 1), (7, 9), (8, 8), (5, 13), (25, 40))
DIFFERENCES = Path(__file__).parents[2] / "docs" / "reference" / "differences.md"


def differences() -> set[str]:
    """The names of the documented differences from NumPy: the first column of the tables."""
    rows = [line.split("|")[1].strip() for line in DIFFERENCES.read_text().splitlines() if line.startswith("| `")]
    return {row.strip("`") for row in rows}


def special_floats(dtype: str) -> Numbers:
    """Zeros, infinities, NaN, the ends of the range, subnormals, halves and values near the borders of domains."""
    info = np.finfo(dtype)
    values = [0, 1, 0.5, 1.5, 2, 2.5, 3, np.pi, 7.75, 1e-8, 100.25, 0.9999, 1.0001, 20, 88.6, 709.5, 1e10]
    values += [float(info.max), float(info.tiny), float(info.smallest_subnormal), float(info.eps), np.inf]
    with np.errstate(over="ignore"):
        positive = np.array(values, dtype)
    return np.concatenate([positive, -positive, np.array([np.nan], dtype)])


def special_integers(dtype: str) -> Numbers:
    """Small numbers, the ends of the range and shift counts around the width."""
    info = np.iinfo(dtype)
    near = [
        0,
        1,
        2,
        3,
        5,
        7,
        8,
        15,
        31,
        32,
        63,
        64,
        100,
        info.bits - 1,
        info.bits,
        info.max,
        info.max - 1,
        info.max // 2,
    ]
    values = [*near, *(-each for each in near), info.min, info.min + 1]
    return np.array([each for each in values if info.min <= each <= info.max], dtype)


def specials(dtype: str) -> Numbers:
    """The special values of a dtype; of a complex one every pair of some."""
    kind = np.dtype(dtype).kind
    if kind == "b":
        return np.array([True, False])
    if kind in "iu":
        return special_integers(dtype)
    if kind == "f":
        return special_floats(dtype)
    real = "float32" if dtype == "complex64" else "float64"
    parts = np.array([0.0, -0.0, 1.0, -1.0, 0.5, -2.5, np.inf, -np.inf, np.nan, 30.0], real)
    return np.array([complex(a, b) for a, b in itertools.product(parts, parts)], dtype)


def random_values(dtype: str, count: int, rng: np.random.Generator) -> Numbers:
    """Random values over the whole range of integers and six orders of magnitude of floats."""
    kind = np.dtype(dtype).kind
    if kind == "b":
        return rng.integers(0, 2, count).astype(bool)
    if kind in "iu":
        info = np.iinfo(dtype)
        wide = rng.integers(info.min, info.max, count, dtype, endpoint=True)
        small = rng.integers(0 if kind == "u" else -9, 10, count).astype(dtype)
        return np.where(rng.random(count) < 0.5, wide, small)
    if kind == "f":
        return (rng.normal(size=count) * 10 ** rng.uniform(-3, 3, count)).astype(dtype)
    return (rng.normal(size=count) + 1j * rng.normal(size=count)).astype(dtype)


def sample(dtype: str, shape: Sequence[int], seed: int = 0) -> Numbers:
    """An array of special and random values, shuffled."""
    rng = np.random.default_rng([seed, *dtype.encode(), *shape])
    count = int(np.prod(shape))
    special = rng.permutation(specials(dtype))
    values = np.concatenate([special[: (count + 1) // 2], random_values(dtype, count, rng)])[:count]
    return np.asarray(rng.permutation(values).reshape(shape))


def strided(a: Numbers) -> Numbers:
    """Every second row and third column of a larger array."""
    return filled(np.zeros((a.shape[0] * 2, a.shape[1] * 3), a.dtype)[::2, 1::3], a)


def filled(view: Numbers, a: Numbers) -> Numbers:
    view[...] = a
    return view


def unaligned(a: Numbers) -> Numbers:
    """A view into bytes that starts at an odd address."""
    room = np.zeros(a.nbytes + 1, np.uint8)
    return filled(room[1:].view(a.dtype).reshape(a.shape), a)


def layouts(a: Numbers) -> Iterator[tuple[str, Numbers]]:
    """The matrix ``a`` in every kind of memory."""
    yield "contiguous", a.copy()
    yield "strided", strided(a)
    yield "reversed", filled(np.zeros_like(a)[::-1, ::-1], a)
    yield "transposed", filled(np.zeros(a.shape[::-1], a.dtype).T, a)
    yield "unaligned", unaligned(a)
    yield "big-endian", a.astype(a.dtype.newbyteorder(">"))


def computed(a: Numbers) -> Numbers:
    """As Penstock shows what a file holds: native byte order, float16 as float32."""
    return a.astype("float32" if a.dtype.kind == "f" and a.itemsize == 2 else a.dtype.newbyteorder("="))


def assert_same_bits(got: Numbers, want: Numbers, where: str = "") -> None:
    """Equal dtype, shape and bits; all NaN count as one."""
    assert got.dtype == want.dtype, f"{where}: dtype {got.dtype}, expected {want.dtype}"
    assert got.shape == want.shape, f"{where}: shape {got.shape}, expected {want.shape}"
    if got.dtype.kind == "c":
        assert_same_bits(got.real, want.real, f"{where} real")
        assert_same_bits(got.imag, want.imag, f"{where} imag")
        return
    if got.dtype.kind == "f":
        equal = (got == want) & (np.signbit(got) == np.signbit(want)) | np.isnan(got) & np.isnan(want)
    else:
        equal = got == want
    if not equal.all():
        at = np.argwhere(~equal)[0] if got.ndim else ()
        raise AssertionError(
            f"{where}: {np.sum(~equal)} differ; at {at}: {got[tuple(at)]!r}, expected {want[tuple(at)]!r}"
        )


def ulp_error(got: Numbers, exact: Numbers, scale: Numbers | None = None) -> Any:
    """Distance from the exact values in units of their last place; infinite where a special value is missed."""
    with np.errstate(all="ignore"):
        nearest = exact.astype(got.dtype)
        unit = np.spacing(np.abs(nearest if scale is None else scale.astype(got.dtype)))
        distance = np.abs(got.astype(exact.dtype) - exact) / unit
        agree = (got == nearest) & (np.signbit(got) == np.signbit(nearest)) | np.isnan(got) & np.isnan(nearest)
        finite = np.isfinite(got) & np.isfinite(nearest)
        # Where the exact value rounds to infinity or just not, the largest number is one unit away.
        largest = np.isinf(nearest) & (got == np.copysign(np.finfo(got.dtype).max, nearest))
        largest |= np.isinf(got) & (np.abs(nearest) == np.finfo(got.dtype).max)
        return np.where(agree, 0, np.where(finite, distance, np.where(largest, 1, np.inf)))


def assert_same(got: ps.Array, want: Any) -> None:
    """As assert_same_bits, of an array that is evaluated."""
    assert_same_bits(np.asarray(got), np.asarray(want))


@contextmanager
def budget_left(extra: int) -> Iterator[None]:
    """A memory budget of so many bytes beyond what is held."""
    ps.trim()
    ps.memory_budget(ps.stats()["budget_used"] + extra)
    try:
        yield
    finally:
        ps.memory_budget("80%")
