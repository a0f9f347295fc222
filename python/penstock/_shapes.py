# SPDX-License-Identifier: Apache-2.0
"""Shapes that several functions need: what arguments broadcast to, weights of elements, arrays flattened."""

from __future__ import annotations

from typing import Any

from penstock import _core
from penstock._arguments import normal_axis
from penstock._core import Array


def broadcast_shapes(*shapes: int | tuple[int, ...]) -> tuple[int, ...]:
    """The shape that arrays of these shapes broadcast to; of none ().

    Shapes: any that broadcast, as tuples or extents.
    Dtypes: none: no array is made.
    Raises ShapeError for shapes that do not broadcast and negative extents, ArgumentError for extents beyond 64 bits,
    DTypeError for what is no shape.
    Array API standard 2025.12: manipulation_functions, broadcast_shapes.
    """
    # Arrays of a constant take no memory: their shapes are all that is looked at.
    shape: tuple[int, ...] = ()
    for each in shapes:
        shape = _core.logical_or(_core.full(shape, False), _core.full(each, False)).shape
    return shape


def flat(x: Array) -> Array:
    """The elements as a vector, in C order."""
    return _core.reshape(x, (x.size,))


def flat_without_axis(x: Array, axis: int | None) -> tuple[Array, int]:
    """NumPy's meaning of no axis: along the only one of the array flattened."""
    return (flat(x), 0) if axis is None else (x, axis)


def weights_of(x: Array, weights: Array, axis: Any) -> Array:
    """Weights in the shape of ``x``: given in that shape or, with one axis, one for each place along it.

    Raises ShapeError where they are neither, AxisError for an axis that ``x`` has not.
    """
    if weights.shape == x.shape:
        return weights
    along = normal_axis(axis, x.ndim) if isinstance(axis, int) else None
    if along is None or weights.shape != (x.shape[along],):
        raise _core.errors.ShapeError(f"weights of shape {weights.shape} do not fit an array of shape {x.shape}")
    spread = [-1 if d == along else 1 for d in range(x.ndim)]
    return _core.broadcast_to(_core.reshape(weights, spread), x.shape)
