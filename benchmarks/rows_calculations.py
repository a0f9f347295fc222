# SPDX-License-Identifier: Apache-2.0
"""One calculation of Penstock against its peers, each in its best plain form: what almost every row does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

import env
import kernels
import native
import peers
from bench import Bar, Bench, Ceiling, Outcome, Refused, Row, ratios
from calculations import CALCULATIONS, Calculation
from penstock.lab.sides import Side
from timing import peak_of, side

CPP = "C++"
OR = " or "  # between the peers of a bar that is held against the fastest of them
LARGE = 3e6  # elements: beyond it memory sets the pace, and what a call allocates is worth telling


class Sides:
    """The sides of a row as they are made: what each found is compared with NumPy's result first."""

    def __init__(self, bench: Bench, name: str, count: int, threads: int) -> None:
        self.sides: dict[str, Side] = {}
        self.missing: dict[str, str] = {}
        self.peaks: dict[str, int] = {}
        self.notes: list[str] = []
        self.calculation = CALCULATIONS[name]
        self.operands = self.calculation.arrays(count)
        self._bench, self._name, self._count, self._threads = bench, name, count, threads
        self._used: list[env.Worker] = []
        self._expected = kernels.digest(self._call("numpy")())

    def _call(self, peer: str) -> Callable[[], Any]:
        return peers.PEERS[peer].prepare(self.calculation, self._own(), self._threads)

    def _own(self) -> list[Any]:
        """Operands of which a result can be written into the last without anybody seeing it."""
        return [*self.operands[:-1], np.zeros_like(self.operands[-1])] if self.calculation.into else self.operands

    def add(self, peer: str) -> None:
        """Adds a peer's side, or why there is none. Raises Refused when its result is wrong."""
        if peer == CPP:
            self._add_native()
        elif peers.PEERS[peer].environment:
            self._add_remote(peer)
        else:
            self._add_here(peer)

    def _add_here(self, peer: str) -> None:
        try:
            call = self._call(peer)
            found = kernels.digest(peers.as_numpy(call()))
        except peers.CannotError as reason:
            if peer == "penstock":
                raise Refused(str(reason)) from None
            self.missing[peer] = str(reason)
            return
        self._check(peer, found)
        if self._count > LARGE:
            self._bench.ps.trim()
            self._keep_peak(peer, peak_of(call))
        self.sides[peer] = side(call, self._count)

    def _add_remote(self, peer: str) -> None:
        try:
            worker = self._bench.worker(peer, self._threads)
            if worker is None:
                self.missing[peer] = f"not installed: make bench-env PEER={peers.PEERS[peer].environment}"
                return
            self._used.append(worker)
            found = worker.ask("prepare", calculation=self._name, n=self._count)
        except RuntimeError as reason:
            self.missing[peer] = str(reason)
            return
        self._check(peer, found)
        if self._count > LARGE:
            self._keep_peak(peer, found["peak"])
        self.sides[peer] = env.Remote(worker)

    def _add_native(self) -> None:
        try:
            self.sides[CPP], out, stores = native.chain_side(self.operands, self._threads)
        except Refused as reason:
            self.missing[CPP] = str(reason)
            return
        self.sides[CPP]()
        self._check(CPP, kernels.digest(out))
        self.notes.append(f"C++ with {stores} stores into an array that is there")

    def _check(self, peer: str, found: dict[str, Any]) -> None:
        relative = self.calculation.relative
        if peer not in ("penstock", "numpy", "numpy-1.24"):
            relative = max(relative, 1e-5 if "float32" in self.operands[0].dtype.name else 1e-11)
        wrong = kernels.difference(found, self._expected, relative)
        if wrong:
            raise Refused(f"{peer} and NumPy disagree on {self.calculation.text} of {self._count} elements: {wrong}")

    def _keep_peak(self, peer: str, peak: int | None) -> None:
        if peak is not None:
            self.peaks[peer] = peak

    def moved(self) -> int:
        """Bytes that the calculation has to move: each operand and the result once."""
        read = sum(each.nbytes for each in (self.operands[:-1] if self.calculation.into else self.operands))
        return int(read + np.prod(self._expected["shape"]) * np.dtype(self._expected["dtype"]).itemsize)

    def add_ceiling(self) -> Ceiling | None:
        """A read or a copy of as many bytes as the first operand has, where memory sets the pace."""
        first = self.operands[0]
        if self._count <= LARGE or not self.calculation.streams or not first.flags.c_contiguous:
            return None
        reads = int(np.prod(self._expected["shape"])) * 8 < first.nbytes
        name = "read" if reads else "copy"
        source = first.reshape(-1).view(np.float32)
        try:
            self.sides[name] = (native.read_side if reads else native.copy_side)(source, self._threads)
        except Refused:
            return None
        return Ceiling(name, source.nbytes * (1 if reads else 2), self.moved())

    def close(self) -> None:
        """Lets the workers forget their operands."""
        for worker in self._used:
            if not worker.ended:
                worker.ask("forget")


def against(bench: Bench, row: Row, *, calculation: str, n: float, threads: int = 0, least: float = 0.02) -> Outcome:
    """The calculation over n elements (at full scale) with Penstock and with every peer of the row's bars."""
    count, ours = bench.count(n), threads or bench.threads
    made = Sides(bench, calculation, count, ours)
    try:
        made.add("penstock")
        wanted = {bar.peer: bar.peer.split(OR) for bar in row.bars if bar.kind != "share"}
        for peer in dict.fromkeys(each for several in wanted.values() for each in several):
            made.add(peer)
        pairs = {
            name: ("penstock", several)
            for name, several in wanted.items()
            if all(each in made.sides for each in several)
        }
        ceiling = made.add_ceiling()
        warm_up = 1 if count > LARGE else 2
        outcome = ratios(
            bench, row, made.sides, pairs, missing=made.missing, ceiling=ceiling, least=least, warm_up=warm_up
        )
    finally:
        made.close()
        bench.ps.threads(bench.threads)
    told = CALCULATIONS[calculation]
    outcome.setup = "; ".join([described(told, made.operands, ours), *made.notes])
    outcome.checked = checked(told, made.sides)
    outcome.bytes, outcome.operations = made.moved(), told.work(count)
    outcome.peaks = made.peaks
    return outcome


def described(calculation: Calculation, operands: list[Any], threads: int) -> str:
    """What the operands are."""
    first = operands[0]
    shape = "x".join(map(str, first.shape))
    layout = {"plain": "", "strided": " (every other element)", "transposed": " (transposed)"}
    how = layout[calculation.operands[0].layout]
    into = ", into an array" if calculation.into else ""
    return f"{shape} {first.dtype}{how}, {threads} thread{'s' * (threads > 1)}{into}"


def checked(calculation: Calculation, sides: dict[str, Side]) -> str:
    text = f"within {calculation.relative:g} of NumPy" if calculation.relative else "equal to NumPy's bits"
    loose = [who for who in sides if who in peers.PEERS and who not in ("penstock", "numpy", "numpy-1.24")]
    return text + (f", {', '.join(loose)} to rounding" if loose and not calculation.relative else "")


def row(name: str, group: str, title: str, calculation: str, n: float, *bars: Bar, **more: Any) -> Row:
    """A row of this kind."""
    threads = more.pop("threads", 0)
    run = partial(against, calculation=calculation, n=n, threads=threads)
    return replace(Row(name, group, title, run, bars), **more)
