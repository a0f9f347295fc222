# SPDX-License-Identifier: Apache-2.0
"""Signatures of the extension's functions as inspect.signature() gives them: of the text in the type stubs."""

from __future__ import annotations

import ast
import inspect
from inspect import Parameter, Signature
from typing import Any


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
