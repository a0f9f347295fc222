# SPDX-License-Identifier: Apache-2.0
"""``penstock lab history``: where results of this machine changed."""

from __future__ import annotations

import argparse
import sys

from penstock.cli import parser, status


def add_arguments(to: argparse.ArgumentParser) -> None:
    to.add_argument("row", metavar="ROW", nargs="?", default="", help="only rows that begin so, such as gravity/")
    parser.add_json_option(to)


def run(arguments: argparse.Namespace) -> int:
    from penstock.lab import history, layout, machine, results

    root = layout.root()
    lines = [each for each in results.read(root) if str(each.get("row", "")).startswith(arguments.row)]
    here = machine.identity(machine.record(root.parent))
    found, others = history.history(lines, here)
    if arguments.json:
        from dataclasses import asdict

        from penstock.cli.values import write_json

        write_json({"identity": here, "rows": [asdict(each) for each in found], "other_machines": others})
        return status.OK
    for each in found:
        sys.stdout.write(status.printable(each.text() + "\n"))
    if not found:
        sys.stdout.write(f"no results of this machine ({here}) in {root / 'results'}\n")
    for name, count in others.items():
        sys.stdout.write(f"not compared: {count} results of another machine ({name})\n")
    return status.OK
