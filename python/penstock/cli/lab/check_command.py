# SPDX-License-Identifier: Apache-2.0
"""``penstock lab check``: every gate case, measured again."""

from __future__ import annotations

import argparse
import sys
from functools import partial

from penstock.cli import parser, status


def add_arguments(to: argparse.ArgumentParser) -> None:
    to.add_argument("only", metavar="NAME-TRY", nargs="*", help="gate cases; default: all")
    parser.add_json_option(to)


def run(arguments: argparse.Namespace) -> int:
    from penstock.cli.lab.told import telling
    from penstock.lab import bench, check, layout, promote

    root = layout.root()
    gates = promote.gates(root)
    known = [each.path.stem for each in gates]
    if unknown := [each for each in arguments.only if each not in known]:
        there = f"the gates are {', '.join(known)}" if known else "there is none yet; penstock lab promote makes one"
        raise status.CommandError(f"no gate '{unknown[0]}' in {root / 'gates'}\n  {there}")
    found = []
    with telling(arguments.json) as (say, measure):
        for gate in gates:
            if arguments.only and gate.path.stem not in arguments.only:
                continue
            outcome = check.check(gate, root, measure=partial(bench.measure_case, measure=measure))
            found.append({"gate": gate.path.stem, "status": outcome.status.lower(), "cases": outcome.texts})
            say("\n".join([f"{outcome.status}: {gate.path.stem}", *(f"  {each}" for each in outcome.texts)]))
    failed = sum(each["status"] == "failed" for each in found)
    if arguments.json:
        from penstock.cli.values import write_json

        write_json({"gates": found})
    else:
        undecided = sum(each["status"] == "undecided" for each in found)
        sys.stdout.write(f"{len(found) - failed - undecided} passed, {undecided} undecided, {failed} failed\n")
    return status.REGRESSION if failed else status.OK
