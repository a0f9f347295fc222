# SPDX-License-Identifier: Apache-2.0
"""MODULE:FUNCTION, as a user names what is to be run."""

from __future__ import annotations

import difflib
import importlib
import os
import re
import traceback
from collections.abc import Callable
from typing import Any

TARGET = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_][\w.]*")
_PACKAGE = os.path.join("penstock", "lab", "")


class Wrong(Exception):
    """Something about the target, in words that follow its name."""


def is_target(text: str) -> bool:
    """Whether ``text`` is MODULE:FUNCTION."""
    return TARGET.fullmatch(text) is not None


def found(target: str) -> Callable[..., Any]:
    """The function of MODULE:FUNCTION. Raises Wrong with the reason when there is none."""
    if not is_target(target):
        raise Wrong("is no MODULE:FUNCTION, such as sim:run")
    module_name, _, name = target.partition(":")
    try:
        module = importlib.import_module(module_name)
    except (Exception, SystemExit) as error:
        raise Wrong(f"cannot be imported from {os.getcwd()}: {told(error)}") from None
    function: Any = module
    for part in name.split("."):
        if not hasattr(function, part):
            close = difflib.get_close_matches(part, dir(function), n=1)
            hint = f"; did you mean '{module_name}:{name.replace(part, close[0])}'?" if close else ""
            raise Wrong(f"does not exist: {getattr(module, '__file__', module_name)} has no '{name}'{hint}")
        function = getattr(function, part)
    if not callable(function):
        raise Wrong(f"is of type {type(function).__name__} and cannot be called")
    return function  # type: ignore[no-any-return]


def told(error: BaseException) -> str:
    """An exception, and the user's line that raised it."""
    frames = [each for each in traceback.extract_tb(error.__traceback__) if _is_users(each.filename)]
    where = f" ({frames[-1].filename}:{frames[-1].lineno})" if frames else ""
    return f"{type(error).__name__}: {error}{where}"


def _is_users(file: str) -> bool:
    return not file.startswith("<") and "importlib" not in file and _PACKAGE not in file
