# SPDX-License-Identifier: Apache-2.0
"""How long the engine's steps took: counts and percentiles."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from penstock import _core

_PERCENTILES = {"p50": 0.5, "p99": 0.99, "p999": 0.999}


class Latencies(Mapping[str, "dict[str, int | float | None]"]):
    """Durations by step, since the process started or, as the difference of two, in between."""

    def __init__(self, counts: dict[str, _core.Counts]) -> None:
        self._counts = counts

    def __getitem__(self, step: str) -> dict[str, int | float | None]:
        counts = self._counts[step]
        found: dict[str, int | float | None] = {"n": counts.n}
        for name, q in _PERCENTILES.items():
            nanoseconds = counts.percentile(q)
            found[name] = None if nanoseconds is None else nanoseconds * 1e-9
        return found

    def __iter__(self) -> Iterator[str]:
        return iter(self._counts)

    def __len__(self) -> int:
        return len(self._counts)

    def __sub__(self, earlier: Latencies) -> Latencies:
        """Those that came after ``earlier``, an older value of the same process."""
        if not isinstance(earlier, Latencies):
            return NotImplemented
        return Latencies({name: counts - earlier._counts[name] for name, counts in self._counts.items()})

    def __repr__(self) -> str:
        lines = [f"{'step':10}{'n':>10}" + "".join(f"{name + ' (s)':>12}" for name in _PERCENTILES)]
        for step, figures in self.items():
            texts = ("-" if figures[name] is None else f"{figures[name]:.3g}" for name in _PERCENTILES)
            lines.append(f"{step:10}{figures['n']:>10}" + "".join(f"{text:>12}" for text in texts))
        return "\n".join(lines)


def latencies() -> Latencies:
    """How long the steps of evaluations took since the process started, in all threads.

    A mapping from the step's name (``evaluate``, ``read``, ``write``, ``spill``, ``sync``) to a dict: ``n``, how often
    it happened (int), and ``p50``, ``p99`` and ``p999``, percentiles in seconds (float, at most 1 % off), None where
    ``n`` is too small for one: below 2, 100 and 1,000. Steps that failed count too; operations that need no plan, on
    operands of at most 16 KiB, do not: only ``ps.stats()["evaluations"]`` counts them. The difference of two is what
    happened in between: ``ps.latencies() - before``.

    Beyond the standard.
    """
    return Latencies(_core.latency_counts())
