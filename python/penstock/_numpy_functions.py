# SPDX-License-Identifier: Apache-2.0
"""What NumPy's functions make of arrays: ``__array_function__``.

numpy.f(x) is penstock.f(x) wherever the namespace, ``linalg`` or ``fft`` has a function of that name, numpy.shape(x)
and its like are attributes and methods of the array; the table is made of these. Arguments are read by NumPy's
signature and passed on under the names that the function here has for them. What it has no name for is refused unless
it is NumPy's default.
"""

from __future__ import annotations

import ast
import builtins
import functools
import inspect
import operator
from collections.abc import Callable
from typing import Any, NamedTuple

from penstock import _core
from penstock._arguments import array
from penstock._core import Array

# NumPy's names of parameters that the standard calls otherwise.
_RENAMED = {"ddof": "correction", "a_min": "min", "a_max": "max", "file": "path", "arr": "array"}


class _Parameters(NamedTuple):
    """What a function of this namespace takes."""

    positional: tuple[str, ...]
    required: builtins.int  # of the positional ones
    named: frozenset[str]
    any_number: builtins.bool


def array_function(function: Callable[..., Any], types: Any, args: Any, kwargs: dict[str, Any]) -> Any:
    """What ``__array_function__`` returns: NotImplemented where classes take part that have a say of their own.

    Raises DTypeError (a TypeError) for functions without a counterpart and for arguments that it does not have.
    """
    import numpy

    for each in types:
        foreign = getattr(each, "__array_function__", None) is not numpy.ndarray.__array_function__
        if foreign and not issubclass(each, Array):
            return NotImplemented
    own = _table().get(function)
    if own is None:
        raise _core.errors.DTypeError(
            f"{_name(function)} has no counterpart in penstock; evaluate the array with numpy.asarray and call it on "
            "that, or write it with functions of penstock"
        )
    return _called(function, own, args, kwargs)


def _name(function: Any) -> str:
    return f"{getattr(function, '__module__', 'numpy')}.{getattr(function, '__name__', function)}"


@functools.cache
def _table() -> dict[Any, Callable[..., Any]]:
    """NumPy's functions and what they are here, from the names that both have."""
    import numpy

    from penstock import _api, _numpy_besides, _numpy_otherwise, fft, linalg

    found: dict[Any, Callable[..., Any]] = {}

    def put(theirs: Any, own: Any) -> None:
        if callable(theirs) and not isinstance(theirs, (type, numpy.ufunc)):
            found[theirs] = own

    spaces = ((numpy, _api), (numpy, linalg), (numpy.linalg, linalg), (numpy.fft, fft))
    for space, ours in spaces:
        for name in ours.__all__:
            own = getattr(ours, name)
            if callable(own) and not isinstance(own, type):
                put(getattr(space, name, None), own)
    for name in dir(Array):
        theirs = getattr(numpy, name, None)
        if not name.startswith("_") and theirs not in found:
            put(theirs, functools.partial(_attribute, name))
    for otherwise in (_numpy_otherwise, _numpy_besides):
        for name in otherwise.__all__:
            put(getattr(numpy, name, None), getattr(otherwise, name))
    for path, own in _numpy_besides.ELSEWHERE.items():
        put(operator.attrgetter(path)(numpy), own)
    return found


def _attribute(name: str, x: Any, *args: Any, **kwargs: Any) -> Any:
    found = getattr(array(x), name)
    return found(*args, **kwargs) if callable(found) else found


def _parameters(own: Callable[..., Any]) -> _Parameters:
    """What a function takes, of the extension's by the signature that its documentation begins with."""
    signatures = getattr(own, "__nb_signature__", None)
    if signatures is None:
        return _of_signature(inspect.signature(own))
    text = signatures[0][0]
    # Only names and the presence of defaults are of interest.
    tree = ast.parse(f"{text}: ...".replace("\\", "")).body[0]
    assert isinstance(tree, ast.FunctionDef)
    arguments = tree.args
    positional = tuple(each.arg for each in (*arguments.posonlyargs, *arguments.args))
    named = frozenset(each.arg for each in (*arguments.args, *arguments.kwonlyargs))
    return _Parameters(positional, len(positional) - len(arguments.defaults), named, arguments.vararg is not None)


def _of_signature(signature: inspect.Signature) -> _Parameters:
    parameters = signature.parameters.values()
    kinds = inspect.Parameter
    positional = [each for each in parameters if each.kind in (kinds.POSITIONAL_ONLY, kinds.POSITIONAL_OR_KEYWORD)]
    named = [each.name for each in parameters if each.kind in (kinds.POSITIONAL_OR_KEYWORD, kinds.KEYWORD_ONLY)]
    any_number = any(each.kind == kinds.VAR_POSITIONAL for each in parameters)
    required = sum(each.default is kinds.empty for each in positional)
    return _Parameters(tuple(each.name for each in positional), required, frozenset(named), any_number)


def _called(function: Any, own: Callable[..., Any], args: Any, kwargs: dict[str, Any]) -> Any:
    """``own`` with the arguments that NumPy's function was called with."""
    signature = inspect.signature(function)
    bound = signature.bind(*args, **kwargs).arguments
    takes = _of_partial(own)
    positional: list[Any] = []
    named: dict[str, Any] = {}
    out = bound.pop("out", None)
    for name, parameter in signature.parameters.items():
        if name not in bound:
            continue
        value = bound[name]
        if (value is None and parameter.default is None) or _says_nothing(name, parameter):
            continue
        here = name if name in takes.named else _RENAMED.get(name, name)
        missing = parameter.default is inspect.Parameter.empty
        if parameter.kind == inspect.Parameter.VAR_POSITIONAL:
            positional.extend(value)
        elif parameter.kind == inspect.Parameter.VAR_KEYWORD:
            named.update(value)
        elif missing or (len(positional) < takes.required and here not in takes.named):
            positional.append(value)
        elif here in takes.named:
            named[here] = value
        elif here in takes.positional[len(positional) :][:1] or (takes.any_number and not named):
            positional.append(value)
        elif not _is_default(value, parameter.default):
            raise _core.errors.DTypeError(
                f"{_name(function)} of Penstock arrays takes no {name}; there is "
                f"{', '.join((*takes.positional, *sorted(takes.named - {*takes.positional})))}"
            )
    if out is not None and "out" in takes.named:
        named["out"], out = out, None
    result = own(*positional, **named)
    return result if out is None else _core.store(result, out)


@functools.cache
def _of_partial(own: Callable[..., Any]) -> _Parameters:
    if isinstance(own, functools.partial):
        return _Parameters(("x",), 1, frozenset(), True)
    return _parameters(own)


def _says_nothing(name: str, parameter: inspect.Parameter) -> builtins.bool:
    """Whether a parameter is about memory, classes or algorithms, not about values: our sorts are stable anyway."""
    layout = name == "order" and parameter.default == "K"
    return layout or name in ("subok", "kind", "stable")


def _is_default(value: Any, default: Any) -> builtins.bool:
    if value is default:
        return True
    try:
        return builtins.bool(value == default)
    except (TypeError, ValueError):
        return False
