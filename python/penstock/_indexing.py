# SPDX-License-Identifier: Apache-2.0
"""Indexing by arrays: integers and conditions, NumPy's rules. What basic indices name is the extension's business."""

from __future__ import annotations

import builtins
import operator
from typing import Any, NamedTuple

from penstock import _core
from penstock._arguments import array, shown
from penstock._core import Array
from penstock._shapes import broadcast_shapes

_EVERYTHING = slice(None)


class _Choice(NamedTuple):
    """An index expression taken apart: a basic index, and vectors of places for some axes of what that gives."""

    basic: tuple[Any, ...]
    axes: list[int]
    arrays: list[Array]
    position: int  # where the axes of the arrays' common shape go


def nonzero(x: Any, /) -> tuple[Array, ...]:
    """For each axis, the places of the nonzero elements of ``x`` in C order, a tuple.

    Evaluates at the call; places that the memory budget has no room for lie in a scratch file.

    Shapes: any but (); vectors as long as there are nonzero elements.
    Dtypes: any; places are int64.
    Raises ArgumentError for an array without axes, DTypeError for what holds no numbers.
    Array API standard 2025.12: searching_functions, nonzero.
    """
    x = array(x)
    if x.ndim == 0:
        raise _core.errors.ArgumentError("nonzero of an array of no axes is not defined")
    return _unravelled(_core.flat_nonzero(x), x.shape)


def _unravelled(flat: Array, shape: tuple[int, ...]) -> tuple[Array, ...]:
    """Flat places as one array of places an axis."""
    if len(shape) == 1:
        return (flat,)
    places: list[Array] = []
    for extent in reversed(shape):
        places.append(_core.remainder(flat, max(extent, 1)))
        flat = _core.floor_divide(flat, max(extent, 1))
    return tuple(reversed(places))


def _as_entry(item: Any) -> Any:
    """Basic entries as they are, everything else as an array."""
    if item is None or item is Ellipsis or isinstance(item, slice):
        return item
    if isinstance(item, builtins.bool):
        return array(item)
    if not isinstance(item, Array):
        try:
            return operator.index(item)
        except TypeError:
            pass
    try:
        found = array(item)
    except (TypeError, _core.errors.ArgumentError):
        raise _core.errors.OutOfRangeError(
            f"index {shown(item)} is no integer, slice, None, Ellipsis, nor an array of integers or of conditions"
        ) from None
    if not isinstance(item, (Array, list, tuple)):
        found = _core.asarray(found, copy=True)  # places are those of the call, whoever writes to them after it
    if found.size == 0 and not isinstance(item, Array) and not hasattr(item, "dtype"):
        found = _core.astype(found, _core.int64)  # [] names nothing
    kind = found.dtype
    if kind != _core.bool and not str(kind).lstrip("u").startswith("int"):
        raise _core.errors.OutOfRangeError(
            f"an index of {kind} names no elements; use integers, slices, None, Ellipsis or a condition"
        )
    return found


def _used(entry: Any) -> int:
    """How many axes an entry takes up."""
    if entry is None or entry is Ellipsis:
        return 0
    return entry.ndim if isinstance(entry, Array) and entry.dtype == _core.bool else 1


def _spelt_out(entries: list[Any], rank: int) -> list[Any]:
    """The entries with as many slices as the Ellipsis, or the end, stands for; an Ellipsis for none stays."""
    used = sum(map(_used, entries))
    if used > rank:
        raise _core.errors.OutOfRangeError(f"{used} indices for an array of {rank} dimension(s)")
    dots = [i for i, entry in enumerate(entries) if entry is Ellipsis]
    if len(dots) > 1:
        raise _core.errors.OutOfRangeError("an index can have one Ellipsis (...)")
    at = dots[0] if dots else len(entries)
    if used == rank:
        return entries
    return [*entries[:at], *[_EVERYTHING] * (rank - used), *entries[at + 1 :]]


def _condition(entry: Array, shape: tuple[int, ...], axis: int) -> tuple[Array, ...]:
    """A condition as places along the axes it takes up."""
    for d, (got, expected) in enumerate(zip(entry.shape, shape[axis:], strict=False)):
        if got not in (expected, 0):  # of no extent it chooses nothing
            raise _core.errors.OutOfRangeError(
                f"a condition of shape {entry.shape} does not fit axis {axis + d} of extent {expected}"
            )
    return _unravelled(_core.flat_nonzero(entry), entry.shape)


def _take_apart(shape: tuple[int, ...], key: Any) -> _Choice:
    entries = _spelt_out([_as_entry(item) for item in (key if isinstance(key, tuple) else (key,))], len(shape))
    basic: list[Any] = []
    axes: list[int] = []
    arrays: list[Array] = []
    advanced: list[int] = []  # entries that are arrays, or integers, which then count as such
    axis = result = position = 0  # of the array; of what the basic index gives; of results before the first array
    for number, entry in enumerate(entries):
        if entry is Ellipsis:  # stands for nothing, but sets arrays apart
            continue
        chooses = not (entry is None or isinstance(entry, slice))
        if chooses and not advanced:
            position = result
        if chooses:
            advanced.append(number)
        if isinstance(entry, Array) and entry.ndim == 0 and entry.dtype == _core.bool:
            # A new axis of which one element, or none, is taken.
            basic.append(None)
            places: tuple[Array, ...] = (_core.flat_nonzero(entry),)
            used = 0
        elif isinstance(entry, Array):
            condition = entry.dtype == _core.bool
            places = _condition(entry, shape, axis) if condition else (entry,)
            used = len(places)
            basic.extend([_EVERYTHING] * used)
        else:
            basic.append(entry)
            axis += entry is not None
            result += not chooses
            continue
        axes.extend(range(result, result + len(places)))
        arrays.extend(places)
        axis += used
        result += len(places)
    apart = advanced != list(range(advanced[0], advanced[-1] + 1))
    return _Choice(tuple(basic), axes, arrays, 0 if apart else position)


def _joined(arrays: list[Array], extents: list[int]) -> Array:
    """Places along several axes as places along all of them taken as one, of the common shape."""
    for places, extent in zip(arrays, extents, strict=True):
        _check(places, extent)
    joined = _from_the_front(arrays[0], extents[0])
    for places, extent in zip(arrays[1:], extents[1:], strict=True):
        joined = _core.add(_core.multiply(joined, extent), _from_the_front(places, extent))
    return joined


def _from_the_front(places: Array, extent: int) -> Array:
    places = _core.astype(places, _core.int64)
    return _core.where(_core.less(places, 0), _core.add(places, extent), places)


def _check(places: Array, extent: int) -> None:
    if places.size == 0:
        return
    low, high = _core.evaluate(_core.min(places), _core.max(places))
    for place in (int(low), int(high)):
        if not -extent <= place < extent:
            raise _core.errors.OutOfRangeError(f"index {place} is out of range for an axis of extent {extent}")


class _Front(NamedTuple):
    """The chosen axes of an array brought to the front as one, places along it, and the common shape of these."""

    array: Array
    places: Array
    shape: tuple[int, ...]


def _front(part: Array, choice: _Choice) -> _Front:
    shape = broadcast_shapes(*(each.shape for each in choice.arrays))
    extents = [part.shape[axis] for axis in choice.axes]
    places = _core.broadcast_to(_joined(choice.arrays, extents), shape)
    moved = _core.moveaxis(part, choice.axes, list(range(len(choice.axes))))
    rest = moved.shape[len(choice.axes) :]
    total = 1
    for extent in extents:
        total *= extent
    return _Front(_core.reshape(moved, (total, *rest)), places, shape)


def get(x: Array, key: Any) -> Array:
    """``x[key]`` where the key has arrays."""
    choice = _take_apart(x.shape, key)
    part = x[choice.basic]
    if len(choice.axes) == 1 and choice.position == choice.axes[0]:
        return _core.take(part, choice.arrays[0], axis=choice.position)
    front = _front(part, choice)
    taken = _core.take(front.array, front.places, axis=0)
    return _moved(taken, 0, choice.position, len(front.shape))


def _moved(x: Array, source: int, destination: int, count: int) -> Array:
    """Neighbouring axes moved together."""
    if source == destination:
        return x
    return _core.moveaxis(x, list(range(source, source + count)), list(range(destination, destination + count)))


def assigned(x: Array, key: Any, value: Array) -> Array:
    """What ``x`` is after ``x[key] = value`` where the key has arrays."""
    choice = _take_apart(x.shape, key)
    part = x[choice.basic]
    front = _front(part, choice)
    rest = front.array.shape[1:]
    whole = (*rest[: choice.position], *front.shape, *rest[choice.position :])
    extra = max(value.ndim - len(whole), 0)
    if value.shape[:extra] == (1,) * extra:  # as NumPy, leading axes of one element are left out
        value = _core.reshape(value, value.shape[extra:])
    values = _moved(_core.broadcast_to(_core.astype(value, x.dtype), whole), choice.position, 0, len(front.shape))
    k = front.places.size
    put = _core.put(front.array, _core.reshape(front.places, (k,)), _core.reshape(values, (k, *rest)))
    extents = [part.shape[axis] for axis in choice.axes]
    put = _core.moveaxis(_core.reshape(put, (*extents, *rest)), list(range(len(choice.axes))), choice.axes)
    if all(entry == _EVERYTHING for entry in choice.basic):
        return put
    out = x[...]
    out[choice.basic] = put
    return out
