# SPDX-License-Identifier: Apache-2.0
"""The names of the array API standard 2025.12, and how each is called: all are there and take those calls."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from inspect import Parameter
from typing import Any

import numpy as np
import pytest

import penstock as ps
import penstock.fft
import penstock.linalg

# name(parameters), with the defaults of the standard; functions of x, and of x1 and x2, by their names.
OF_X = """
abs acos acosh asin asinh atan atanh bitwise_invert ceil conj cos cosh exp expm1 floor imag isfinite isinf isnan log
log10 log1p log2 logical_not negative positive real reciprocal round sign signbit sin sinh sqrt square tan tanh trunc
"""
OF_X1_AND_X2 = """
add atan2 bitwise_and bitwise_left_shift bitwise_or bitwise_right_shift bitwise_xor copysign divide equal floor_divide
greater greater_equal hypot less less_equal logaddexp logical_and logical_or logical_xor maximum minimum multiply
nextafter not_equal pow remainder subtract
"""
# By the section of the standard.
FUNCTIONS = {
    "creation_functions": """
arange(start, /, stop=None, step=1, *, dtype=None, device=None);
asarray(obj, /, *, dtype=None, device=None, copy=None); empty(shape, *, dtype=None, device=None);
empty_like(x, /, *, dtype=None, device=None); eye(n_rows, n_cols=None, /, *, k=0, dtype=None, device=None);
from_dlpack(x, /, *, device=None, copy=None); full(shape, fill_value, *, dtype=None, device=None);
full_like(x, /, fill_value, *, dtype=None, device=None);
linspace(start, stop, /, num, *, dtype=None, device=None, endpoint=True); meshgrid(*arrays, indexing='xy');
ones(shape, *, dtype=None, device=None); ones_like(x, /, *, dtype=None, device=None); tril(x, /, *, k=0);
triu(x, /, *, k=0); zeros(shape, *, dtype=None, device=None); zeros_like(x, /, *, dtype=None, device=None)
""",
    "data_type_functions": """
astype(x, dtype, /, *, copy=True, device=None); can_cast(from_, to, /); finfo(type, /); iinfo(type, /);
isdtype(dtype, kind); result_type(*arrays_and_dtypes)
""",
    "elementwise_functions": """
clip(x, /, min=None, max=None)
""",
    "indexing_functions": """
take(x, indices, /, *, axis=None); take_along_axis(x, indices, /, *, axis=-1)
""",
    "linear_algebra_functions": """
matmul(x1, x2, /); matrix_transpose(x, /); tensordot(x1, x2, /, *, axes=2); vecdot(x1, x2, /, *, axis=-1)
""",
    "manipulation_functions": """
broadcast_arrays(*arrays); broadcast_shapes(*shapes); broadcast_to(x, /, shape); concat(arrays, /, *, axis=0);
expand_dims(x, /, axis); flip(x, /, *, axis=None); moveaxis(x, source, destination, /); permute_dims(x, /, axes);
repeat(x, repeats, /, *, axis=None); reshape(x, /, shape, *, copy=None); roll(x, /, shift, *, axis=None);
squeeze(x, /, axis); stack(arrays, /, *, axis=0); tile(x, repetitions, /); unstack(x, /, *, axis=0)
""",
    "searching_functions": """
argmax(x, /, *, axis=None, keepdims=False); argmin(x, /, *, axis=None, keepdims=False);
count_nonzero(x, /, *, axis=None, keepdims=False); nonzero(x, /);
searchsorted(x1, x2, /, *, side='left', sorter=None); where(condition, x1, x2, /)
""",
    "set_functions": """
isin(x1, x2, /, *, invert=False); unique_all(x, /); unique_counts(x, /); unique_inverse(x, /); unique_values(x, /)
""",
    "sorting_functions": """
argsort(x, /, *, axis=-1, descending=False, stable=True); sort(x, /, *, axis=-1, descending=False, stable=True)
""",
    "statistical_functions": """
cumulative_prod(x, /, *, axis=None, dtype=None, include_initial=False);
cumulative_sum(x, /, *, axis=None, dtype=None, include_initial=False); max(x, /, *, axis=None, keepdims=False);
mean(x, /, *, axis=None, keepdims=False); min(x, /, *, axis=None, keepdims=False);
prod(x, /, *, axis=None, dtype=None, keepdims=False); std(x, /, *, axis=None, correction=0.0, keepdims=False);
sum(x, /, *, axis=None, dtype=None, keepdims=False); var(x, /, *, axis=None, correction=0.0, keepdims=False)
""",
    "utility_functions": """
all(x, /, *, axis=None, keepdims=False); any(x, /, *, axis=None, keepdims=False);
diff(x, /, *, axis=-1, n=1, prepend=None, append=None)
""",
}
LINALG = """
cholesky(x, /, *, upper=False); cross(x1, x2, /, *, axis=-1); det(x, /); diagonal(x, /, *, offset=0); eig(x, /);
eigh(x, /); eigvals(x, /); eigvalsh(x, /); inv(x, /); matmul(x1, x2, /);
matrix_norm(x, /, *, keepdims=False, ord='fro'); matrix_power(x, n, /); matrix_rank(x, /, *, rtol=None);
matrix_transpose(x, /); outer(x1, x2, /); pinv(x, /, *, rtol=None); qr(x, /, *, mode='reduced'); slogdet(x, /);
solve(x1, x2, /); svd(x, /, *, full_matrices=True); svdvals(x, /); tensordot(x1, x2, /, *, axes=2);
trace(x, /, *, offset=0, dtype=None); vecdot(x1, x2, /, *, axis=-1);
vector_norm(x, /, *, axis=None, keepdims=False, ord=2)
"""
FFT = """
fft(x, /, *, n=None, axis=-1, norm='backward'); fftfreq(n, /, *, d=1.0, dtype=None, device=None);
fftn(x, /, *, s=None, axes=None, norm='backward'); fftshift(x, /, *, axes=None);
hfft(x, /, *, n=None, axis=-1, norm='backward'); ifft(x, /, *, n=None, axis=-1, norm='backward');
ifftn(x, /, *, s=None, axes=None, norm='backward'); ifftshift(x, /, *, axes=None);
ihfft(x, /, *, n=None, axis=-1, norm='backward'); irfft(x, /, *, n=None, axis=-1, norm='backward');
irfftn(x, /, *, s=None, axes=None, norm='backward'); rfft(x, /, *, n=None, axis=-1, norm='backward');
rfftfreq(n, /, *, d=1.0, dtype=None, device=None); rfftn(x, /, *, s=None, axes=None, norm='backward')
"""
INFO = """
capabilities(); default_device(); default_dtypes(*, device=None); devices(); dtypes(*, device=None, kind=None)
"""
OF_SELF = """
__abs__ __bool__ __complex__ __dlpack_device__ __float__ __index__ __int__ __invert__ __neg__ __pos__
"""
OF_SELF_AND_OTHER = """
__add__ __and__ __eq__ __floordiv__ __ge__ __gt__ __le__ __lshift__ __lt__ __matmul__ __mod__ __mul__ __ne__ __or__
__pow__ __rshift__ __sub__ __truediv__ __xor__
"""
METHODS = """
__array_namespace__(self, /, *, api_version=None);
__dlpack__(self, /, *, stream=None, max_version=None, dl_device=None, copy=None); __getitem__(self, key, /);
__setitem__(self, key, value, /); to_device(self, device, /, *, stream=None)
"""
IN_PLACE = "add and floordiv lshift matmul mod mul or pow rshift sub truediv xor"
CONSTANTS = {"e": np.e, "inf": np.inf, "nan": np.nan, "newaxis": None, "pi": np.pi}
DTYPES = "bool int8 int16 int32 int64 uint8 uint16 uint32 uint64 float32 float64 complex64 complex128"
PROPERTIES = "T device dtype mT ndim shape size"


def calls(text: str) -> Iterator[tuple[str, str]]:
    """(name, parameters) of each call of a table."""
    for call in text.replace("\n", " ").strip().split("; "):
        name, _, parameters = call.rstrip(";").partition("(")
        yield name.strip(), parameters.removesuffix(")")


def named(text: str, parameters: str) -> list[tuple[str, str]]:
    return [(name, parameters) for name in text.split()]


BY_SECTION = {section: list(calls(text)) for section, text in FUNCTIONS.items()}
BY_SECTION["elementwise_functions"] += [*named(OF_X, "x, /"), *named(OF_X1_AND_X2, "x1, x2, /")]
OF_NAMESPACE = [call for section in BY_SECTION.values() for call in section]
OF_ARRAY = [
    *named(OF_SELF, "self, /"),
    *named(OF_SELF_AND_OTHER, "self, other, /"),
    *calls(METHODS),
    *((f"__{kind}{name}__", "self, other, /") for kind in "ir" for name in IN_PLACE.split()),
]
CASES = [
    *((ps, "", *each) for each in OF_NAMESPACE),
    *((penstock.linalg, "linalg.", *each) for each in calls(LINALG)),
    *((penstock.fft, "fft.", *each) for each in calls(FFT)),
    *((ps.Array, "Array.", *each) for each in OF_ARRAY),
    *((ps.__array_namespace_info__(), "info.", *each) for each in calls(INFO)),
]


def wanted(parameters: str) -> list[Parameter]:
    """The parameters that a line of the standard names."""
    (made,) = ast.parse(f"def f({parameters}): ...").body
    names: dict[str, Any] = {}
    exec(compile(ast.Module([made], []), "standard", "exec"), names)
    return list(inspect.signature(names["f"]).parameters.values())


@pytest.mark.parametrize(("where", "prefix", "name", "parameters"), CASES, ids=lambda each: each if each else "")
def test_is_called_as_in_the_standard(where: Any, prefix: str, name: str, parameters: str) -> None:
    ours = list(inspect.signature(getattr(where, name)).parameters.values())
    by_name = {each.name: each for each in ours}
    theirs = wanted(parameters)
    for place, their in enumerate(theirs):
        if their.kind == Parameter.POSITIONAL_ONLY or their.kind == Parameter.VAR_POSITIONAL:
            our = ours[place]
            assert our.kind not in (Parameter.KEYWORD_ONLY, Parameter.VAR_KEYWORD), their
        elif their.kind == Parameter.POSITIONAL_OR_KEYWORD:
            our = ours[place]
            assert our.name == their.name
            assert our.kind == their.kind
        else:
            assert their.name in by_name, f"{prefix}{name} has no {their.name}"
            our = by_name[their.name]
            assert our.kind in (Parameter.KEYWORD_ONLY, Parameter.POSITIONAL_OR_KEYWORD)
        assert (our.default is Parameter.empty) <= (their.default is Parameter.empty), f"{their.name} needs a default"
        if their.default is not Parameter.empty:
            assert our.default == their.default
    required = [each for each in ours if each.default is Parameter.empty and each.kind != Parameter.VAR_POSITIONAL]
    assert len(required) <= len(theirs), "what the standard does not name is optional"


def test_how_many_there_are() -> None:
    assert len(OF_NAMESPACE) == len({name for name, _ in OF_NAMESPACE}) == 135
    assert len(list(calls(LINALG))) == 25
    assert len(list(calls(FFT))) == 14
    assert len(DTYPES.split()) == 13


def test_constants_dtypes_and_properties() -> None:
    for name, value in CONSTANTS.items():
        ours = getattr(ps, name)
        assert ours == value or (ours != ours and name == "nan")
    for name in DTYPES.split():
        assert getattr(ps, name) == np.dtype(name)
        assert getattr(ps, name) in ps.__array_namespace_info__().dtypes().values()
    x = ps.asarray(np.zeros((2, 3), np.float32))
    for name in PROPERTIES.split():
        assert getattr(x, name) is not None
    assert x.__array_namespace__() is ps


@pytest.mark.parametrize("version", ["2021.12", "2022.12", "2023.12", "2024.12", "2025.12"])
def test_versions(version: str) -> None:
    assert ps.asarray(1).__array_namespace__(api_version=version) is ps
    assert ps.__array_api_version__ == "2025.12"


def test_an_unknown_version_is_refused() -> None:
    with pytest.raises(ValueError, match="2031"):
        ps.asarray(1).__array_namespace__(api_version="2031.12")


def test_a_bound_method_has_no_self() -> None:
    assert list(inspect.signature(ps.asarray(1).reshape).parameters) == ["shape"]
    assert list(inspect.signature(ps.Array.reshape).parameters) == ["self", "shape"]
