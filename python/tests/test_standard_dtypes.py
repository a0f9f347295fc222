# SPDX-License-Identifier: Apache-2.0
"""Dtypes by the array API standard 2025.12: what each function takes and what it gives, promotion, Python numbers.

A row reads ``names: kinds -> result``. Kinds: b bool, i and u integers, f and c real and complex floats. The result is
that of the operands (``same``), of their real or complex parts, a dtype, or ``sum``: 64 bits for integers.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import namespace
import numpy as np
import pytest

import penstock as ps

ROWS = """
abs: iuf -> same
abs real imag: c -> real
acos acosh asin asinh atan atanh cos cosh exp expm1 log log10 log1p log2 sin sinh sqrt tan tanh reciprocal: fc -> same
add subtract multiply pow square: iufc -> same
divide: fc -> same
atan2 copysign hypot logaddexp nextafter: f -> same
negative positive sign conj: iufc -> same
ceil floor round trunc floor_divide remainder maximum minimum: iuf -> same
round: c -> same
real: iuf -> same
bitwise_and bitwise_or bitwise_xor bitwise_invert: biu -> same
bitwise_left_shift bitwise_right_shift: iu -> same
logical_and logical_or logical_xor logical_not: b -> bool
equal not_equal: biufc -> bool
less less_equal greater greater_equal: iuf -> bool
isfinite isinf isnan: iufc -> bool
signbit: f -> bool
clip: iuf -> same
sum prod cumulative_sum cumulative_prod: iufc -> sum
max min sort: iuf -> same
argmax argmin argsort: iuf -> int64
mean: fc -> same
var std: f -> same
all any: biufc -> bool
count_nonzero nonzero: biufc -> int64
unique_values flip roll reshape permute_dims matrix_transpose squeeze expand_dims moveaxis tile: biufc -> same
repeat take take_along_axis unstack tril triu broadcast_to zeros_like ones_like empty_like full_like: biufc -> same
diff: iufc -> same
searchsorted: iuf -> int64
isin: iufb -> bool
matmul tensordot vecdot: iufc -> same
concat stack: biufc -> same
linalg.cholesky linalg.det linalg.inv linalg.matrix_power linalg.solve linalg.pinv linalg.qr: fc -> same
linalg.cross linalg.outer linalg.matmul linalg.tensordot linalg.vecdot: iufc -> same
linalg.diagonal linalg.matrix_transpose: biufc -> same
linalg.trace: iufc -> sum
linalg.eigvalsh linalg.svdvals linalg.matrix_norm linalg.vector_norm: fc -> real
linalg.eig linalg.eigvals: fc -> complex
linalg.matrix_rank: fc -> int64
fft.fft fft.ifft fft.fftn fft.ifftn: fc -> complex
fft.rfft fft.rfftn fft.ihfft: f -> complex
fft.irfft fft.irfftn fft.hfft: c -> real
fft.fftshift fft.ifftshift: fc -> same
"""
# What the standard leaves open and is refused here, because it has no order or means nothing.
REFUSED = """
atan2 copysign hypot logaddexp nextafter signbit floor ceil trunc floor_divide remainder maximum minimum clip: c
less less_equal greater greater_equal max min argmax argmin sort argsort searchsorted: c
bitwise_and bitwise_or bitwise_xor bitwise_invert: fc
bitwise_left_shift bitwise_right_shift: bfc
add subtract multiply negative positive abs sign square ceil floor round trunc floor_divide remainder pow: b
imag: iuf
fft.rfft fft.rfftn fft.ihfft: c
"""
DTYPES = {
    "b": ["bool"],
    "i": ["int8", "int16", "int32", "int64"],
    "u": ["uint8", "uint16", "uint32", "uint64"],
    "f": ["float32", "float64"],
    "c": ["complex64", "complex128"],
}
ALL = list(itertools.chain(*DTYPES.values()))
REAL = {"complex64": "float32", "complex128": "float64"}
COMPLEX = {"float32": "complex64", "float64": "complex128"}
FUNCTIONS = namespace.functions()


def rows(text: str) -> Iterator[tuple[str, str, str]]:
    """(function, dtype, result) of a table."""
    for line in text.strip().splitlines():
        names, _, rest = line.partition(": ")
        kinds, _, result = rest.partition(" -> ")
        for name, kind in itertools.product(names.split(), kinds):
            yield from ((name, dtype, result) for dtype in DTYPES[kind])


def result_of(dtype: str, rule: str) -> str:
    if rule == "sum":
        return {"i": "int64", "u": "uint64"}.get(np.dtype(dtype).kind, dtype)
    names = {"same": dtype, "real": REAL.get(dtype, dtype), "complex": COMPLEX.get(dtype, dtype)}
    return names.get(rule, rule)


def called(name: str, dtype: str) -> Any:
    """A function with operands of a dtype."""

    def converted(value: Any) -> Any:
        if isinstance(value, list):
            return [converted(each) for each in value]
        return ps.astype(value, getattr(ps, dtype)) if isinstance(value, ps.Array) else value

    given, kinds = namespace.right(name, FUNCTIONS[name])
    given = {key: value if key in ("indices", "condition") else converted(value) for key, value in given.items()}
    return namespace.call(FUNCTIONS[name], kinds, given)


@pytest.mark.parametrize(("name", "dtype", "rule"), list(rows(ROWS)))
def test_results(name: str, dtype: str, rule: str) -> None:
    result = called(name, dtype)
    for each in result if isinstance(result, tuple) else [result]:
        assert each.dtype == result_of(dtype, rule)
        assert np.asarray(each).dtype == result_of(dtype, rule)


@pytest.mark.parametrize(("name", "dtype", "_"), list(rows(REFUSED)))
def test_refusals(name: str, dtype: str, _: str) -> None:
    with pytest.raises(TypeError) as caught:
        called(name, dtype)
    assert dtype in str(caught.value)


def test_every_function_of_arrays_has_its_row() -> None:
    named = {name for name, *_ in rows(ROWS)}
    elsewhere = {
        "arange", "asarray", "astype", "broadcast_arrays", "broadcast_shapes", "can_cast", "empty", "eye", "finfo",
        "from_dlpack", "full", "iinfo", "isdtype", "linspace", "meshgrid", "ones", "result_type", "unique_all",
        "unique_counts", "unique_inverse", "where", "zeros",
    }  # fmt: skip
    import test_standard_names

    standard = {f"{prefix}{name}" for _, prefix, name, _ in test_standard_names.CASES if prefix in ("", "linalg.")}
    assert standard - named - elsewhere == {"linalg.eigh", "linalg.slogdet", "linalg.svd"}  # of two dtypes, below


@pytest.mark.parametrize("dtype", ["float32", "float64", "complex64", "complex128"])
def test_decompositions_of_two_dtypes(dtype: str) -> None:
    real = REAL.get(dtype, dtype)
    assert [each.dtype for each in called("linalg.eigh", dtype)] == [real, dtype]
    assert [each.dtype for each in called("linalg.slogdet", dtype)] == [dtype, real]
    assert [each.dtype for each in called("linalg.svd", dtype)] == [dtype, real, dtype]


@pytest.mark.parametrize("dtype", ALL)
def test_unique(dtype: str) -> None:
    x = ps.asarray(np.array([1, 0, 1]).astype(dtype))
    assert [each.dtype for each in ps.unique_all(x)] == [dtype, "int64", "int64", "int64"]
    assert [each.dtype for each in ps.unique_counts(x)] == [dtype, "int64"]
    assert [each.dtype for each in ps.unique_inverse(x)] == [dtype, "int64"]


def promoted(a: str, b: str) -> str | None:
    """The standard's table; None where it has no entry."""
    kinds = {np.dtype(a).kind, np.dtype(b).kind}
    bits = {name: np.dtype(name).itemsize * 8 for name in (a, b)}
    if a == b:
        return a
    if len(kinds) == 1:
        return max(a, b, key=bits.get)  # type: ignore[arg-type]
    if kinds == {"i", "u"}:
        signed, unsigned = (a, b) if np.dtype(a).kind == "i" else (b, a)
        needed = max(bits[signed], 2 * bits[unsigned])
        return f"int{needed}" if needed <= 64 else None
    if kinds == {"f", "c"}:
        real, complex_ = (a, b) if np.dtype(a).kind == "f" else (b, a)
        return max(COMPLEX[real], complex_, key=lambda name: np.dtype(name).itemsize)
    return None


@pytest.mark.parametrize(("a", "b"), list(itertools.product(ALL, ALL)))
def test_promotion(a: str, b: str) -> None:
    want = promoted(a, b)
    if want is None:  # open in the standard: NumPy's
        want = np.promote_types(a, b).name
    assert ps.result_type(getattr(ps, a), getattr(ps, b)) == want
    assert ps.can_cast(getattr(ps, a), getattr(ps, want))
    x, y = ps.ones(3, dtype=getattr(ps, a)), ps.ones((2, 1), dtype=getattr(ps, b))
    assert ps.where(x == 1, x, y).dtype == want
    assert ps.concat([x, ps.reshape(y, (2,))]).dtype == want
    if want != "bool":
        assert (x + y).dtype == want
        assert ps.multiply(y, x).dtype == want


@pytest.mark.parametrize(("number", "dtype"), list(itertools.product([True, 7, 2.5, 1j], ALL)))
def test_python_numbers(number: complex, dtype: str) -> None:
    kind = np.dtype(dtype).kind
    x = ps.ones(2, dtype=getattr(ps, dtype))
    fits = {bool: "b", int: "iufc", float: "fc", complex: "fc"}[type(number)]
    if kind not in fits:
        return  # open in the standard
    want = COMPLEX.get(dtype, dtype) if isinstance(number, complex) else dtype
    for result in (ps.where(x == x, x, number), ps.where(x == x, number, x)):
        assert result.dtype == want
    assert ps.result_type(x, number) == want
    if kind != "b":
        assert (x * number).dtype == want
        assert (number + x).dtype == want
        assert ps.add(number, x).dtype == want


def test_defaults_of_creation() -> None:
    assert [ps.asarray(each).dtype for each in (True, 1, 1.0, 1j)] == ["bool", "int64", "float64", "complex128"]
    assert [ps.full(2, each).dtype for each in (True, 1, 1.0, 1j)] == ["bool", "int64", "float64", "complex128"]
    assert [ps.arange(each).dtype for each in (3, 3.0)] == ["int64", "float64"]
    assert [ps.linspace(0, each, 3).dtype for each in (1, 1.0, 1j)] == ["float64", "float64", "complex128"]
    for made in (ps.zeros(2), ps.ones(2), ps.empty(2), ps.eye(2), ps.fft.fftfreq(3), ps.fft.rfftfreq(3)):
        assert made.dtype == "float64"


@pytest.mark.parametrize("dtype", ALL)
def test_creation_of_every_dtype(dtype: str) -> None:
    wanted = getattr(ps, dtype)
    for made in (ps.zeros((2, 2), dtype=wanted), ps.ones(2, dtype=wanted), ps.eye(2, dtype=wanted)):
        assert made.dtype == dtype
    assert ps.full(2, 1, dtype=wanted).dtype == dtype
    assert ps.asarray([1, 0], dtype=wanted).dtype == dtype
    if dtype != "bool":
        assert ps.arange(3, dtype=wanted).dtype == dtype


@pytest.mark.parametrize("dtype", ALL)
def test_kinds(dtype: str) -> None:
    names = {"b": "bool", "i": "signed integer", "u": "unsigned integer", "f": "real floating", "c": "complex floating"}
    kind = np.dtype(dtype).kind
    for letter, name in names.items():
        assert ps.isdtype(getattr(ps, dtype), name) == (letter == kind)
    assert ps.isdtype(getattr(ps, dtype), "integral") == (kind in "iu")
    assert ps.isdtype(getattr(ps, dtype), "numeric") == (kind != "b")
    assert ps.isdtype(getattr(ps, dtype), ("bool", ps.int8)) == (dtype in ("bool", "int8"))
