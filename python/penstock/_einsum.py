# SPDX-License-Identifier: Apache-2.0
"""Einstein's summation: any expression of numpy.einsum's, over matrix products, fused products and sums, and views.

Operands are contracted by pairs. A pair that shares labels of the result with nothing to sum over is multiplied
elementwise; one whose labels leave no axis of its own on either side is a fused sum of products; all others are stacks
of matrix products, which work at any size.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Any, NamedTuple

from penstock import _core
from penstock._arguments import array, shown
from penstock._core import Array
from penstock._einsum_terms import Label, Term, extents_of, refuse, subscripts_of, terms_of
from penstock._stacks import put_out


class _Factor(NamedTuple):
    """An array whose axes have labels, all different."""

    array: Array
    labels: Term

    def in_order(self, labels: Sequence[Label]) -> Array:
        """The axes in this order, which names them all."""
        order = [self.labels.index(label) for label in labels]
        return self.array if order == list(range(len(order))) else _core.permute_dims(self.array, order)


def _without_repeats(x: Array, term: Term) -> _Factor:
    """Axes of one label become their common diagonal; the strided view lies where the first of them was last."""
    for label in dict.fromkeys(term):
        while term.count(label) > 1:
            first = term.index(label)
            second = term.index(label, first + 1)
            n = x.shape[first]
            x = _core.moveaxis(x, [first, second], [-2, -1])
            x = _core.reshape(x, (*x.shape[:-2], n * n))[..., :: n + 1]
            term = (*(each for k, each in enumerate(term) if k not in (first, second)), label)
    return _Factor(x, term)


def _summed(factor: _Factor, keep: set[Label]) -> _Factor:
    """Summed over the labels that nobody else has."""
    axes = [k for k, label in enumerate(factor.labels) if label not in keep]
    if not axes:
        return factor
    total = _core.sum(factor.array, axis=axes, dtype=factor.array.dtype)
    return _Factor(total, tuple(label for label in factor.labels if label in keep))


def _stretched(factor: _Factor, extents: dict[Label, int]) -> _Factor:
    """Without the axes of extent 1 that stand for longer ones, which another operand has."""
    axes = [k for k, label in enumerate(factor.labels) if factor.array.shape[k] != extents[label]]
    if not axes:
        return factor
    labels = tuple(label for k, label in enumerate(factor.labels) if k not in axes)
    return _Factor(_core.squeeze(factor.array, axes), labels)


def _multiplied(a: _Factor, b: _Factor) -> _Factor:
    """Elementwise, an axis of length 1 where one of them has none."""
    labels = (*a.labels, *(label for label in b.labels if label not in a.labels))

    def placed(factor: _Factor) -> Array:
        own = [label for label in labels if label in factor.labels]
        x = factor.in_order(own)
        missing = [k for k, label in enumerate(labels) if label not in own]
        return _core.expand_dims(x, missing) if missing else x

    return _Factor(_core.multiply(placed(a), placed(b)), labels)


def _contracted(a: _Factor, b: _Factor, keep: Sequence[Label]) -> _Factor:
    """Two operands as one, summed over what is not kept; kept labels in the order of ``keep`` where that is free."""
    common = [label for label in a.labels if label in b.labels]
    over = [label for label in common if label not in keep]
    stack = [label for label in keep if label in common]
    rows = [label for label in keep if label in a.labels and label not in common]
    columns = [label for label in keep if label in b.labels and label not in common]
    if not over:
        return _multiplied(a, b)
    if not rows and not columns:
        both = _multiplied(a, b)
        return _summed(both, set(keep))
    if rows and columns and keep.index(columns[0]) < keep.index(rows[0]):
        a, b, rows, columns = b, a, columns, rows
    extent = dict(zip(a.labels + b.labels, a.array.shape + b.array.shape, strict=True))
    stacked = [extent[label] for label in stack]
    m, n, k = (math.prod(extent[label] for label in labels) for labels in (rows, columns, over))
    left = _reshaped(a.in_order([*stack, *rows, *over]), (*stacked, m, k))
    right = _reshaped(b.in_order([*stack, *over, *columns]), (*stacked, k, n))
    labels = (*stack, *rows, *columns)
    return _Factor(_reshaped(_core.matmul(left, right), tuple(extent[label] for label in labels)), labels)


def _reshaped(x: Array, shape: tuple[int, ...]) -> Array:
    return x if x.shape == shape else _core.reshape(x, shape)


def _pairs(factors: Sequence[_Factor], output: Term, extents: dict[Label, int], path: Any) -> list[tuple[int, ...]]:
    """Which operands are contracted, one step after the other, as numpy.einsum_path numbers them."""
    if isinstance(path, list | tuple) and path and path[0] == "einsum_path":
        return [tuple(step) for step in path[1:]]
    if path is False:
        return [(0, 1)] * (len(factors) - 1)
    if path not in (True, "greedy", "optimal"):
        refuse(f"optimize is {shown(path)}; use True, False, 'greedy', 'optimal' or a path of einsum_path")
    terms = [set(factor.labels) for factor in factors]
    steps: list[tuple[int, ...]] = []
    while len(terms) > 1:
        i, j = min(
            itertools.combinations(range(len(terms)), 2), key=lambda pair: _cost(terms, pair, set(output), extents)
        )
        steps.append((i, j))
        both = terms[i] | terms[j]
        terms = [term for k, term in enumerate(terms) if k not in (i, j)]
        terms.append(both & set(output).union(*terms))
    return steps


def _cost(
    terms: Sequence[set[Label]], pair: tuple[int, int], output: set[Label], extents: dict[Label, int]
) -> tuple[float, float]:
    """How much larger the product of a pair is than what it takes the place of; how much there is to multiply."""

    def size(labels: set[Label]) -> float:
        return math.prod(float(extents[label]) for label in labels)

    a, b = (terms[k] for k in pair)
    kept = (a | b) & output.union(*(term for k, term in enumerate(terms) if k not in pair))
    return size(kept) - size(a) - size(b), size(a | b)


def einsum(*operands: Any, out: Any = None, dtype: Any = None, optimize: Any = True) -> Array:
    """The sums of products that ``subscripts`` name: ``einsum("ij,jk->ik", a, b)`` is the matrix product.

    Every axis of every operand has a label. Axes of one label run together: of one operand they are its diagonal, of
    several they are multiplied; labels that the result lacks are summed over. Without "->" the result has the labels
    that occur once, in alphabetical order. "..." stands for axes that broadcast. The form without letters is
    ``einsum(a, [0, 1], b, [1, 2], [0, 2])``. Lazy: matrices in files are multiplied as matmul() does, within the
    budget.

    ``optimize``: True, "greedy" and "optimal" contract first the pair that leaves the least, False from left to right;
    or a path that einsum_path() gave. ``out``: an array or a NumPy array of the result's shape, which takes it,
    converted within its kind, and is returned.

    Shapes: any; the labels of the result say its axes.
    Dtypes: any; the result has ``dtype`` or the one that all promote to. bool means any and all.
    Raises ArgumentError for subscripts that do not fit, ShapeError for axes of one label that differ, DTypeError for
    what holds no numbers.
    Beyond the standard: NumPy's einsum.
    """
    text, objects = subscripts_of(operands)
    arrays = [array(each) for each in objects]
    terms = terms_of(text, [x.ndim for x in arrays])
    extents = extents_of(terms, [x.shape for x in arrays])
    kind = arrays[0].dtype
    for x in arrays[1:]:
        kind = _core.promote_types(kind, x.dtype)
    kind = kind if dtype is None else _core.dtype(dtype)
    counted = _core.int64 if kind == _core.bool else kind
    factors = [
        _stretched(_without_repeats(_core.astype(x, counted), term), extents)
        for x, term in zip(arrays, terms.inputs, strict=True)
    ]
    result = _all_contracted(factors, terms.output, _pairs(factors, terms.output, extents, optimize))
    return put_out(_core.not_equal(result, 0) if kind == _core.bool else result, out)


def _all_contracted(factors: list[_Factor], output: Term, steps: Sequence[tuple[int, ...]]) -> Array:
    for step in steps:
        chosen = [factors[k] for k in step]
        others = [factor for k, factor in enumerate(factors) if k not in step]
        needed = set(output).union(*(factor.labels for factor in others))
        while len(chosen) > 1:
            a, b = chosen[0], chosen[1]
            wanted = needed.union(*(factor.labels for factor in chosen[2:]))
            a, b = _summed(a, wanted | set(b.labels)), _summed(b, wanted | set(a.labels))
            keep = [label for label in output if label in a.labels + b.labels]
            keep += [label for label in a.labels + b.labels if label in wanted and label not in keep]
            chosen[:2] = [_contracted(a, b, list(dict.fromkeys(keep)))]
        factors = [*others, chosen[0]]
    return _summed(factors[0], set(output)).in_order(output)


def einsum_path(*operands: Any, optimize: Any = "greedy") -> tuple[list[Any], str]:
    """The order in which numpy.einsum would contract the operands, and a text of what it would cost; reads no elements.

    Shapes: as in einsum().
    Dtypes: any; only shapes are looked at.
    Raises ArgumentError for subscripts that do not fit, ShapeError for axes of one label that differ, DTypeError for
    what holds no numbers.
    Beyond the standard: NumPy's einsum_path.
    """
    import numpy

    text, objects = subscripts_of(operands)
    terms = terms_of(text, [array(each).ndim for each in objects])
    extents_of(terms, [array(each).shape for each in objects])
    stands = [numpy.broadcast_to(numpy.empty((), numpy.float64), array(each).shape) for each in objects]
    return numpy.einsum_path(text, *stands, optimize=optimize)
