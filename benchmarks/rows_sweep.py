# SPDX-License-Identifier: Apache-2.0
"""The whole table: each reduction and arithmetic operation, dtype and layout over the sizes, against NumPy."""

from __future__ import annotations

from functools import partial

from bench import Bar, Bench, Comparison, Outcome, Refused, Row, absent
from calculations import CALCULATIONS, DTYPES, arithmetic, reductions
from rows_calculations import against

SIZES = ("10", "1e3", "1e5", "1e6", "1e7")
LARGEST = "1e8"  # of contiguous float32 and bool alone: the rest would take half an hour
QUADRUPLES = 10
LEAST = 0.01
AT = ", "


def sizes(dtype: str, layout: str) -> tuple[str, ...]:
    return (*SIZES, LARGEST) if layout == "plain" and dtype in ("float32", "bool") else SIZES


def sweep(bench: Bench, row: Row, *, calculation: str, of: tuple[str, ...]) -> Outcome:
    """The calculation at each size; a size that cannot be measured says why in its comparison."""
    found: list[Comparison] = []
    last: Outcome | None = None
    medians: dict[str, float] = {}
    for bar, size in zip(row.bars, of, strict=True):
        single = Row(row.name, row.group, row.title, row.run, (Bar("numpy"),), row.quadruples)
        try:
            last = against(bench, single, calculation=calculation, n=float(size), least=LEAST)
        except Refused as reason:
            found.append(absent(bar, "x", str(reason)))
            continue
        found.append(Comparison(**{**vars(last.comparisons[0]), "peer": bar.peer}))
        medians |= {f"{side}{AT}{size}": seconds for side, seconds in last.medians.items()}
    if last is None:
        raise Refused(found[0].note)
    last.comparisons, last.medians = found, medians
    last.setup = f"{bench.threads} threads"
    # They belong to one size alone, and these rows have many.
    last.share_of_ceiling, last.ceiling, last.bytes, last.operations = None, "", 0, 0
    return last


def title(calculation: str, dtype: str, layout: str) -> str:
    what = CALCULATIONS[calculation].text
    return f"`{what}`, {dtype}{'' if layout == 'plain' else ', every other element'}"


ROWS = [
    Row(
        f"sweep-{name}-{dtype}-{layout}",
        "All sizes and dtypes",
        title(f"{name}/{dtype}/{layout}", dtype, layout),
        partial(sweep, calculation=f"{name}/{dtype}/{layout}", of=sizes(dtype, layout)),
        tuple(Bar(f"numpy{AT}{size}") for size in sizes(dtype, layout)),
        QUADRUPLES,
    )
    for dtype in DTYPES
    for layout in ("plain", "strided")
    for name in {**reductions(dtype), **arithmetic(dtype)}
]
