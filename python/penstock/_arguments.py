# SPDX-License-Identifier: Apache-2.0
"""Arguments of the functions written in Python, checked: what is wrong with one is said in its own terms."""

from __future__ import annotations

import operator
import reprlib
from collections.abc import Iterable
from typing import Any

from penstock import _core
from penstock._core import Array


class _Beginnings(reprlib.Repr):
    """repr() of the first elements, and of a number of more digits than Python writes what it is."""

    def __init__(self) -> None:
        super().__init__()
        self.maxlevel = 3
        self.maxlong = self.maxstring = self.maxother = 200

    def repr_int(self, x: int, level: int) -> str:
        try:
            return super().repr_int(x, level)
        except ValueError:
            return f"an integer of {x.bit_length()} bits"


_BEGINNINGS = _Beginnings()
_MOST_SHOWN = 400


def shown(value: Any) -> str:
    """What a message shows of a value: what it begins with, however long it is."""
    text = _BEGINNINGS.repr(value)
    return text if len(text) <= _MOST_SHOWN else f"{text[:_MOST_SHOWN]}..."


def array(x: Any) -> Array:
    """``x`` as an array; raises DTypeError (a TypeError) for what holds no numbers."""
    return _core.asarray(x, None, copy=None)


def integer(value: Any, name: str) -> int:
    """``value`` as an int; raises DTypeError (a TypeError) for what is none."""
    try:
        return operator.index(value)
    except TypeError:
        raise _core.errors.DTypeError(f"{name} is {shown(value)}; it takes an integer") from None


def number(value: Any, name: str) -> float:
    """``value`` as a float; raises DTypeError for what is no number, ArgumentError for what no float holds."""
    if isinstance(value, str | bytes):
        raise _core.errors.ArgumentError(f"{name} is {shown(value)}; it takes a number")
    try:
        return float(value)
    except TypeError:
        raise _core.errors.DTypeError(f"{name} is {shown(value)}; it takes a number") from None
    except OverflowError:
        raise _core.errors.ArgumentError(f"{name} is {shown(value)}; that is outside float64") from None


def integers(values: Any, name: str) -> tuple[int, ...]:
    """An integer or several of them as a tuple."""
    if hasattr(values, "__index__") or isinstance(values, str | bytes) or not isinstance(values, Iterable):
        return (integer(values, name),)
    return tuple(integer(each, name) for each in values)


def normal_axis(axis: Any, rank: int, name: str = "axis") -> int:
    """``axis`` in [-rank, rank) counted from the front; raises AxisError (a ValueError and an IndexError)."""
    place = integer(axis, name)
    if not -rank <= place < rank:
        raise _core.errors.AxisError(f"{name} {place} is out of range for {rank} dimension(s)")
    return place % rank


def one_of(value: Any, name: str, choices: tuple[str, ...]) -> str:
    """``value`` where it is one of the texts; raises ArgumentError (a ValueError)."""
    if not isinstance(value, str) or value not in choices:
        raise _core.errors.ArgumentError(f"{name} is {shown(value)}; use {', '.join(map(repr, choices))}")
    return value


def arrays_of(objects: Any, name: str) -> list[Array]:
    """Several arrays; raises DTypeError for what is none."""
    if not isinstance(objects, Iterable):
        raise _core.errors.DTypeError(f"{name} is {shown(objects)}; it takes several arrays")
    return [array(each) for each in objects]
