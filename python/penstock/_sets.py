# SPDX-License-Identifier: Apache-2.0
"""Sets: distinct elements, their places and counts, made of sorting and taking. Shapes depend on values, so each
function evaluates at the call. Results that the memory budget has no room for lie in scratch files."""

from __future__ import annotations

import builtins
from typing import Any, NamedTuple

from penstock import _core
from penstock._arguments import array
from penstock._core import Array
from penstock._shapes import flat
from penstock._stacks import is_complex


class UniqueAll(NamedTuple):
    """What unique_all() returns.

    Array API standard 2025.12: set_functions, unique_all.
    """

    values: Array
    indices: Array
    inverse_indices: Array
    counts: Array


class UniqueCounts(NamedTuple):
    """What unique_counts() returns.

    Array API standard 2025.12: set_functions, unique_counts.
    """

    values: Array
    counts: Array


class UniqueInverse(NamedTuple):
    """What unique_inverse() returns.

    Array API standard 2025.12: set_functions, unique_inverse.
    """

    values: Array
    inverse_indices: Array


def _order(x: Array) -> Array:
    """Places that sort a vector; complex numbers by their real parts, then their imaginary ones."""
    if not is_complex(x):
        return _core.argsort(x)
    by_imaginary = _core.argsort(_core.imag(x))
    return _core.take(by_imaginary, _core.argsort(_core.take(_core.real(x), by_imaginary)))


def _begins(ordered: Array) -> Array:
    """Where the distinct elements of a sorted vector begin. Each NaN differs from the next."""
    first = _core.full((min(ordered.size, 1),), True)
    return _core.flat_nonzero(_core.concat([first, _core.not_equal(ordered[1:], ordered[:-1])]))


def _counts(begins: Array, n: int) -> Array:
    ends = _core.concat([begins[1:], _core.full((min(begins.size, 1),), n, dtype=_core.int64)])
    return _core.subtract(ends, begins)


def _ordered(x: Array) -> tuple[Array, Array]:
    """Places that sort a vector, and the vector in that order, both to be read more than once."""
    (x,) = _core.kept(x)
    (order,) = _core.kept(_order(x))
    (ordered,) = _core.kept(_core.take(x, order))
    return order, ordered


def _sorted(x: Array) -> Array:
    """A vector in order, to be read more than once."""
    return _ordered(x)[1] if is_complex(x) else _core.kept(_core.sort(x))[0]


def unique_values(x: Any, /) -> Array:
    """The distinct elements of ``x``, ascending.

    Each NaN is distinct; of 0.0 and -0.0 one stays. Complex numbers are in the order of their real parts, then their
    imaginary ones. Evaluates at the call; results that the memory budget has no room for lie in scratch files.

    Shapes: any, flattened; a vector.
    Dtypes: any; the result has that of x.
    Raises DTypeError for what holds no numbers.
    Array API standard 2025.12: set_functions, unique_values.
    """
    ordered = _sorted(flat(array(x)))
    if not is_complex(ordered):
        return _core.distinct(ordered)
    return _core.kept(_core.take(ordered, _begins(ordered)))[0]


def unique_counts(x: Any, /) -> UniqueCounts:
    """The distinct elements of ``x``, ascending, and how often each occurs.

    Each NaN is distinct; of 0.0 and -0.0 one stays. Complex numbers are in the order of their real parts, then their
    imaginary ones. Evaluates at the call; results that the memory budget has no room for lie in scratch files.

    Shapes: any, flattened; two vectors.
    Dtypes: any; values have that of x, counts are int64.
    Raises DTypeError for what holds no numbers.
    Array API standard 2025.12: set_functions, unique_counts.
    """
    ordered = _sorted(flat(array(x)))
    begins = _begins(ordered)
    return UniqueCounts(*_core.kept(_core.take(ordered, begins), _counts(begins, ordered.size)))


def _grouped(x: Array) -> tuple[Array, Array, Array, Array]:
    """Places that sort the vector, the vector sorted, where its distinct elements begin, and each place's group."""
    order, ordered = _ordered(x)
    begins = _begins(ordered)
    marks = _core.put(
        _core.full((x.size,), 0, dtype=_core.int64), begins, _core.full((begins.size,), 1, dtype=_core.int64)
    )
    groups = _core.subtract(_core.cumulative_sum(marks), 1)
    return order, ordered, begins, _core.put(_core.full((x.size,), 0, dtype=_core.int64), order, groups)


def unique_inverse(x: Any, /) -> UniqueInverse:
    """The distinct elements of ``x``, ascending, and for each element of ``x`` the place of its equal.

    Each NaN is distinct; of 0.0 and -0.0 one stays. Complex numbers are in the order of their real parts, then their
    imaginary ones. Evaluates at the call; results that the memory budget has no room for lie in scratch files.

    Shapes: any; values are a vector, inverse_indices have that of x.
    Dtypes: any; values have that of x, inverse_indices are int64.
    Raises DTypeError for what holds no numbers.
    Array API standard 2025.12: set_functions, unique_inverse.
    """
    x = array(x)
    _, ordered, begins, inverse = _grouped(flat(x))
    return UniqueInverse(*_core.kept(_core.take(ordered, begins), _core.reshape(inverse, x.shape)))


def unique_all(x: Any, /) -> UniqueAll:
    """Distinct elements, ascending; where each occurs first; for each element the place of its equal; counts.

    Each NaN is distinct; of 0.0 and -0.0 one stays. Complex numbers are in the order of their real parts, then their
    imaginary ones. Evaluates at the call; results that the memory budget has no room for lie in scratch files.

    Shapes: any; inverse_indices have that of x, the others are vectors.
    Dtypes: any; values have that of x, the others are int64.
    Raises DTypeError for what holds no numbers.
    Array API standard 2025.12: set_functions, unique_all.
    """
    x = array(x)
    order, ordered, begins, inverse = _grouped(flat(x))
    return UniqueAll(
        *_core.kept(
            _core.take(ordered, begins),
            _core.take(order, begins),
            _core.reshape(inverse, x.shape),
            _counts(begins, x.size),
        )
    )


def isin(x1: Any, x2: Any, /, *, invert: builtins.bool = False) -> Array:
    """Whether each element of ``x1`` is one of ``x2``; with ``invert``, whether it is none. NaN is in nothing.

    ``x2`` is sorted at the call. ``x1`` may be a number.

    Shapes: any; the result has that of x1.
    Dtypes: any, compared in the one that both promote to; the result is bool.
    Raises DTypeError for what holds no numbers.
    Array API standard 2025.12: set_functions, isin.
    """
    a = array(x1)
    b = flat(array(x2))
    if b.size == 0:
        return _core.full(a.shape, invert)
    common = _core.promote_types(a.dtype, b.dtype)
    a, b = _core.astype(a, common), _sorted(_core.astype(b, common))
    if is_complex(b):
        return _isin_complex(a, b, invert)
    found = _core.is_in_sorted(b, a)
    return _core.logical_not(found) if invert else found


def _isin_complex(a: Array, b: Array, invert: builtins.bool) -> Array:
    """Complex numbers are looked up by the group of their real part and the place of their imaginary one."""
    line = flat(a)
    both = _core.concat([b, line])
    # 0.0 and -0.0 are one number to the order, and equal: groups tell apart what differs.
    _, _, begins, inverse = _grouped(both)
    known = _core.put(_core.full((begins.size,), False), inverse[: b.size], _core.full((b.size,), True))
    number = _core.equal(line, line)
    found = _core.logical_and(_core.take(known, inverse[b.size :]), number)
    return _core.reshape(_core.logical_not(found) if invert else found, a.shape)
