# SPDX-License-Identifier: Apache-2.0
"""What a target returns, as named arrays: to compare and to hash."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import numpy as np


def named_arrays(result: object, name: str = "result") -> dict[str, Any]:
    """The arrays in a result, by name: dictionaries by key, tuples by place, joined by dots; nothing for None.

    Numbers, texts and lists of numbers are arrays too. Raises TypeError for what NumPy can only hold as objects.
    """
    if result is None:
        return {}
    parts: dict[str, object] = {}
    if isinstance(result, Mapping):
        parts = {str(key): value for key, value in result.items()}
    elif isinstance(result, tuple) or (isinstance(result, list) and any(np.ndim(each) for each in result)):
        parts = {str(place): value for place, value in enumerate(result)}
    else:
        array = np.asarray(result)
        if array.dtype.hasobject:
            raise TypeError(f"{name} is of type {type(result).__name__}, which is no array or number; return arrays")
        return {name: array}
    found: dict[str, Any] = {}
    for key, value in parts.items():
        found |= named_arrays(value, key if name == "result" else f"{name}.{key}")
    return found


def digest(result: object) -> str:
    """A SHA-256 of names, dtypes, shapes and bits: equal only for equal outputs."""
    found = hashlib.sha256()
    for name, array in sorted(named_arrays(result).items()):
        found.update(f"{name} {array.dtype.str} {array.shape}\n".encode())
        found.update(np.ascontiguousarray(array).tobytes())
    return found.hexdigest()
