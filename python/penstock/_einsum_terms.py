# SPDX-License-Identifier: Apache-2.0
"""What einsum's subscripts say: a label for each axis of each operand, and those of the result."""

from __future__ import annotations

import operator
from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

from penstock import _core
from penstock._arguments import shown

Label = str  # a letter; "...k" for the k-th axis from the right of those that an ellipsis stands for
Term = tuple[Label, ...]

_LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"


class Terms(NamedTuple):
    """The labels of each operand's axes, and of the result's."""

    inputs: list[Term]
    output: Term


def refuse(text: str) -> Any:
    """Raises ArgumentError."""
    raise _core.errors.ArgumentError(f"einsum: {text}")


def subscripts_of(operands: Sequence[Any]) -> tuple[str, list[Any]]:
    """The subscripts as text, and the arrays: of ("ij,jk", a, b) or (a, [0, 1], b, [1, 2], [0, 2])."""
    if not operands:
        refuse("no subscripts")
    if isinstance(operands[0], str):
        return operands[0].replace(" ", ""), list(operands[1:])
    lists = [_text_of(each) for each in operands[1::2]]
    arrays = list(operands[: 2 * len(lists) : 2])
    text = ",".join(lists)
    return (f"{text}->{_text_of(operands[-1])}" if len(operands) % 2 else text), arrays


def _text_of(labels: Any) -> str:
    """A list of integers, or Ellipsis, as letters."""
    try:
        return "".join("..." if each is Ellipsis else _LETTERS[operator.index(each)] for each in labels)
    except (TypeError, IndexError):
        return str(refuse(f"{shown(labels)} is no list of integers in [0, {len(_LETTERS)}) and Ellipsis"))


def _parsed(text: str, rank: int | None, longest: int) -> Term:
    """A term's labels. Of an operand of ``rank`` axes the ellipsis is what is left, of the result the ``longest``."""
    parts = text.split("...")
    letters = "".join(parts)
    for letter in letters:
        if letter not in _LETTERS:
            refuse(f"'{letter}' in '{text}' is no letter")
    if len(parts) > 2:
        refuse(f"'{text}' has more than one ellipsis")
    missing = longest if rank is None else rank - len(letters)
    if missing < 0 or (missing > 0 and len(parts) == 1 and rank is not None):
        refuse(f"'{text}' has {len(letters)} label(s) for an operand of {rank} axes; '...' stands for any others")
    dots = [f"...{k}" for k in range(missing, 0, -1)] if len(parts) == 2 else []
    return (*parts[0], *dots, *"".join(parts[1:]))


def terms_of(text: str, ranks: Sequence[int]) -> Terms:
    """The labels that the subscripts give operands of these ranks. Raises ArgumentError."""
    left, arrow, right = text.partition("->")
    parts = left.split(",")
    if len(parts) != len(ranks):
        refuse(f"'{text}' has {len(parts)} term(s) for {len(ranks)} operand(s)")
    inputs = [_parsed(part, rank, 0) for part, rank in zip(parts, ranks, strict=True)]
    dots = sorted({label for term in inputs for label in term if label[0] == "."}, reverse=True)
    if arrow:
        output = _parsed(right, None, len(dots))
    else:
        times = Counter(label for term in inputs for label in term)
        output = (*dots, *sorted(label for label, n in times.items() if n == 1 and label[0] != "."))
    known = {label for term in inputs for label in term}
    for label, n in Counter(output).items():
        if n > 1:
            refuse(f"the result has '{label}' twice")
        if label not in known:
            refuse(f"'{label}' of the result is in no operand")
    return Terms(inputs, output)


def extents_of(terms: Terms, shapes: Sequence[tuple[int, ...]]) -> dict[Label, int]:
    """How long each label's axes are; those of extent 1 stretch. Raises ShapeError."""
    extents: dict[Label, int] = {}
    for number, (term, shape) in enumerate(zip(terms.inputs, shapes, strict=True)):
        own: dict[Label, int] = {}
        for label, n in zip(term, shape, strict=True):
            if own.setdefault(label, n) != n:
                raise _core.errors.ShapeError(
                    f"einsum: '{label}' names axes of extents {own[label]} and {n} of operand {number}, {shape}"
                )
            before = extents.get(label, 1)
            if 1 not in (before, n) and before != n:
                raise _core.errors.ShapeError(
                    f"einsum: '{label}' is {before} long, but {n} of operand {number}, {shape}"
                )
            extents[label] = n if before == 1 else before
    return extents
