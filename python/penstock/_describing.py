# SPDX-License-Identifier: Apache-2.0
"""Docstrings of functions that say the same of an argument: what several of them say is written once."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, TypeVar

Function = TypeVar("Function", bound=Callable[..., Any])

OUT = """``out``: an array or a NumPy array of the result's shape, which takes it, converted within its kind, and is
    returned."""
AXES = "Shapes: any; the axes go, with keepdims they stay as axes of extent 1."


def described(**parts: str) -> Callable[[Function], Function]:
    """Puts texts where a docstring has their names in braces, without the indentation of the code: compilers from
    Python 3.13 on leave it out of docstrings too."""
    texts = {name: inspect.cleandoc(text) for name, text in {"OUT": OUT, "AXES": AXES, **parts}.items()}

    def filled(function: Function) -> Function:
        if function.__doc__ is not None:  # python -OO has none
            function.__doc__ = inspect.cleandoc(function.__doc__).format(**texts)
        return function

    return filled
