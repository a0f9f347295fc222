# SPDX-License-Identifier: Apache-2.0
"""The calculations that are compared, as NumPy does them, and their inputs. Runs under each NumPy version."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

import numpy as np

Array = Any
CHAIN = "2*a + 3*b - 1/(c + 1)"


def values(n: int, seed: int = 0) -> Array:
    """n float32 in [0, 1) from a hash of the index: the same bits whatever the NumPy version."""
    bits = np.arange(n, dtype=np.uint32)
    bits += np.uint32(seed * 0x9E3779B9 & 0xFFFFFFFF)
    bits *= np.uint32(2654435761)
    bits ^= bits >> np.uint32(15)
    bits *= np.uint32(2246822519)
    bits >>= np.uint32(8)
    result = bits.astype(np.float32)
    result *= np.float32(2.0**-24)
    return result


def chain(a: Array, b: Array, c: Array) -> Array:
    return 2 * a + 3 * b - 1 / (c + 1)


def add(a: Array, b: Array) -> Array:
    return a + b


def total(a: Array) -> Array:
    return a.sum()


def mean(a: Array) -> Array:
    return a.mean()


def greatest(a: Array) -> Array:
    return a.max()


# The calculation and its number of operands.
CALCULATIONS: dict[str, tuple[Callable[..., Array], int]] = {
    "chain": (chain, 3),
    "add": (add, 2),
    "sum": (total, 1),
    "mean": (mean, 1),
    "max": (greatest, 1),
}

# Arithmetic of one element, as a roofline counts it: a division counts one.
OPERATIONS = {"chain": 6, "add": 1, "sum": 1, "mean": 1, "max": 1}


def inputs(calculation: str, n: int) -> list[Array]:
    """The operands of a calculation."""
    return [values(n, seed) for seed in range(CALCULATIONS[calculation][1])]


def digest(result: Array) -> dict[str, Any]:
    """A result as JSON can carry it: the hash of an array's bytes, a scalar as it is."""
    array = np.ascontiguousarray(result)
    if array.size == 1:
        return {"value": float(array.reshape(-1)[0])}
    return {"sha256": hashlib.sha256(array.data).hexdigest()}
