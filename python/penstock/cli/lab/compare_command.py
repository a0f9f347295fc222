# SPDX-License-Identifier: Apache-2.0
"""``penstock lab compare``: two commands or functions, timed in interleaved quadruples, and the verdict."""

from __future__ import annotations

import argparse
import sys
import time
from typing import TYPE_CHECKING, Any

from penstock.cli import parser, status

if TYPE_CHECKING:
    from penstock.lab.ceilings import Ceiling
    from penstock.lab.compare import Comparison
    from penstock.lab.pairs import Times
    from penstock.lab.sides import Side

SECONDS = 60.0
LEAST_PAIRS = 10
# Of a sample: what is shorter is run several times.
LEAST_SECONDS = 0.05
WORDS = {
    "faster": "B is faster than A",
    "slower": "B is slower than A",
    "same": "A and B take the same time, to 2 %",
    "undecided": "undecided",
}


def add_arguments(to: argparse.ArgumentParser) -> None:
    kinds = "a shell command, a Python function as MODULE:FUNCTION, or PROGRAM::NAME of a Google Benchmark program"
    to.add_argument("a", metavar="A", help=kinds)
    to.add_argument("b", metavar="B", help="what it is compared with; the ratio is time(B)/time(A)")
    seconds = f"at most this long; undecided buys more runs until then; default: {SECONDS:g}"
    to.add_argument("--seconds", metavar="S", type=positive_seconds, default=SECONDS, help=seconds)
    pairs = "exactly N pairs of runs of each side, at least 10, whatever is decided; default: until it is decided"
    to.add_argument("--pairs", metavar="N", type=parser.positive, help=pairs)
    limit = "a run that takes longer is ended, an error; default: as --seconds, at least 60"
    to.add_argument("--limit", metavar="S", type=positive_seconds, help=limit)
    to.add_argument("--check-output", action="store_true", help="first make sure that both give the same output")
    to.add_argument("--bytes", metavar="N", type=float, help="bytes that a run moves: gives shares of the memory copy")
    to.add_argument("--flops", metavar="N", type=float, help="operations that a run does: gives shares of the FMA rate")
    parser.add_json_option(to)


def run(arguments: argparse.Namespace) -> int:
    if arguments.pairs is not None and arguments.pairs < LEAST_PAIRS:
        few = f"--pairs {arguments.pairs} is too few\n  nothing follows from less than {LEAST_PAIRS}"
        raise status.CommandError(few)
    try:
        found, record = compared(arguments)
    except KeyboardInterrupt as stopped:
        stopped.args = ("nothing was concluded",)
        raise
    if arguments.json:
        from penstock.cli.values import plain, write_json

        write_json(plain({**found.to_dict(), **record}))
    else:
        sys.stdout.write(status.printable(text_of(found, arguments)))
    return status.OK


def compared(arguments: argparse.Namespace) -> tuple[Comparison, dict[str, Any]]:
    """Opens both sides, checks their outputs if asked to, and measures them; what they were measured on."""
    from concurrent.futures import ThreadPoolExecutor

    from penstock.lab import targets

    limit = arguments.limit or max(arguments.seconds, SECONDS)
    with targets.opened(arguments.a, time_limit=limit) as a, targets.opened(arguments.b, time_limit=limit) as b:
        if arguments.check_output:
            check_outputs(arguments, targets.output_hash(a), targets.output_hash(b))
        started = time.monotonic()
        with ThreadPoolExecutor(1) as pool:
            # The lab's own preparations take as long as runs that are for nothing anyway: no time of the user's.
            preparing = pool.submit(prepared)
            for side in (a, b):
                side.calibrate(LEAST_SECONDS)
        kernels, record = preparing.result()
        for side in (a, b):
            # A short run beside the preparations may have looked longer than it is.
            if side.calls > 1:
                side.calibrate(LEAST_SECONDS)
        left = max(0.0, arguments.seconds - (time.monotonic() - started))
        return measured(arguments, a, b, left, kernels), record


def prepared() -> tuple[dict[str, Ceiling], dict[str, Any]]:
    """The ceilings, and what they and the sides run on."""
    from penstock.lab import ceilings, compare, machine

    _ = compare  # loads what the summary needs
    kernels = ceilings.standard()
    for each in kernels.values():
        each.side()
    record = machine.record(packages=("numpy",))
    return kernels, {"identity": machine.identity(record), "machine": record}


def measured(
    arguments: argparse.Namespace, a: Side, b: Side, seconds: float, kernels: dict[str, Ceiling]
) -> Comparison:
    """The comparison, with a line about its progress on a terminal."""
    from penstock import progress
    from penstock.lab.compare import compare

    work = {"memory copy": arguments.bytes, "fma": arguments.flops}
    with progress.line_of_text() as show:
        started = time.monotonic()

        def watch(times: Times) -> None:
            so_far = f"{time.monotonic() - started:.0f} s of at most {seconds:.0f} s"
            of = f" of {arguments.pairs} pairs" if arguments.pairs else f" pairs, {so_far}"
            show(f"{times.quadruples}{of}")

        return compare(
            a,
            b,
            seconds=seconds,
            quadruples=arguments.pairs,
            least=0.0,
            ceilings=kernels,
            work={name: amount for name, amount in work.items() if amount is not None},
            watch=watch,
        )


def check_outputs(arguments: argparse.Namespace, a: str, b: str) -> None:
    """Raises CommandError unless both hashes are the same."""
    if a != b:
        lines = ["the outputs differ, so their times are not compared"]
        lines += [f"  {a[:12]}  {arguments.a}", f"  {b[:12]}  {arguments.b}"]
        lines += ["  without --check-output they are; a faster wrong answer is none"]
        raise status.CommandError("\n".join(lines), status.FAILED)


def text_of(found: Comparison, arguments: argparse.Namespace) -> str:
    """The verdict in words, and what stands behind it."""
    low, high = found.interval
    interval = f"{found.confidence:.0%} interval {low:.4g} to {high:.4g}"
    lines = [
        f"{WORDS[found.verdict]}: time(B)/time(A) = {found.ratio:.4g}, {interval}, n = {found.n}",
        f"  A  {seconds_text(found.a)}  {arguments.a}",
        f"  B  {seconds_text(found.b)}  {arguments.b}",
    ]
    for name, sides in (found.share_of_ceiling or {}).items():
        lines.append(f"  of the ceiling '{name}': A {sides['a']:.0%}, B {sides['b']:.0%}")
    rates = [f"{name} {rate / 1e9:.3g} G{UNITS[name]}/s" for name, rate in found.ceilings.items()]
    lines += [f"  at that time one thread reached: {', '.join(rates)}"] if rates else []
    if found.noisy:
        beside = found.beside
        names = f" ({', '.join(beside['processes'])})" if beside["processes"] else ""
        lines.append(f"  noisy machine: others took {beside['others']:.2f} CPUs{names}, the host {beside['steal']:.2f}")
    lines += [f"  {note}" for note in found.notes]
    if found.verdict == "undecided" and not found.notes:
        lines.append(f"  more time may decide it: --seconds {max(found.seconds, arguments.seconds) * 4:.0f}")
    return "\n".join(lines) + "\n"


UNITS = {"memory copy": "B", "fma": "flop"}


def seconds_text(side: dict[str, Any]) -> str:
    """The median of a side's times in a unit that reads well."""
    seconds = float(side["median_seconds"])
    for unit, scale in (("s", 1.0), ("ms", 1e-3), ("us", 1e-6)):
        if seconds >= scale:
            return f"{seconds / scale:.4g} {unit}"
    return f"{seconds / 1e-9:.4g} ns"


def positive_seconds(text: str) -> float:
    """A number of seconds above 0."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"'{text}' is no number of seconds above 0")
    return value
