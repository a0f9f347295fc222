# SPDX-License-Identifier: Apache-2.0
"""``penstock lab promote``: a try becomes a gate case."""

from __future__ import annotations

import argparse
import sys

from penstock.cli import status


def add_arguments(to: argparse.ArgumentParser) -> None:
    to.add_argument("name", metavar="NAME", help="the project")
    to.add_argument("tried", metavar="TRY", help="the optimisation")
    least = "what `penstock lab check` holds it to; the recorded intervals must lie above"
    to.add_argument("--min-speedup", metavar="X", type=float, required=True, help=least)
    counted = "also record how many instructions a run takes (valgrind; minutes)"
    to.add_argument("--instructions", action="store_true", help=counted)


def run(arguments: argparse.Namespace) -> int:
    from penstock.lab import layout, promote

    tried = layout.existing_try(layout.existing_project(arguments.name), arguments.tried)
    path = promote.promote(tried, arguments.min_speedup, instructed=arguments.instructions)
    sys.stdout.write(status.printable(f"made {path}\nnext: penstock lab check, or pytest --lab {path.parent}\n"))
    return status.OK
