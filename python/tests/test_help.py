# SPDX-License-Identifier: Apache-2.0
"""What help() says: every public function and method names shapes, dtypes, errors, and the section of the standard that
defines it. That the errors are those that it raises, test_standard_bad_input.py looks at."""

from __future__ import annotations

import builtins
import inspect
import re
from typing import Any

import namespace
import numpy as np
import pytest
import test_standard_names as standard

import penstock as ps
import penstock.fft
import penstock.linalg
from penstock import random
from penstock._describing import described

STANDARD = "Array API standard 2025.12: {}, {}."
NUMPY = "Beyond the standard: NumPy's {}."
OWN = "Beyond the standard."
GENERATOR = [name for name, _ in inspect.getmembers(random.Generator) if not name.startswith("_")]
# What Python, NumPy and notebooks call on their own.
PROTOCOLS = (
    "__array__", "__array_function__", "__array_ufunc__", "__contains__", "__copy__", "__dask_tokenize__",
    "__deepcopy__", "__divmod__", "__format__", "__iter__", "__len__", "__rdivmod__", "__reduce_ex__", "__repr__",
    "_repr_html_", "_repr_inline_",
)  # fmt: skip
# What the class has of the binding library, and what is no method.
UNSAID = {"__array_priority__", "__doc__", "__hash__", "__init__", "__module__", "__new__", "__weakref__"}
CLASSES = {
    ps.Array: "Array API standard 2025.12: array_object.",
    type(ps.float32): "Array API standard 2025.12: data_types.",
    type(ps.__array_namespace_info__()): STANDARD.format("inspection", "__array_namespace_info__"),
    type(ps.finfo(ps.float32)): STANDARD.format("data_type_functions", "finfo"),
    type(ps.iinfo(ps.int8)): STANDARD.format("data_type_functions", "iinfo"),
    **{
        type(getattr(ps, name)(ps.asarray(1))): STANDARD.format("set_functions", name)
        for name in ("unique_all", "unique_counts", "unique_inverse")
    },
    random.Generator: NUMPY.format("Generator"),
    type(ps.plan()): OWN,
    **{each: OWN for each in vars(ps.errors).values() if isinstance(each, type)},
}
# What gives or takes no arrays.
NO_SHAPES = {
    "__array_namespace_info__", "can_cast", "dtype", "finfo", "iinfo", "isdtype", "promote_types",
    "Array.__array_namespace__", "Array.__dlpack_device__", "Array.sources", "Array.to_device",
    "Generator.advance", "Generator.bytes", "Generator.spawn", "random.default_rng",
}  # fmt: skip
NO_DTYPES = NO_SHAPES - {"can_cast", "dtype", "finfo", "iinfo", "isdtype", "promote_types"}
# Names of NumPy's for something else.
OTHERWISE = {"dtype", "save", "show_config", "trace"}
RAISES_NOTHING = {
    "__array_namespace_info__", "Array.__copy__", "Array.__dlpack_device__", "Array.__repr__", "Array.ravel",
    "Array.sources",
}  # fmt: skip


def sections() -> dict[str, str]:
    """The section of each name of the standard, by the name as test_standard_names has it."""
    found = {name: section for section, calls in standard.BY_SECTION.items() for name, _ in calls}
    found |= {f"linalg.{name}": "linalg" for name, _ in standard.calls(standard.LINALG)}
    found |= {f"fft.{name}": "fft" for name, _ in standard.calls(standard.FFT)}
    found |= {f"info.{name}": "inspection" for name, _ in standard.calls(standard.INFO)}
    found["__array_namespace_info__"] = "inspection"
    of_array = [*(name for name, _ in standard.OF_ARRAY), *standard.PROPERTIES.split(), "__rmatmul__", "__imatmul__"]
    return found | {f"Array.{name}": "array_object" for name in of_array}


SECTIONS = sections()


def _is_namesake(name: str, each: Any) -> bool:
    """Whether a function of the namespace has the same docstring, but for the signature."""
    bare = name.rpartition(".")[2]
    other = getattr(ps, bare, None) if bare in ps.__all__ and bare != name else None
    return other is not None and (other.__doc__ or "").partition("\n")[2] == (each.__doc__ or "").partition("\n")[2]


def documented() -> dict[str, Any]:
    """Everything public that has a docstring of its own, by its name."""
    found = {name: getattr(ps, name) for name in ps.__all__}
    found = {name: each for name, each in found.items() if callable(each) and not isinstance(each, type)}
    found |= {f"linalg.{name}": getattr(penstock.linalg, name) for name in penstock.linalg.__all__}
    found |= {f"fft.{name}": getattr(penstock.fft, name) for name in penstock.fft.__all__}
    info = ps.__array_namespace_info__()
    found |= {f"info.{name}": getattr(info, name) for name, _ in standard.calls(standard.INFO)}
    found["random.default_rng"] = random.default_rng
    found |= {f"Generator.{name}": getattr(random.Generator, name) for name in GENERATOR}
    of_array = [name for name in vars(ps.Array) if not name.startswith("_") or f"Array.{name}" in SECTIONS]
    found |= {f"Array.{name}": getattr(ps.Array, name) for name in (*of_array, *PROTOCOLS)}
    return {name: each for name, each in found.items() if not _is_namesake(name, each)}


DOCUMENTED = documented()
SPACES = {"linalg": np.linalg, "random": np.random, "Generator": np.random.Generator, "Array": np.ndarray}


def origin(name: str) -> str:
    """The last line of a docstring."""
    space, _, bare = name.rpartition(".")
    if name in SECTIONS:
        return STANDARD.format(SECTIONS[name], bare)
    return NUMPY.format(bare) if hasattr(SPACES.get(space, np), bare) and bare not in OTHERWISE else OWN


def text_of(name: str) -> str:
    return (DOCUMENTED[name].__doc__ or "").strip()


def part(name: str, label: str) -> bool:
    return re.search(rf"(?m)^ *{label}", text_of(name)) is not None


FUNCTIONS = sorted(
    {*namespace.functions(), *(name for name in DOCUMENTED if name.startswith(("Generator.", "random.")))}
    & {name for name, each in DOCUMENTED.items() if not isinstance(each, property)}
)


@pytest.mark.parametrize("name", DOCUMENTED)
def test_the_last_line_says_where_it_is_defined(name: str) -> None:
    assert text_of(name).rpartition("\n")[2].strip() == origin(name)


def test_texts_that_several_have_are_not_indented() -> None:
    # Compilers from Python 3.13 on leave the indentation of the code out of docstrings, which then had only some lines
    # of the texts put into them indented.
    for each in (ps.nansum, ps.nanmin, ps.ptp, ps.quantile, ps.nanpercentile, ps.median):
        assert re.findall(r"(?m)^ .*", each.__doc__ or "") == []

    def sample() -> None:
        pass

    sample.__doc__ = "First.\n\n{OUT}\n\n{OWN}\nLast."
    described(OWN="one\n    two")(sample)
    lines = (sample.__doc__ or "").splitlines()
    assert lines[0] == "First."
    assert lines[-3:] == ["one", "two", "Last."]
    assert all(line == line.strip() for line in lines)


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
def test_classes_say_where_they_are_defined(cls: type) -> None:
    assert (cls.__doc__ or "").strip().rpartition("\n")[2].strip().endswith(CLASSES[cls])


def test_every_method_of_arrays_is_looked_at() -> None:
    names = {name for name in vars(ps.Array) if f"Array.{name}" not in DOCUMENTED and name not in UNSAID}
    assert {name for name in names if not _is_namesake(f"Array.{name}", getattr(ps.Array, name))} == set()


@pytest.mark.parametrize("name", FUNCTIONS)
def test_shapes_dtypes_and_errors_are_said(name: str) -> None:
    assert part(name, "Shapes: ") != (name in NO_SHAPES)
    assert part(name, "Dtypes: ") != (name in NO_DTYPES)
    assert part(name, "Raises ") != (name in RAISES_NOTHING)


@pytest.mark.parametrize("name", DOCUMENTED)
def test_errors_have_the_names_that_they_have(name: str) -> None:
    there = {*vars(ps.errors), *vars(builtins), "LinAlgError"}
    assert {*re.findall(r"\b[A-Z]\w*Error\b", text_of(name))} <= there


# Which kinds of dtypes a line "Dtypes: ..." takes by how it begins: b, i, f and c as NumPy has them.
TAKEN = {
    "any": "bifc", "all but complex ones": "bif", "all but bool": "ifc", "bool and integers": "bi", "integers": "i",
    "integers and floats": "if", "floats; integers and bool": "bif", "floats and complex ones": "bifc",
    "complex ones": "c", "integers and bool": "bi",
}  # fmt: skip
GIVEN = {"the result is bool": "b", "the result is int64": "i", "the result is real": "f", "the result is complex": "c"}
KINDS = {"b": "bool", "i": "int32", "f": "float32", "c": "complex64"}
OPERANDS = {"x", "x1", "x2", "a", "b", "m", "v", "y", "self", "other", "arrays", "array", "obj", "a1", "a2"}
# What is assigned, or computed in place, has the dtype of the array.
NOT_BY_DTYPE = {"Array.__imatmul__", "Array.__setitem__"}


def _dtypes_line(name: str) -> str:
    found = re.search(r"(?ms)^ *Dtypes: (.*?)^ *(?:Raises|Array API|Beyond)", text_of(name))
    return " ".join(found[1].split()) if found else ""


def _of_kind(value: Any, kind: str) -> Any:
    """Arrays of this kind; of bool the diagonal of namespace.MATRIX, which has an inverse."""
    if isinstance(value, list):
        return [_of_kind(each, kind) for each in value]
    real = ps.real(value) if value.dtype == ps.complex128 else value
    return ps.greater(real, 2) if kind == "b" else ps.astype(real, KINDS[kind])


def _is_arrays(value: Any) -> bool:
    return isinstance(value, ps.Array) or (
        isinstance(value, list) and all(isinstance(each, ps.Array) for each in value)
    )


def of_operands() -> list[str]:
    """The functions whose right arguments have arrays that may be of any dtype."""
    names = [name for name in namespace.functions() if name in FUNCTIONS and _dtypes_line(name)]
    names = [name for name in names if name not in NOT_BY_DTYPE]
    given = {name: namespace.right(name, DOCUMENTED[name])[0] for name in names}
    return [name for name in names if any(key in OPERANDS and _is_arrays(value) for key, value in given[name].items())]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", of_operands())
def test_the_dtypes_that_are_said_are_taken_and_given(name: str, kind: str) -> None:
    function, line = DOCUMENTED[name], _dtypes_line(name)
    begin = max((each for each in TAKEN if line.startswith(each)), key=len)
    given, parameters = namespace.right(name, function)
    given |= {key: _of_kind(value, kind) for key, value in given.items() if key in OPERANDS and _is_arrays(value)}
    if kind not in TAKEN[begin]:
        with pytest.raises(TypeError):
            namespace.call(function, parameters, given)
        return
    result = namespace.call(function, parameters, given)
    for said, wanted in GIVEN.items():
        assert said not in line or not isinstance(result, ps.Array) or result.dtype.kind == wanted
