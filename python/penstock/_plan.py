# SPDX-License-Identifier: Apache-2.0
"""What an evaluation would do, for people and for programs."""

from __future__ import annotations

from itertools import count
from typing import Any


def _bytes(n: float) -> str:
    for unit in ("B", "KiB", "MiB", "GiB"):
        if abs(n) < 1024:
            return f"{n:.4g} {unit}"
        n /= 1024
    return f"{n:.4g} TiB"


def _is_finishing(one: dict[str, Any]) -> bool:
    """Whether a pass only walks over results of passes before it."""
    sources = [source for pipeline in one["pipelines"] for source in pipeline["sources"]]
    return bool(sources) and not one["reads"] and all(source.startswith("result ") for source in sources)


def _way_out(facts: dict[str, Any]) -> str:
    """What to do about a plan that does not fit, in the words of the refusal that evaluating it would get."""
    raised = "raise the budget (--memory, PENSTOCK_MEMORY, ps.memory_budget)"
    if facts["projected_bytes"] - facts["result_bytes"] > facts["available"]:
        return raised
    return f'save the result to a file instead (ps.save(x, "out.npy"), penstock eval -o out.npy), or {raised}'


class Plan:
    """Passes over the sources and steps that finish their results, the pipelines of each, tiles, projected memory.

    Beyond the standard.
    """

    def __init__(self, facts: dict[str, Any]) -> None:
        self._facts = facts
        for one in facts["passes"]:
            one["finishing"] = _is_finishing(one)

    def to_dict(self) -> dict[str, Any]:
        """The plan as plain Python values."""
        return self._facts

    def __str__(self) -> str:
        facts = self._facts
        finishing = sum(one["finishing"] for one in facts["passes"])
        work = f"{len(facts['passes']) - finishing} pass(es) over the sources"
        work += f" and {finishing} finishing step(s)" if finishing else ""
        lines = [
            f"{work}, {facts['threads']} thread(s), CPU target {facts['target']}, ",
            f"reads {_bytes(facts['source_bytes'])}, keeps {_bytes(facts['result_bytes'])}, projected memory ",
        ]
        lines[0] += f"level {facts['level']}"
        lines[1] += f"{_bytes(facts['projected_bytes'])} of {_bytes(facts['available'])} free in a budget of "
        lines[1] += _bytes(facts["budget"]) + ("" if facts["fits"] else "  DOES NOT FIT")
        if not facts["fits"]:
            lines.append(_way_out(facts))
        if facts["scratch_bytes"]:
            lines.append(f"scratch file {_bytes(facts['scratch_bytes'])} in {facts['scratch_directory']}")
        numbers = {False: count(1), True: count(1)}
        for one in facts["passes"]:
            name = "finishing step" if one["finishing"] else "pass"
            lines += self._pass_lines(f"{name} {next(numbers[one['finishing']])}", one)
        return "\n".join(lines)

    @staticmethod
    def _pass_lines(name: str, one: dict[str, Any]) -> list[str]:
        tiles = -(-one["units"] // one["units_per_tile"]) if one["units_per_tile"] else 0
        lines = [f"{name}: {tiles} outer tile(s)", *(f"  reads {read}" for read in one["reads"])]
        if one["tiles_in_flight"]:
            lines[0] += f", {one['tiles_in_flight']} in flight of {_bytes(one['tile_bytes'])}"
        for pipeline in one["pipelines"]:
            lines.append(
                f"  {pipeline['work']} over {pipeline['shape']}, {pipeline['register_elements']} elements a register:"
            )
            lines += [f"    {line}" for line in pipeline["program"].splitlines()]
            lines += [f"    -> {output}" for output in pipeline["outputs"]]
        return lines

    def __repr__(self) -> str:
        return str(self)
