# SPDX-License-Identifier: Apache-2.0
"""What an evaluation would do, for people and for programs."""

from __future__ import annotations

from typing import Any


def _bytes(n: float) -> str:
    for unit in ("B", "KiB", "MiB", "GiB"):
        if abs(n) < 1024:
            return f"{n:.4g} {unit}"
        n /= 1024
    return f"{n:.4g} TiB"


class Plan:
    """Passes over the sources, the pipelines fused into each, tiles, and projected memory."""

    def __init__(self, facts: dict[str, Any]) -> None:
        self._facts = facts

    def to_dict(self) -> dict[str, Any]:
        """The plan as plain Python values."""
        return self._facts

    def __str__(self) -> str:
        facts = self._facts
        lines = [
            f"{len(facts['passes'])} pass(es), {facts['threads']} thread(s), CPU target {facts['target']}, ",
            f"reads {_bytes(facts['source_bytes'])}, keeps {_bytes(facts['result_bytes'])}, projected memory ",
        ]
        lines[0] += f"level {facts['level']}"
        lines[1] += f"{_bytes(facts['projected_bytes'])} of {_bytes(facts['available'])} free in a budget of "
        lines[1] += _bytes(facts["budget"]) + ("" if facts["fits"] else "  DOES NOT FIT")
        for number, one in enumerate(facts["passes"], 1):
            lines += self._pass_lines(number, one)
        return "\n".join(lines)

    @staticmethod
    def _pass_lines(number: int, one: dict[str, Any]) -> list[str]:
        tiles = -(-one["units"] // one["units_per_tile"]) if one["units_per_tile"] else 0
        lines = [f"pass {number}: {tiles} outer tile(s)", *(f"  reads {read}" for read in one["reads"])]
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
