# SPDX-License-Identifier: Apache-2.0
"""The values that every side calculates with, and what a result looks like to others. Runs under each NumPy version."""

from __future__ import annotations

import hashlib
import math
from typing import Any

import numpy as np

Array = Any
CHAIN = "2*a + 3*b - 1/(c + 1)"
BLOCK = 1 << 22
PLACES = 4096


def values(n: int, seed: int = 0) -> Array:
    """n float32 in [0, 1) from a hash of the index: the same bits whatever the NumPy version.

    Beyond 2**22 the first ones come again in another order: hashing 1e8 of them would take longer than most rows.
    """
    if n <= BLOCK:
        return _hashed(n, seed)
    base, result = _hashed(BLOCK, seed), np.empty(n, np.float32)
    for number, start in enumerate(range(0, n, BLOCK)):
        part, shift = result[start : start + BLOCK], number * 4099 % BLOCK
        front = base[shift : shift + part.size]
        part[: front.size] = front
        part[front.size :] = base[: part.size - front.size]
    return result


def _hashed(n: int, seed: int) -> Array:
    bits = np.arange(n, dtype=np.uint32)
    bits += np.uint32(seed * 0x9E3779B9 & 0xFFFFFFFF)
    bits *= np.uint32(2654435761)
    bits ^= bits >> np.uint32(15)
    bits *= np.uint32(2246822519)
    bits >>= np.uint32(8)
    result = bits.astype(np.float32)
    result *= np.float32(2.0**-24)
    return result


def digest(result: Array) -> dict[str, Any]:
    """A result as JSON can carry it: its dtype, shape, the hash of its bytes, 4,096 of its values and their total.

    The total is a float64 sum of all elements; complex elements stand as two.
    """
    array = np.ascontiguousarray(result).reshape(np.shape(result))
    flat = array.reshape(-1)
    flat = flat.view(flat.real.dtype) if np.iscomplexobj(flat) else flat
    places = np.linspace(0, flat.size - 1, min(flat.size, PLACES)).astype(np.int64)
    return {
        "dtype": str(array.dtype),
        "shape": list(array.shape),
        "sha256": hashlib.sha256(array.data if array.size else b"").hexdigest(),
        "values": flat[places].astype(np.float64).tolist(),
        "total": float(flat.sum(dtype=np.float64)),
    }


def difference(found: dict[str, Any], expected: dict[str, Any], relative: float) -> str:
    """What is wrong with a result, given its digest; "" where nothing is. `relative` 0: its bits must be the same."""
    for what in ("shape", "dtype"):
        if found[what] != expected[what]:
            return f"{what} {found[what]}, not {expected[what]}"
    if found["sha256"] == expected["sha256"]:
        return ""
    if relative == 0:
        return "other bits"
    theirs, ours = (np.asarray(each["values"]) for each in (found, expected))
    greatest = np.abs(ours[np.isfinite(ours)]).max(initial=0.0)
    with np.errstate(invalid="ignore"):
        near = np.abs(theirs - ours) <= relative * greatest
    wrong = ~(near | np.isclose(theirs, ours, rtol=0, atol=0, equal_nan=True))
    if wrong.any():
        place = int(np.argmax(wrong))
        return f"{theirs[place]:.9g} instead of {ours[place]:.9g}, and {int(wrong.sum()) - 1} more such places"
    total, known = found["total"], expected["total"]
    if abs(total - known) > relative * greatest * math.prod(expected["shape"]) * 2:
        return f"a total of {total:.9g} instead of {known:.9g}"
    return ""
