# SPDX-License-Identifier: Apache-2.0
"""How arrays look: ``repr``, and the same for notebooks. At most a corner is evaluated, and nothing of a file."""

from __future__ import annotations

import html as escaping
from typing import Any

from penstock import _core
from penstock._core import Array

_EDGE = 3  # elements at either end of an axis, as NumPy shows
_MOST = 4  # axes that a corner may have: it is 2 * _EDGE elements long along each


def text(x: Array) -> str:
    """Values where there are few and they cost nothing; else what the array is, and a corner if that costs no pass."""
    try:
        _ = x.ndim
    except _core.errors.DTypeError:  # of Array.__new__; debuggers look at those too
        return "<Array without a value>"
    shown = _core.shown_of(x)
    if shown == "values":
        return f"Array({_values(x, 'Array(')}, dtype={x.dtype})"
    corner = _corner(x) if shown == "corner" else None
    return f"<Array {_summary(x)}>" if corner is None else f"<Array {_summary(x)}\n{corner}>"


def inline(x: Array, max_width: int) -> str:
    """One line of at most ``max_width`` characters, for a table of variables."""
    line = f"{_core.state_of(x)}, {_core.bytes_text(x.nbytes)}"
    return line if len(line) <= max_width else line[: max(max_width - 3, 0)] + "..."


def html(x: Array) -> str:
    """A table of what the array is, and its values or a corner folded away. Colours are the page's."""
    shown = _core.shown_of(x)
    rows = {
        "shape": str(x.shape), "dtype": str(x.dtype), "size": _core.bytes_text(x.nbytes), "state": _core.state_of(x),
    }  # fmt: skip
    files = dict.fromkeys(x.sources())
    if files:
        rows["files"] = ", ".join(files)
    cells = "".join(
        f'<tr><th style="text-align:left">{name}</th><td style="text-align:left">{escaping.escape(value)}</td></tr>'
        for name, value in rows.items()
    )
    values = _values(x, "") if shown == "values" else _corner(x) if shown == "corner" else None
    folded = f"<details><summary>values</summary><pre>{escaping.escape(values)}</pre></details>" if values else ""
    return f"<div><table>{cells}</table>{folded}</div>"


def _summary(x: Array) -> str:
    return f"{x.dtype} {x.shape} {_core.bytes_text(x.nbytes)}, {_core.state_of(x)}"


def _values(x: Any, prefix: str) -> str:
    import numpy

    return numpy.array2string(numpy.asarray(x), separator=", ", prefix=prefix)


def _corner(x: Array) -> str | None:
    """The first and last elements along each axis; None for too many axes and for no elements."""
    if x.ndim > _MOST or x.size == 0:
        return None
    import numpy

    # One element of an omitted middle stands for all: NumPy then writes dots for it.
    for axis, extent in enumerate(x.shape):
        if extent > 2 * _EDGE:
            before = (slice(None),) * axis
            x = _core.concat([x[(*before, slice(_EDGE + 1))], x[(*before, slice(extent - _EDGE, None))]], axis=axis)
    return numpy.array2string(numpy.asarray(x), separator=", ", threshold=0, edgeitems=_EDGE)
