# SPDX-License-Identifier: Apache-2.0
"""Results on standard output: whole when small, their corner when large."""

from __future__ import annotations

import json
import math
import sys
from typing import Any

from penstock.progress import size_text

MAX_PRINTED = 1000
_CORNER = 6


def corner_index(shape: tuple[int, ...]) -> tuple[slice, ...]:
    """The slices of the first few elements along each axis: six along the last two, one along those before."""
    lead = max(0, len(shape) - 2)
    return tuple(slice(0, 1 if axis < lead else _CORNER) for axis in range(len(shape)))


def describe(array: Any) -> str:
    """``float32 (1000, 512), 2.0 MiB``."""
    shape = "(" + ", ".join(str(each) for each in array.shape) + ("," if array.ndim == 1 else "") + ")"
    return f"{array.dtype} {shape}, {size_text(array.nbytes)}"


def as_text(array: Any) -> str:
    """Every digit that tells a value from its neighbours; the corner alone above a thousand elements."""
    import numpy as np

    if array.size <= MAX_PRINTED:
        return _numbers(np.asarray(array))
    first = _numbers(np.asarray(array[corner_index(array.shape)]))
    return f"{describe(array)}; its first corner:\n{first}\n..."


def as_json(array: Any) -> dict[str, Any]:
    """``dtype``, ``shape`` and ``value``; of a large array ``corner`` in place of ``value``."""
    fields: dict[str, Any] = {"dtype": str(array.dtype), "shape": list(array.shape), "nbytes": array.nbytes}
    if array.size <= MAX_PRINTED:
        return fields | {"value": plain(array.tolist())}
    return fields | {"corner": plain(array[corner_index(array.shape)].tolist())}


def plain(value: Any) -> Any:
    """``value`` as JSON can hold it: complex numbers as pairs, what is not finite as text."""
    if isinstance(value, dict):
        return {str(key): plain(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(each) for each in value]
    if isinstance(value, complex):
        return [plain(value.real), plain(value.imag)]
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    return value if value is None or isinstance(value, (bool, int, float, str)) else str(value)


def write_json(fields: dict[str, Any]) -> None:
    """One JSON object on standard output."""
    json.dump(fields, sys.stdout, indent=2, allow_nan=False)
    sys.stdout.write("\n")


def _numbers(values: Any) -> str:
    import numpy as np

    if values.ndim == 0:
        return str(values[()])
    return np.array2string(values, threshold=sys.maxsize, floatmode="unique", separator=" ")
