# SPDX-License-Identifier: Apache-2.0
"""What a run gives back, as named NumPy arrays, and how far two of them are apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

Outputs = dict[str, "np.ndarray[Any, Any]"]


def named(value: object) -> Outputs:
    """A run's outputs by name: a mapping as it is, a tuple or list of arrays by position, anything else "result".

    Lazy arrays are computed here, so that a run is over once this returns. Raises TypeError for what is no number.
    """
    if isinstance(value, Mapping):
        parts = {str(name): each for name, each in value.items()}
    elif isinstance(value, tuple):
        parts = {str(position): each for position, each in enumerate(value)}
    else:
        parts = {"result": value}
    if not parts:
        raise TypeError("the run gave no output; return a dict of named arrays, such as {'positions': x}")
    if value is None:
        raise TypeError("the run returned None; return its outputs, such as {'positions': x}")
    outputs = {name: np.asarray(each) for name, each in parts.items()}
    for name, array in outputs.items():
        if array.dtype.kind not in "biufc":
            kind = type(parts[name]).__name__
            raise TypeError(f"output '{name}' is of type {kind}, expected numbers; convert it to an array of numbers")
    return outputs


def nan_count(array: np.ndarray[Any, Any]) -> int:
    """How many elements are NaN; 0 for whole numbers."""
    return int(np.count_nonzero(np.isnan(array))) if array.dtype.kind in "fc" else 0


@dataclass(frozen=True)
class Apart:
    """How far two arrays of one shape are apart: the greatest difference, the same relative to the reference, the
    greatest share of what rtol and atol allow (at most 1 is close enough), how many elements differ in a bit."""

    absolute: float
    relative: float
    share: float
    differing: int

    def text(self) -> str:
        return f"{self.differing} elements differ, by up to {self.absolute:.3g} ({self.relative:.3g} relative)"


def apart(reference: np.ndarray[Any, Any], got: np.ndarray[Any, Any], rtol: float = 0.0, atol: float = 0.0) -> Apart:
    """Compares two arrays of one shape; NaN is equal to NaN in the same place, and to nothing else."""
    differing = _differing(reference, got)
    if differing == 0:
        return Apart(0.0, 0.0, 0.0, 0)
    wide = np.complex128 if "c" in (reference.dtype.kind, got.dtype.kind) else np.longdouble
    a: Any = reference.astype(wide)
    b: Any = got.astype(wide)
    with np.errstate(all="ignore"):
        gaps = np.where((a == b) | (np.isnan(a) & np.isnan(b)), 0.0, np.abs(b - a))
        gaps = np.where(np.isnan(gaps), np.inf, gaps)
        relative = np.where(gaps == 0, 0.0, gaps / np.abs(a))
        allowed = atol + rtol * np.abs(a)
        share = np.where(gaps == 0, 0.0, gaps / allowed)
    # An infinite reference allows any finite gap in the quotient, which is NaN or 0 where it must be infinite.
    share = np.where(np.isinf(gaps) | np.isnan(share), np.inf, share)
    return Apart(float(gaps.max()), float(np.nan_to_num(relative, nan=np.inf).max()), float(share.max()), differing)


def _differing(a: np.ndarray[Any, Any], b: np.ndarray[Any, Any]) -> int:
    """How many elements differ in a bit, or in value where the dtypes differ."""
    if a.dtype != b.dtype:
        return int(np.count_nonzero(~((a == b) | ((a != a) & (b != b)))))
    if a.size == 0:
        return 0
    # 0-d arrays and dtypes of any size: compared as bytes, an element a row.
    flat = [np.ascontiguousarray(each).reshape(-1).view(np.uint8).reshape(a.size, a.itemsize) for each in (a, b)]
    return int(np.count_nonzero((flat[0] != flat[1]).any(axis=1)))


def shapes(outputs: Mapping[str, np.ndarray[Any, Any]]) -> dict[str, dict[str, Any]]:
    """Shape, dtype and number of NaNs of each output."""
    return {
        name: {"shape": list(each.shape), "dtype": str(each.dtype), "nan": nan_count(each)}
        for name, each in outputs.items()
    }


def same_names(expected: Sequence[str], got: Sequence[str]) -> str:
    """What is wrong with the names of outputs; nothing where they are the same."""
    missing = [each for each in expected if each not in got]
    extra = [each for each in got if each not in expected]
    words = [f"lacks {', '.join(missing)}"] * bool(missing) + [f"has {', '.join(extra)} beyond it"] * bool(extra)
    return " and ".join(words)
