# SPDX-License-Identifier: Apache-2.0
"""Signatures of the extension's functions as inspect.signature() gives them, of the text in the type stubs; and what is
said of calls that do not fit them."""

from __future__ import annotations

import ast
import inspect
from inspect import Parameter, Signature
from typing import Any

from penstock import _core
from penstock._arguments import shown


def signature_of(function: Any, bound: bool) -> Signature:
    """The signature, annotations as text; without the first parameter where that is ``bound`` already.

    Raises AttributeError for functions of several signatures, as of objects that have none.
    """
    (text, _, values), *others = function.__nb_signature__
    if others:
        raise AttributeError("__signature__")
    for i, value in enumerate(values or ()):  # those that the text leaves out
        text = text.replace(f"\\{i}", repr(value))
    (made,) = ast.parse(f"{text}: ...").body
    assert isinstance(made, ast.FunctionDef)
    parameters = list(_parameters(made.args))
    annotation = Signature.empty if made.returns is None else ast.unparse(made.returns)
    return Signature(parameters[1:] if bound else parameters, return_annotation=annotation)


# What the binding library converts by itself, by the annotations that it is told by.
_TAKES: dict[str, tuple[tuple[type, ...], str]] = {
    "builtins.bool": ((bool,), "True or False"),
    "int": ((int,), "an integer of 64 bits"),
    "float": ((int, float), "a number"),
    "str": ((str,), "a text"),
    "Array": ((_core.Array,), "a Penstock array"),
}


def refusal(function: Any, arguments: tuple[Any, ...], named: dict[str, Any]) -> Exception | None:
    """The error of a call that the binding library refused: TypeError, as Python's own, of one that has no such
    signature, DTypeError for an argument of another type. None where nothing is found."""
    name, signature = function.__name__, signature_of(function, False)
    method = "self" in signature.parameters
    try:
        bound = signature.bind(*arguments, **named)
    except TypeError as error:
        listed = [each for each in signature.parameters.values() if each.name != "self"]
        plain = Signature([each.replace(annotation=Parameter.empty) for each in listed])
        return TypeError(f"{'Array.' if method else ''}{name}{plain}: {error}")
    for key, value in bound.arguments.items():
        if isinstance(value, _core.Array):
            try:
                _ = value.ndim
            except _core.errors.DTypeError as error:  # it has no value yet
                return error
        wanted, _, rest = str(signature.parameters[key].annotation).partition(" | ")
        kinds, text = _TAKES.get(wanted, ((object,), ""))
        if not isinstance(value, kinds) and not (value is None and rest == "None"):
            return _core.errors.DTypeError(f"{key} of {name} is {shown(value)}; it takes {text}")
    return None


def _parameters(arguments: ast.arguments) -> Any:
    plain = [*arguments.posonlyargs, *arguments.args]
    defaults = [None] * (len(plain) - len(arguments.defaults)) + list(arguments.defaults)
    for i, (each, default) in enumerate(zip(plain, defaults, strict=True)):
        kind = Parameter.POSITIONAL_ONLY if i < len(arguments.posonlyargs) else Parameter.POSITIONAL_OR_KEYWORD
        yield _parameter(each, kind, default)
    if arguments.vararg is not None:
        yield _parameter(arguments.vararg, Parameter.VAR_POSITIONAL, None)
    for each, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
        yield _parameter(each, Parameter.KEYWORD_ONLY, default)
    if arguments.kwarg is not None:
        yield _parameter(arguments.kwarg, Parameter.VAR_KEYWORD, None)


def _parameter(each: ast.arg, kind: Any, default: ast.expr | None) -> Parameter:
    return Parameter(
        each.arg,
        kind,
        default=inspect.Parameter.empty if default is None else ast.literal_eval(default),
        annotation=inspect.Parameter.empty if each.annotation is None else ast.unparse(each.annotation),
    )
